//! Figures of the farm that are not the queue's: how fast running jobs are, how much memory the machine has, how much
//! space its folders. Whoever asks gets what was found out last, and waits for no disk.

mod memory;
mod pace;
mod space;

pub(crate) use self::{memory::host_memory, pace::Paces, space::Spaces};
