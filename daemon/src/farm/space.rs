//! The space of the folders that jobs write to, as their shares told last.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use framepack_config::Paths;
use framepack_ipc::farm::{FolderSpace, Space};
use tokio::{
    sync::Mutex as AsyncMutex,
    time::{sleep, timeout},
};

use crate::{
    disk::{Disk, DiskFull},
    file::{FileSystemSpace, space},
};

/// What is younger than this is not asked again.
const FRESH: Duration = Duration::from_secs(2);
/// How long an answer waits for shares that answer at once, as most do.
const MOMENT: Duration = Duration::from_millis(20);

/// The folders' spaces; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Spaces {
    disk: Disk,
    folders: Arc<[(&'static str, PathBuf)]>,
    told: Arc<Mutex<Told>>,
    /// Held by whoever asks; when it was asked last.
    asked: Arc<AsyncMutex<Option<Instant>>>,
}

/// What was told last.
#[derive(Debug, Default)]
struct Told {
    /// For each folder, with when that was.
    spaces: Vec<Option<(FileSystemSpace, Instant)>>,
    full: Option<DiskFull>,
}

impl Spaces {
    pub(crate) fn new(disk: Disk, paths: &Paths) -> Self {
        Self {
            disk,
            folders: Arc::new([
                ("outputs", paths.outputs.clone()),
                ("state", paths.state.clone()),
            ]),
            told: Arc::default(),
            asked: Arc::default(),
        }
    }

    /// Asks again, unless that was done a moment ago. What answers at once is known when this returns; what takes longer
    /// is known later.
    pub(crate) async fn refresh(&self) {
        let asking = self.clone();
        let asked = tokio::spawn(async move { asking.ask().await });
        let _ = timeout(MOMENT, asked).await;
    }

    async fn ask(&self) {
        // Somebody who is waiting for a share asks for us, too.
        let Ok(mut asked) = self.asked.try_lock() else {
            return sleep(MOMENT).await;
        };
        if asked.is_some_and(|asked| asked.elapsed() < FRESH) {
            return;
        }
        for (n, (_, path)) in self.folders.iter().enumerate() {
            if let Ok(space) = self.space_of(path).await {
                self.tell(|told| {
                    told.spaces.resize(self.folders.len(), None);
                    told.spaces[n] = Some((space, Instant::now()));
                });
            }
        }
        let full = self.disk.room().await.err();
        self.tell(|told| told.full = full);
        *asked = Some(Instant::now());
    }

    async fn space_of(&self, path: &Path) -> io::Result<FileSystemSpace> {
        let folder = path.to_owned();
        let told = self.disk.at(path, move || space(&folder)).await;
        told.map_err(io::Error::other).flatten()
    }

    fn tell(&self, change: impl FnOnce(&mut Told)) {
        change(&mut self.told.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The folders with what their shares told last.
    pub(crate) fn latest(&self) -> Vec<FolderSpace> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |n: usize| {
            let (space, at) = (*told.spaces.get(n)?)?;
            Some(Space {
                total_bytes: space.total_bytes,
                free_bytes: space.free_bytes,
                age_secs: at.elapsed().as_secs_f64(),
            })
        };
        let folders = self.folders.iter().enumerate();
        folders
            .map(|(n, (folder, path))| FolderSpace {
                folder: (*folder).to_owned(),
                path: path.clone(),
                space: known(n),
            })
            .collect()
    }

    /// That a job would have no room, when that was looked at last.
    pub(crate) fn full(&self) -> Option<DiskFull> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.full.clone()
    }
}
