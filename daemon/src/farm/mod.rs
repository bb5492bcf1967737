//! Figures of the farm that are not the queue's: how much memory the machine has, and how much space its folders. Whoever asks gets what was found out last, and waits for no disk.

mod memory;
mod space;

pub(crate) use self::{memory::host_memory, space::Spaces};
