//! The configuration that the daemon runs with: what it was started with, and what reloads have taken over since.

use std::{future::pending, sync::Arc};

use framepack_config::{Config, Loaded};
use tokio::sync::watch;

/// The configuration as it is now; cheap to clone. Whoever needs a setting asks for it when it counts, so that another
/// value is for the next time.
#[derive(Debug, Clone)]
pub(crate) struct RunningConfig(watch::Receiver<Arc<Loaded>>);

impl RunningConfig {
    /// Begins with this. Returns the way to replace it, too.
    pub(crate) fn begin(loaded: Loaded) -> (watch::Sender<Arc<Loaded>>, Self) {
        let (replace, running) = watch::channel(Arc::new(loaded));
        (replace, Self(running))
    }

    /// One that is never replaced.
    pub(crate) fn fixed(config: &Config) -> Self {
        let loaded = Loaded {
            config: config.clone(),
            settings: Vec::new(),
            notices: Vec::new(),
        };
        Self::begin(loaded).1
    }

    pub(crate) fn now(&self) -> Arc<Loaded> {
        Arc::clone(&self.0.borrow())
    }

    /// Waits until it is replaced. Safe to use in `select!`.
    pub(crate) async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            // Nobody is left who could replace it.
            pending::<()>().await;
        }
    }
}
