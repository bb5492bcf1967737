//! What may be a job, asked whether it is finished: a file, a folder, and a folder with what none may have.

use std::path::Path;

use super::settle::Candidate;
use crate::folder::{
    bundle::{self, Survey},
    dropped::{self, Form, JobText, is_open_for_writing},
};

/// A job file or an archive.
pub(super) struct DroppedFile<'a>(pub(super) &'a Path);

impl Candidate for DroppedFile<'_> {
    fn unfinished(&self) -> Option<String> {
        match self.0.file_name().and_then(dropped::form) {
            Some(form @ (Form::Zip | Form::TarZst)) => bundle::unfinished(self.0, form),
            _ => match JobText::read(self.0) {
                Ok(job) => dropped::unfinished(&job.text),
                Err(error) => Some(error.to_string()),
            },
        }
    }

    fn is_open(&self) -> bool {
        is_open_for_writing(self.0)
    }
}

impl Candidate for Survey<'_> {
    fn unfinished(&self) -> Option<String> {
        self.unfinished()
    }

    fn is_open(&self) -> bool {
        self.is_open()
    }
}

/// A bundle in which there is what none may have.
pub(super) struct InvalidBundle(pub(super) String);

impl Candidate for InvalidBundle {
    fn unfinished(&self) -> Option<String> {
        Some(self.0.clone())
    }

    fn is_open(&self) -> bool {
        false
    }
}
