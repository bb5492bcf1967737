//! Dropped again: a file that comes back out of the archive is the job that it was.

use std::ffi::{OsStr, OsString};

use framepack_jobs::{JobId, Source};

use super::{Spool, name};
use crate::queue::Stopping;

impl Spool {
    /// The name under which a file was dropped the first time.
    ///
    /// The archive calls `cat.yaml` of job 2 `cat.2.yaml`. Only when job 2 did come as `cat.yaml` is the
    /// number taken off again, since a user may have a `take.2.yaml`, too.
    pub(super) fn first_name(&self, name: &OsStr) -> Result<OsString, Stopping> {
        let Some((first, id)) = name::split_archived(name) else {
            return Ok(name.to_owned());
        };
        if is_claim_id(&id) {
            return Ok(first);
        }
        let Ok(id) = id.parse::<JobId>() else {
            return Ok(name.to_owned());
        };
        let job = self.runtime.block_on(self.queue.show(id))?;
        let came_as_first = job.is_some_and(|job| match job.source {
            Source::Folder { file } => file.as_os_str() == first.to_string_lossy().as_ref(),
            Source::Submit { .. } => false,
        });
        Ok(if came_as_first {
            first
        } else {
            name.to_owned()
        })
    }
}

/// Whether it is what names a file in the archive that never became a job; nobody writes such a name by hand.
fn is_claim_id(id: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    id.len() == 16 && id.bytes().all(is_digit)
}
