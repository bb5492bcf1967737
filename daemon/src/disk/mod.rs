//! What the daemon does on file systems for its jobs: start images in, videos out, and the room for both.
//!
//! Every call here may take as long as a share that hangs. So it is made in a thread that may wait (`lanes`), and
//! whoever asked hears within a time limit that the share does not answer. Nobody else in the daemon touches the outputs
//! or the inputs.
//!
//! - `effects`: what can be asked for; in it `forget`: what goes with jobs that are removed
//! - `lanes`, `threads`, `pulse`: where it is done, and whether that gets on; `mounts`: which share a path lies on
//! - `inputs`: start images, opened beneath the configured roots and copied
//! - `outputs`: folders for videos, without links, and the reservation of their names
//! - `work`: what a run leaves for the next one; `space`: whether there is room; `measure`: what files take

mod effects;
mod inputs;
mod lanes;
mod measure;
mod mounts;
mod outputs;
mod pulse;
mod space;
mod threads;
mod work;

pub(crate) use self::{
    effects::{Disk, Ended, Leftovers, NotPrepared, Preparation},
    inputs::{Copies, ImageLook, Images, InputCopy, InputError},
    lanes::{LIMIT, Posted, Silent, SilentShares},
    measure::{PartOf, Sum, Tally, allocated_bytes},
    outputs::{Names, Owner, Reservation, Video},
    pulse::Pulse,
    space::{DiskFull, Needs},
};
