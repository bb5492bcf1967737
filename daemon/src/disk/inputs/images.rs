//! Start images where they lie, within the time limit of that share.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use tokio::task::spawn_blocking;

use super::{
    error::InputError,
    roots::{ImageLook, InputCopy, Inputs, remove},
};
use crate::{disk::lanes::Lanes, file::FileState};

/// The images that jobs may name; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Images {
    inputs: Inputs,
    lanes: Lanes,
}

/// Copies made for jobs that are accepted together: an image that many of them name is copied once.
#[derive(Debug, Default)]
pub(crate) struct Copies(HashMap<FileState, InputCopy>);

impl Images {
    /// Images beneath `roots`; copies go to the folder `copies`.
    pub(in crate::disk) fn new(roots: Vec<PathBuf>, copies: PathBuf, lanes: Lanes) -> Self {
        let inputs = Inputs::new(roots, copies);
        Self { inputs, lanes }
    }

    /// The same, with one more folder beneath which may be read.
    pub(crate) fn also_in(&self, root: &Path) -> Self {
        Self {
            inputs: self.inputs.clone().also_in(root),
            lanes: self.lanes.clone(),
        }
    }

    /// Looks at `wanted` (relative to `base`) by the rules.
    pub(crate) async fn look(&self, base: &Path, wanted: &Path) -> Result<ImageLook, InputError> {
        let base = self.resolved(base, wanted).await?;
        let (inputs, share) = (self.inputs.clone(), self.inputs.share(&base, wanted));
        let wanted = wanted.to_owned();
        self.lanes
            .run(&share, move |_| inputs.look(&base, &wanted))
            .await?
    }

    /// The folder itself may lie behind a link; what the job names below it may not. An absolute path needs no folder.
    async fn resolved(&self, base: &Path, wanted: &Path) -> Result<PathBuf, InputError> {
        let base = base.to_owned();
        if wanted.is_absolute() {
            return Ok(base);
        }
        let folder = base.clone();
        let resolved = self.lanes.run(&base, move |_| folder.canonicalize());
        Ok(resolved.await?.unwrap_or(base))
    }

    /// A copy for one job, unless the image has changed since it was looked at. It is durable after [`Self::sync`].
    pub(crate) async fn copy(
        &self,
        image: &ImageLook,
        copies: &mut Copies,
    ) -> Result<InputCopy, InputError> {
        if let Some(known) = copies.0.get(&image.state)
            && let Ok(copy) = self.inputs.link(known)
        {
            return Ok(copy);
        }
        let (inputs, wanted) = (self.inputs.clone(), image.clone());
        let copied = self.lanes.run(&image.root, move |pulse| {
            inputs.copy(&wanted, || pulse.beat())
        });
        let copy = copied.await??;
        // The share has done its part; a sync of the state directory takes as long as it takes.
        let copy = spawn_blocking(|| copy.finish()).await;
        let copy = copy.expect("it does not panic, and the runtime outlives it")?;
        copies.0.insert(image.state, copy.clone());
        Ok(copy)
    }

    /// Makes all copies durable.
    pub(crate) fn sync(&self) -> Result<(), InputError> {
        self.inputs.sync()
    }

    /// Removes a copy that no job will need.
    pub(crate) fn remove(copy: &Path) {
        remove(copy);
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::MetadataExt};

    use super::*;
    use crate::disk::lanes::LIMIT;

    #[tokio::test]
    async fn an_image_of_many_jobs_is_copied_once_and_each_has_its_own_name() {
        let dir = tempfile::tempdir().unwrap();
        let (jobs, copies) = (dir.path().join("jobs"), dir.path().join("copies"));
        fs::create_dir(&jobs).unwrap();
        fs::create_dir(&copies).unwrap();
        fs::write(jobs.join("a.png"), "P1 1 1 0").unwrap();
        let images = Images::new(vec![jobs.clone()], copies, Lanes::new(LIMIT));
        let mut made = Copies::default();
        let look = || images.look(&jobs, Path::new("a.png"));
        let first = images
            .copy(&look().await.unwrap(), &mut made)
            .await
            .unwrap();
        let second = images
            .copy(&look().await.unwrap(), &mut made)
            .await
            .unwrap();
        assert_eq!(first.path.metadata().unwrap().nlink(), 2);
        assert_eq!(first.sha256, second.sha256);
        Images::remove(&first.path);
        assert_eq!(fs::read(&second.path).unwrap(), b"P1 1 1 0");

        fs::write(jobs.join("a.png"), "P1 1 1 1").unwrap();
        let other = images
            .copy(&look().await.unwrap(), &mut made)
            .await
            .unwrap();
        assert_eq!(fs::read(other.path).unwrap(), b"P1 1 1 1");
    }
}
