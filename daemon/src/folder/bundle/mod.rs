//! Bundles: a job file and its images as one, a folder `name.job`, or `name.zip` or `name.tar.zst`.
//!
//! An archive is unpacked below the state directory and removed there once it is answered; what is filed is the
//! archive itself. Whatever an archive says of paths, links and sizes is not trusted.

mod copy;
mod error;
mod job_file;
mod limits;
mod opened;
mod survey;
mod unpack;

pub(crate) use self::{
    copy::{copy, digest},
    error::BundleError,
    opened::Bundle,
    survey::Survey,
    unpack::unfinished,
};
