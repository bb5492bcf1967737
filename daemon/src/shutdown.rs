//! Shutdown: one trigger, and a signal by which every task hears of it.

use tokio::sync::watch;

/// Sends the signal, also when it is dropped.
#[derive(Debug)]
pub(crate) struct Trigger(watch::Sender<()>);

/// Resolves once the daemon shuts down; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Shutdown(watch::Receiver<()>);

impl Shutdown {
    pub(crate) fn new() -> (Trigger, Self) {
        let (sender, receiver) = watch::channel(());
        (Trigger(sender), Self(receiver))
    }

    /// Waits for the signal.
    pub(crate) async fn requested(&mut self) {
        // Nothing is ever sent: the only change is that the trigger is gone.
        while self.0.changed().await.is_ok() {}
    }
}

impl Trigger {
    /// Asks everything to shut down.
    pub(crate) fn pull(self) {
        drop(self.0);
    }
}
