//! What can be asked of the disks.

use std::{
    collections::{BTreeMap, HashSet},
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use framepack_ipc::control::Note;
use framepack_jobs::{Code, JobId};
use thiserror::Error;
use tokio::{sync::watch, time::timeout};
use tracing::error;

use super::{
    inputs::{self, Images, Inputs},
    lanes::{LIMIT, Lanes, Posted, Silent, SilentShares},
    outputs::{FolderError, Names, Owner, Reservation, Video, exists, make_folder},
    pulse::Pulse,
    space::{DiskFull, Needs},
    work::{clear_checkpoints, clear_leftovers},
};
use crate::{file::sha256_with, previews::Previews, state_dir::Layout};

/// How long somebody waits who asks by the way.
const MOMENT: Duration = Duration::from_secs(1);

/// The way to the disks; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    lanes: Lanes,
    outputs: PathBuf,
    owner: Owner,
    layout: Layout,
    /// Space that stays free beside what jobs need.
    reserve_bytes: u64,
}

/// A job that is about to run.
#[derive(Debug)]
pub(crate) struct Preparation {
    pub(crate) job: JobId,
    /// Folder of its video, below the outputs folder.
    pub(crate) below: PathBuf,
    pub(crate) names: Names,
    /// What it and the jobs that run will write.
    pub(crate) needs: Needs,
}

/// Why a job can't run yet, or at all.
#[derive(Debug, Error)]
pub(crate) enum NotPrepared {
    #[error(transparent)]
    Full(DiskFull),
    #[error(transparent)]
    Folder(FolderError),
    #[error(transparent)]
    Silent(#[from] Silent),
}

/// A job that has ended.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    pub(crate) job: JobId,
    pub(crate) output: PathBuf,
    pub(crate) video: Video,
    /// Its copy of the start image.
    pub(crate) input: PathBuf,
    /// A user may have it tried again: its image and sections stay.
    pub(crate) is_kept: bool,
}

impl Disk {
    /// `outputs`: the folder of all videos; `reserve_mib` stay free.
    pub(crate) fn new(outputs: PathBuf, owner: Owner, layout: Layout, reserve_mib: u64) -> Self {
        Self {
            lanes: Lanes::new(LIMIT),
            outputs,
            owner,
            layout,
            reserve_bytes: reserve_mib << 20,
        }
    }

    /// The start images beneath these folders.
    pub(crate) fn images(&self, roots: Vec<PathBuf>) -> Images {
        Images::new(roots, self.layout.inputs(), self.lanes.clone())
    }

    /// For a thread that works where `path` lies by itself: it has to tell that it gets on.
    pub(crate) fn guard(&self, path: &Path) -> Pulse {
        self.lanes.guard(path)
    }

    /// SHA-256 of a video, in hexadecimal.
    pub(crate) async fn hash(&self, video: &Path) -> Result<io::Result<String>, Silent> {
        let path = video.to_owned();
        let hash = move |pulse: &Pulse| sha256_with(&path, || pulse.beat());
        // A lane of its own: it takes long, and nothing has to wait for it.
        self.lanes.run(video, hash).await
    }

    /// The shares that do not answer, now and at each change.
    pub(crate) fn silent(&self) -> watch::Receiver<SilentShares> {
        self.lanes.silent()
    }

    /// The same as notes for users.
    pub(crate) fn notes(&self) -> Vec<Note> {
        let note = |(path, since): (&PathBuf, _)| {
            let path = path.display();
            let message =
                format!("{path} has not answered since {since}: jobs with files there wait");
            Note::new(Code::SHARE_SILENT, message)
        };
        let mut notes: Vec<Note> = self.lanes.silent().borrow().iter().map(note).collect();
        notes.extend(self.lanes.stuck().iter().map(|path| {
            let message = format!(
                "{} does not answer: nothing is taken from it",
                path.display()
            );
            Note::new(Code::SHARE_SILENT, message)
        }));
        notes
    }

    /// Does something where `path` lies, with the time limit of that share.
    pub(crate) async fn at<T: Send + 'static>(
        &self,
        path: &Path,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Silent> {
        self.lanes.run(path, |_| work()).await
    }

    /// Makes a job's folders and reserves a name for its video, if there is room for what it will write. Returns the
    /// name.
    pub(crate) async fn prepare(&self, wanted: Preparation) -> Result<PathBuf, NotPrepared> {
        let (works, work) = (self.layout.works(), self.layout.work(wanted.job));
        let made = self.at(&works, {
            let work = work.clone();
            move || fs::create_dir_all(&work)
        });
        made.await?
            .map_err(|error| NotPrepared::Folder(FolderError::Create { path: work, error }))?;
        let (outputs, owner, reserve_bytes) =
            (self.outputs.clone(), self.owner.clone(), self.reserve_bytes);
        let folder = wanted.names.folder.clone();
        let prepared = self.at(&folder, move || {
            let folder = &wanted.names.folder;
            let videos = if folder.is_dir() { folder } else { &outputs };
            let room = wanted.needs.fit(&works, videos, reserve_bytes);
            room.map_err(NotPrepared::Full)?;
            if folder.starts_with(&outputs) {
                make_folder(&outputs, &wanted.below).map_err(NotPrepared::Folder)?;
            }
            let path = reserve(&owner, wanted.job, &wanted.names).map_err(NotPrepared::Folder)?;
            let is_kept = wanted.names.current.as_ref() == Some(&path);
            let job = wanted.job;
            Ok(Reserved {
                owner,
                job,
                path,
                is_kept,
            })
        });
        prepared.await?.map(Reserved::keep)
    }

    /// The first name that is free on the disk, too.
    pub(crate) async fn first_free(&self, names: Names) -> Result<PathBuf, Silent> {
        self.at(&names.folder.clone(), move || {
            let is_free = |name: &PathBuf| !name.exists() && !exists(name);
            let mut candidates = names.candidates();
            candidates
                .find(is_free)
                .expect("there are more numbers than files")
        })
        .await
    }

    /// Whether there is such a file.
    pub(crate) async fn is_there(&self, file: &Path) -> Result<bool, Silent> {
        let path = file.to_owned();
        self.at(&share_folder(file), move || path.exists()).await
    }

    /// Whether there would be room for a job that writes nothing. Where that is not known within a moment, there is.
    pub(crate) async fn room(&self) -> Result<(), DiskFull> {
        let (works, outputs, reserve_bytes) = (
            self.layout.works(),
            self.outputs.clone(),
            self.reserve_bytes,
        );
        let disk = self.clone();
        // A task of its own: should the share hang, that is noticed although nobody waits for so long.
        let asked = tokio::spawn(async move {
            let look = {
                let outputs = outputs.clone();
                move || Needs::default().fit(&works, &outputs, reserve_bytes)
            };
            disk.at(&outputs, look).await
        });
        match timeout(MOMENT, asked).await {
            Ok(Ok(Ok(room))) => room,
            _ => Ok(()),
        }
    }

    /// Removes what an unfinished run left beside the video.
    pub(crate) fn clear_leftovers(&self, output: &Path) -> Posted {
        let path = output.to_owned();
        let clear = move || clear_leftovers(&path);
        self.lanes.post(&share_folder(output), clear)
    }

    /// Removes what earlier runs of the job left for a next one.
    pub(crate) fn clear_checkpoints(&self, job: JobId) -> Posted {
        let work = self.layout.work(job);
        let clear = move || clear_checkpoints(&work);
        self.lanes.post(&self.layout.works(), clear)
    }

    /// Puts a job's last pictures where they stay.
    fn keep_previews(&self, job: JobId) -> Posted {
        let previews = Previews::new(self.layout.clone());
        self.lanes
            .post(&self.layout.works(), move || previews.keep(job))
    }

    /// Removes a copy of a start image that no job needs.
    pub(crate) fn remove_input(&self, input: &Path) -> Posted {
        let input = input.to_owned();
        let remove = move || inputs::remove(&input);
        self.lanes.post(&self.layout.works(), remove)
    }

    /// Gives back the name that was reserved for a job's video.
    pub(crate) fn release(&self, job: JobId, output: &Path) -> Posted {
        self.release_with(job, output, Video::Made)
    }

    fn release_with(&self, job: JobId, output: &Path, video: Video) -> Posted {
        let (owner, path) = (self.owner.clone(), output.to_owned());
        let release = move || owner.release(&path, job, video);
        self.lanes.post(&share_folder(output), release)
    }

    /// A job has ended: its name is its video's, or free, and what it needed goes.
    pub(crate) fn ended(&self, ended: &Ended) -> Vec<Posted> {
        let job = ended.job;
        let mut posted = vec![
            self.release_with(job, &ended.output, ended.video),
            self.keep_previews(job),
        ];
        if !ended.is_kept {
            posted.push(self.remove_input(&ended.input));
            posted.push(self.clear_checkpoints(job));
        }
        posted
    }

    /// After a crash: the same for the jobs that have ended, and start images go that none of the others needs.
    pub(crate) async fn recover(&self, ended: Vec<Ended>, needed: HashSet<PathBuf>) {
        let mut folders: BTreeMap<PathBuf, BTreeMap<JobId, Video>> = BTreeMap::new();
        for job in &ended {
            let of_folder = folders.entry(share_folder(&job.output)).or_default();
            of_folder.insert(job.job, job.video);
        }
        for (folder, jobs) in folders {
            let owner = self.owner.clone();
            self.lanes.post(&folder.clone(), move || {
                owner.sweep(&folder, |job| jobs.get(&job).copied());
            });
        }
        let (works, layout) = (self.layout.works(), self.layout.clone());
        let cleared = self.at(&works, move || clear_state(&layout, &ended, &needed));
        match cleared.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => error!(%error, "removing start images that no job needs"),
            Err(silent) => error!("removing start images that no job needs: {silent}"),
        }
    }
}

/// A new reservation, which is given back if nobody waits for it any more.
struct Reserved {
    owner: Owner,
    job: JobId,
    path: PathBuf,
    is_kept: bool,
}

impl Reserved {
    fn keep(mut self) -> PathBuf {
        self.is_kept = true;
        self.path.clone()
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if !self.is_kept {
            self.owner.release(&self.path, self.job, Video::Made);
        }
    }
}

/// Reserves the first name that nobody has, as the file system can write it.
fn reserve(owner: &Owner, job: JobId, names: &Names) -> Result<PathBuf, FolderError> {
    let refused = match reserve_as_written(owner, job, names) {
        Err(refused) if refused.is_of_the_name() => refused,
        reserved => return reserved,
    };
    let mut plainer = names.plainer();
    plainer
        .find_map(|names| reserve_as_written(owner, job, &names).ok())
        .ok_or(refused)
}

fn reserve_as_written(owner: &Owner, job: JobId, names: &Names) -> Result<PathBuf, FolderError> {
    for name in names.candidates() {
        match owner.reserve(&name, job) {
            Ok(Reservation::Given) => return Ok(name),
            Ok(Reservation::Taken) => {}
            Err(error) => return Err(FolderError::Reservation { path: name, error }),
        }
    }
    unreachable!("there are more numbers than files")
}

/// Removes from the state directory what only jobs needed that have ended.
fn clear_state(layout: &Layout, ended: &[Ended], needed: &HashSet<PathBuf>) -> io::Result<()> {
    let previews = Previews::new(layout.clone());
    for job in ended {
        previews.keep(job.job);
        if !job.is_kept {
            clear_checkpoints(&layout.work(job.job));
        }
    }
    Inputs::new(Vec::new(), layout.inputs()).keep_only(needed)
}

/// The folder whose share answers for a file.
fn share_folder(file: &Path) -> PathBuf {
    file.parent().unwrap_or(file).to_owned()
}
