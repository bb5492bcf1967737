//! Strips: the frames of a finished video one below the other in one picture, as the daemon keeps them for each job.

use std::collections::BTreeMap;

use framepack_ipc::{
    client::ClientError,
    control::{Request, Response},
    preview::{PreviewKind, PreviewRequest},
};
use framepack_jobs::{Job, JobId};

use crate::{daemon::Daemon, failure::Failure};

/// The frames of one video.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Strip {
    /// Of one frame.
    pub(super) width_px: u32,
    /// Of one frame.
    pub(super) height_px: u32,
    pub(super) frames: u32,
    /// The picture as a browser takes it in the place of an address.
    pub(super) url: String,
}

/// The strips of these jobs, for those that have one.
pub(crate) fn strips(jobs: &[Job], daemon: &Daemon) -> Result<BTreeMap<JobId, Strip>, Failure> {
    let mut client = daemon.connect()?;
    let mut strips = BTreeMap::new();
    for job in jobs {
        let request = Request::Preview(PreviewRequest {
            job: job.id,
            kind: PreviewKind::Strip,
        });
        match client.call(&request) {
            Ok(Response::Preview(preview)) => {
                let frames = preview.frames.max(1);
                strips.insert(
                    job.id,
                    Strip {
                        width_px: preview.width_px,
                        height_px: preview.height_px / frames,
                        frames,
                        url: format!("data:{};base64,{}", preview.media_type, preview.data),
                    },
                );
            }
            Ok(_) => return Err(ClientError::Unexpected.into()),
            // Rendered by an earlier version, or its strip could not be written: the report is as good without it.
            Err(ClientError::Refused(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(strips)
}
