//! Start images: looked at beneath the configured roots, and copied into the state directory, so that what was checked
//! is what is rendered, whatever happens to the original.
//!
//! - `roots`: which files may be read, and how; `spelling`: as which other name an image may be there; `images`: the same within the time limit of the share that they lie on

mod error;
mod images;
mod roots;
mod spelling;

pub(super) use self::roots::{Inputs, remove};
pub(crate) use self::{
    error::InputError,
    images::{Copies, Images},
    roots::{ImageLook, InputCopy},
};
