//! Signs of life of work that may hang.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The last sign of life; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pulse(Arc<Mutex<Option<Instant>>>);

impl Pulse {
    /// Long work gets on.
    pub(crate) fn beat(&self) {
        self.set(Some(Instant::now()));
    }

    /// The work is done.
    pub(crate) fn rest(&self) {
        self.set(None);
    }

    fn set(&self, beat: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = beat;
    }

    /// How long nothing has been heard of the work.
    pub(super) fn silence(&self) -> Duration {
        let beat = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        beat.map_or(Duration::ZERO, |beat| beat.elapsed())
    }
}

/// Threads that tell that they get on.
#[derive(Debug, Default)]
pub(super) struct Guarded(Mutex<Vec<(PathBuf, Pulse)>>);

impl Guarded {
    pub(super) fn add(&self, path: &Path) -> Pulse {
        let pulse = Pulse::default();
        let guarded = (path.to_owned(), pulse.clone());
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(guarded);
        pulse
    }

    /// Those of which nothing has been heard for so long.
    pub(super) fn silent_for(&self, limit: Duration) -> Vec<PathBuf> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let silent = all.iter().filter(|(_, pulse)| pulse.silence() >= limit);
        silent.map(|(path, _)| path.clone()).collect()
    }
}
