//! Cancellation: one source, and tokens by which every task notices that the daemon is to stop.

use tokio::sync::watch;

/// Cancels its [`CancellationToken`]s, also when it is dropped.
#[derive(Debug)]
pub(crate) struct CancellationSource(watch::Sender<()>);

/// Resolves once the daemon is to stop; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct CancellationToken(watch::Receiver<()>);

impl CancellationSource {
    pub(crate) fn new() -> (Self, CancellationToken) {
        let (sender, receiver) = watch::channel(());
        (Self(sender), CancellationToken(receiver))
    }

    /// Asks everything to stop.
    pub(crate) fn cancel(self) {
        drop(self.0);
    }
}

impl CancellationToken {
    /// Waits until the source cancels.
    pub(crate) async fn cancelled(&mut self) {
        // Nothing is ever sent: the only change is that the sender is gone.
        while self.0.changed().await.is_ok() {}
    }
}
