//! What each device's worker said of itself when it became ready.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use framepack_ipc::worker::WorkerInfo;

/// By device, kept while a worker is replaced; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Announced(Arc<Mutex<BTreeMap<String, WorkerInfo>>>);

impl Announced {
    pub(super) fn note(&self, worker: &WorkerInfo) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(worker.device.clone(), worker.clone());
    }

    /// Those that have been ready, by device.
    pub(crate) fn all(&self) -> Vec<WorkerInfo> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.values().cloned().collect()
    }
}
