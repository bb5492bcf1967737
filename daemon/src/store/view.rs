//! The store as `framepackctl state` sees it, beside the queue that writes it.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use framepack_ipc::{control::Note, state::StateReport};
use tokio::task;

use super::{
    disk::Disk,
    error::StoreError,
    location::Location,
    repairs,
    report::{peek, report},
};
use crate::record::Record;

/// A look at the open store; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct StoreView {
    disk: Arc<Mutex<Disk>>,
    location: Location,
}

impl StoreView {
    pub(super) fn new(disk: Arc<Mutex<Disk>>, location: Location) -> Self {
        Self { disk, location }
    }

    /// Compares database and journal.
    pub(crate) async fn check(&self) -> Result<StateReport, StoreError> {
        self.on_disk(Disk::report).await
    }

    /// Opens the database again and makes the two agree.
    pub(crate) async fn repair(&self) -> Result<StateReport, StoreError> {
        let location = self.location.clone();
        self.on_disk(move |disk| {
            let repaired = disk.reopen()?;
            repairs::add(&location, repaired.into_iter().map(repairs::repaired))?;
            disk.report()
        })
        .await
    }

    /// What was repaired and not acknowledged.
    pub(crate) fn repairs(&self) -> Vec<Note> {
        repairs::read(&self.location)
    }

    /// A user has taken notice of the repairs.
    pub(crate) fn acknowledge(&self) -> Result<(), StoreError> {
        acknowledge(&self.location)
    }

    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Disk) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let disk = Arc::clone(&self.disk);
        in_thread(move || work(&mut disk.lock().unwrap_or_else(PoisonError::into_inner))).await
    }
}

/// A user has taken notice of the repairs.
pub(crate) fn acknowledge(location: &Location) -> Result<(), StoreError> {
    Ok(repairs::forget(location)?)
}

/// The report on a store that is closed.
pub(crate) async fn report_of_journal(location: Location) -> Result<StateReport, StoreError> {
    in_thread(move || report(&location, &peek(&location)?)).await
}

/// What the journal has of a store that is closed.
pub(crate) async fn records_of_journal(location: Location) -> Result<Vec<Record>, StoreError> {
    let read = in_thread(move || peek(&location)).await?;
    let entries = read.latest.into_values();
    Ok(entries
        .filter_map(|entry| entry.record.map(|record| *record))
        .collect())
}

async fn in_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let done = task::spawn_blocking(work).await;
    done.unwrap_or_else(|panic| Err(StoreError::Io(io::Error::other(panic))))
}
