//! The wish to stop, seen by every task.

use tokio::sync::watch;

/// Tells every [`Shutdown`] when it is dropped.
#[derive(Debug)]
pub(crate) struct Trigger(watch::Sender<()>);

/// Resolves once the daemon is to stop; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Shutdown(watch::Receiver<()>);

impl Trigger {
    pub(crate) fn new() -> (Self, Shutdown) {
        let (trigger, shutdown) = watch::channel(());
        (Self(trigger), Shutdown(shutdown))
    }

    /// Asks everything to stop.
    pub(crate) fn fire(self) {
        drop(self.0);
    }
}

impl Shutdown {
    /// Waits for the wish to stop.
    pub(crate) async fn requested(&mut self) {
        // Nothing is ever sent: the only change is that the sender is gone.
        while self.0.changed().await.is_ok() {}
    }
}
