//! The job file (schema, validation) and the life of a job (states, transitions). No I/O.

mod failure;
mod id;
mod parameters;

pub use failure::{Failure, FailureClass};
pub use id::JobId;
pub use parameters::{Guidance, Model};
