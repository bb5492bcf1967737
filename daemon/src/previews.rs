//! What jobs' videos look like: in `work/<job>/`, where a worker writes it, and in `previews/`, where it stays when the
//! job has ended, for as long as there is a record of the job and room for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use framepack_ipc::preview::{MAX_PREVIEW_BYTES, Preview, PreviewKind, PreviewRequest};
use framepack_jobs::JobId;
use tracing::warn;

use crate::state_dir::Layout;

/// What the pictures of jobs that have ended may take: those of some 2000 jobs.
const LIMIT_BYTES: u64 = 512 << 20;

/// The previews of all jobs; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Previews {
    layout: Layout,
}

impl Previews {
    pub(crate) fn new(layout: Layout) -> Self {
        Self { layout }
    }

    /// The newest picture of this kind, if there is one. Reads files.
    pub(crate) fn read(&self, PreviewRequest { job, kind }: PreviewRequest) -> Option<Preview> {
        let now = self.layout.work(job).join(kind.file_name());
        let kept = self.layout.preview(job, kind);
        [now, kept].iter().find_map(|path| read(path).ok())
    }

    /// Puts what a run has left where it stays. What is there already does.
    pub(crate) fn keep(&self, job: JobId) {
        for kind in PreviewKind::ALL {
            let now = self.layout.work(job).join(kind.file_name());
            if !now.exists() {
                continue;
            }
            let kept = self.layout.preview(job, kind);
            let moved =
                fs::create_dir_all(self.layout.previews()).and_then(|()| fs::rename(&now, &kept));
            if let Err(error) = moved {
                warn!(path = %now.display(), %error, "keeping a preview");
            }
        }
    }

    /// Removes what is kept of a job.
    pub(crate) fn remove(&self, job: JobId) {
        for kind in PreviewKind::ALL {
            remove(&self.layout.preview(job, kind));
        }
    }

    /// Removes the oldest where all take too much. Returns the jobs of which something is kept.
    pub(crate) fn clear_old(&self) -> BTreeSet<JobId> {
        self.clear_beyond(LIMIT_BYTES)
    }

    fn clear_beyond(&self, limit_bytes: u64) -> BTreeSet<JobId> {
        let mut kept = self.kept();
        let mut total_bytes: u64 = kept.values().flatten().map(|(_, bytes)| bytes).sum();
        while total_bytes > limit_bytes
            && let Some((_, files)) = kept.pop_first()
        {
            for (path, bytes) in files {
                remove(&path);
                total_bytes -= bytes;
            }
        }
        kept.into_keys().collect()
    }

    /// The files that are kept, by their jobs, with their sizes.
    fn kept(&self) -> BTreeMap<JobId, Vec<(PathBuf, u64)>> {
        let mut kept: BTreeMap<JobId, Vec<(PathBuf, u64)>> = BTreeMap::new();
        // Not there: no job has left any.
        let entries = fs::read_dir(self.layout.previews());
        for entry in entries.into_iter().flatten().flatten() {
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.split_once('.'));
            let job = number.and_then(|(number, _)| number.parse().ok());
            if let (Some(job), Ok(metadata)) = (job, entry.metadata()) {
                let file = (entry.path(), metadata.len());
                kept.entry(job).or_default().push(file);
            }
        }
        kept
    }
}

fn read(path: &Path) -> io::Result<Preview> {
    let mut message = Vec::new();
    let mut file = File::open(path)?.take(MAX_PREVIEW_BYTES as u64);
    file.read_to_end(&mut message)?;
    serde_json::from_slice(&message).map_err(io::Error::from)
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        warn!(path = %path.display(), %error, "removing a preview");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state_dir::StateDir;

    fn preview(of: &str) -> Preview {
        Preview {
            media_type: "image/png".to_owned(),
            of: of.to_owned(),
            width_px: 1,
            height_px: 1,
            frames: 1,
            data: String::new(),
        }
    }

    #[test]
    fn what_a_run_leaves_is_kept_until_newer_ones_take_its_room() {
        let state = tempfile::tempdir().unwrap();
        let layout = StateDir::open(state.path()).unwrap().layout();
        let previews = Previews::new(layout.clone());
        let write = |job, of: &str| {
            let work = layout.work(JobId(job));
            fs::create_dir_all(&work).unwrap();
            let message = serde_json::to_vec(&preview(of)).unwrap();
            fs::write(work.join(PreviewKind::Latest.file_name()), message).unwrap();
        };
        let latest = |job| {
            let job = JobId(job);
            let kind = PreviewKind::Latest;
            previews.read(PreviewRequest { job, kind })
        };
        assert_eq!(latest(9), None);
        for job in [9, 10] {
            write(job, "section 1/2");
            previews.keep(JobId(job));
            previews.keep(JobId(job));
            fs::remove_dir_all(layout.work(JobId(job))).unwrap();
            assert_eq!(latest(job), Some(preview("section 1/2")));
        }
        // Tried again.
        write(10, "section 2/2");
        assert_eq!(latest(10), Some(preview("section 2/2")));
        previews.keep(JobId(10));
        assert_eq!(latest(10), Some(preview("section 2/2")));

        assert_eq!(previews.clear_old(), [9, 10].map(JobId).into());
        let kept = layout.preview(JobId(10), PreviewKind::Latest);
        let bytes = fs::metadata(kept).unwrap().len();
        assert_eq!(previews.clear_beyond(bytes), [10].map(JobId).into());
        assert_eq!(latest(9), None);
        previews.remove(JobId(10));
        assert_eq!(latest(10), None);
    }

    #[test]
    fn what_is_no_preview_is_none() {
        let state = tempfile::tempdir().unwrap();
        let path = state.path().join("preview.json");
        fs::write(&path, "{").unwrap();
        assert!(read(&path).is_err());
        fs::write(&path, vec![b' '; MAX_PREVIEW_BYTES + 1]).unwrap();
        assert!(read(&path).is_err());
    }
}
