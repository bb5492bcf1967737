//! What a job's report will warn of, found out without a device: prompts that are not read to their end, and what of
//! the start image is not shown. Or that the image can't be decoded at all.

use std::{os::unix::fs::MetadataExt as _, path::Path};

use framepack_ipc::worker::{Inspected, RenderRequest};
use framepack_jobs::{Failure, picture::Colour};

use crate::{error::Error, picture, settings::JobSettings, text::reach::Reach};

/// Inspects jobs one after another; keeps what the next one may ask again.
#[derive(Debug, Default)]
pub struct Inspector {
    reach: Reach,
    seen: Option<(PictureFile, Colour, Vec<String>)>,
}

/// Which file a picture is, whatever its name: many jobs have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PictureFile {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
}

impl PictureFile {
    fn of(path: &Path) -> Option<Self> {
        let metadata = path.metadata().ok()?;
        Some(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        })
    }
}

impl Inspector {
    /// Inspects one job.
    pub fn inspect(&mut self, request: &RenderRequest) -> Inspected {
        let (mut warnings, failure) = match self.picture_warnings(request) {
            Ok(warnings) => (warnings, None),
            Err(failure) => (Vec::new(), failure),
        };
        warnings.extend(self.reach.warnings(request));
        Inspected {
            job: request.job,
            warnings,
            failure,
        }
    }

    /// `Err`: how the job will fail; nothing where another look may find something else.
    fn picture_warnings(
        &mut self,
        request: &RenderRequest,
    ) -> Result<Vec<String>, Option<Failure>> {
        let settings = JobSettings::read(&request.settings).map_err(|_| None)?;
        let background = settings.background;
        let file = PictureFile::of(&request.image).ok_or(None)?;
        if let Some((seen, on, warnings)) = &self.seen
            && (*seen, *on) == (file, background)
        {
            return Ok(warnings.clone());
        }
        match picture::load::load(&request.image, background) {
            Ok(picture) => {
                let warnings = picture.warnings;
                self.seen = Some((file, background, warnings.clone()));
                Ok(warnings)
            }
            Err(error) if error.is_of_content() => {
                let error = error.naming(&request.image_name);
                Err(Some(Error::from(error).failure()))
            }
            Err(_) => Err(None),
        }
    }
}
