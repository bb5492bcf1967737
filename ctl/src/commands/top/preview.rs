//! What a running job looks like so far: a picture that is asked for where there is room for it.

use std::sync::{Arc, Mutex, PoisonError};

use base64::{Engine, prelude::BASE64_STANDARD};
use framepack_ipc::preview::Preview;
use framepack_jobs::JobId;

use crate::terminal::picture::Picture;

/// A picture, and what it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) job: JobId,
    pub(super) of: String,
    pub(super) picture: Picture,
}

impl Shown {
    /// `None`: it is no picture that can be drawn.
    pub(super) fn of(job: JobId, preview: &Preview) -> Option<Self> {
        let data = BASE64_STANDARD.decode(&preview.data).ok()?;
        Some(Self {
            job,
            of: preview.of.clone(),
            picture: Picture::from_png(&data).ok()?,
        })
    }
}

/// The job whose picture is wanted; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted(Arc<Mutex<Option<JobId>>>);

impl Wanted {
    pub(super) fn set(&self, job: Option<JobId>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = job;
    }

    pub(super) fn get(&self) -> Option<JobId> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
