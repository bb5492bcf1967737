//! What the daemon does on file systems for its jobs: start images in, videos out, and the room for both.
//!
//! Every call here may take as long as a share that hangs. So it is made in a thread of that share (`lanes`), and
//! whoever asked hears within a time limit that the share does not answer. Nobody else in the daemon touches the
//! outputs, the inputs or the work folders.
//!
//! - `effects`: what can be asked for; `lanes`, `mounts`: the threads, and which path is which one's
//! - `inputs`: start images, opened beneath the configured roots and copied
//! - `outputs`: folders for videos, without links, and the reservation of their names
//! - `work`: what a run leaves for the next one; `space`: whether there is room

mod effects;
mod inputs;
mod lanes;
mod mounts;
mod outputs;
mod space;
mod work;

pub(crate) use self::{
    effects::{Disk, Ended, NotPrepared, Preparation},
    inputs::{Copies, ImageLook, Images, InputError},
    lanes::{Posted, Pulse, SilentShares},
    outputs::{Names, Owner},
    space::{DiskFull, Needs},
};
