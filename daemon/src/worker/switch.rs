//! `gpu enable`: how a disabled device's supervisor hears that it may be used again.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::Notify;

/// The devices' switches; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Switches(Arc<BTreeMap<String, Arc<Notify>>>);

/// One device's switch, as its supervisor sees it.
#[derive(Debug)]
pub(super) struct Switch(Arc<Notify>);

impl Switches {
    /// Switches for these devices, and each one's other side.
    pub(super) fn new<'a>(devices: impl Iterator<Item = &'a str>) -> (Self, Vec<Switch>) {
        let (named, sides) = devices
            .map(|device| {
                let notify = Arc::new(Notify::new());
                ((device.to_owned(), Arc::clone(&notify)), Switch(notify))
            })
            .unzip();
        (Self(Arc::new(named)), sides)
    }

    /// Enables a disabled device; has one that waits until the farm is mended tried at once.
    pub(crate) fn enable(&self, device: &str) {
        if let Some(switch) = self.0.get(device) {
            switch.notify_one();
        }
    }
}

impl Switch {
    /// Waits until a user enables the device, or wants it tried.
    pub(super) async fn enabled(&self) {
        self.0.notified().await;
    }
}
