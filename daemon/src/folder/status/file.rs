//! `STATUS.txt`: how the daemon is, for those who have only the share.

use std::{
    fs::{self, File, TryLockError},
    path::Path,
    time::{Duration, Instant},
};

use framepack_jobs::Timestamp;
use tracing::warn;

const NAME: &str = "STATUS.txt";
/// It is rewritten after this long even when nothing has changed, so that its age shows whether the daemon runs.
const INTERVAL: Duration = Duration::from_mins(1);

/// The file, and when it was last written.
///
/// Of several daemons on one folder, the one that holds the lock writes `STATUS.txt`, the others `STATUS.<id>.txt`.
#[derive(Debug, Default)]
pub(super) struct StatusFile {
    last: Option<(String, Instant)>,
    lock: Option<File>,
}

impl StatusFile {
    /// Writes the file if it would say something new, or has become old.
    pub(super) fn update(&mut self, folder: &Path, daemon_id: &str, text: String) {
        let is_current =
            |(last, written): &(String, Instant)| *last == text && written.elapsed() < INTERVAL;
        if self.last.as_ref().is_some_and(is_current) {
            return;
        }
        let now = Timestamp::now().to_string();
        let dated = format!(
            "{text}\nWritten at {}Z; updated at least once a minute.\n",
            &now[..19]
        );
        let own = format!("STATUS.{daemon_id}.txt");
        let temporary = folder.join(format!(".{own}"));
        let name = if self.is_first(folder) { NAME } else { &own };
        let written =
            fs::write(&temporary, dated).and_then(|()| fs::rename(&temporary, folder.join(name)));
        if let Err(error) = written {
            warn!(%error, "writing {name}");
        }
        self.last = Some((text, Instant::now()));
    }

    /// Whether no other daemon on this folder was first. Where nothing can be locked, nobody was.
    fn is_first(&mut self, folder: &Path) -> bool {
        if self.lock.is_none() {
            let Ok(lock) = File::create(folder.join(".framepackd.lock")) else {
                return true;
            };
            if matches!(lock.try_lock(), Err(TryLockError::WouldBlock)) {
                return false;
            }
            self.lock = Some(lock);
        }
        true
    }
}
