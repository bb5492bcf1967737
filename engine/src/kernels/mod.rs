//! Operations of the transformer that are more than one of torch's: what a device could do in one pass over memory.
//!
//! Each is a file with the function that blocks call, written in torch's operations. A CUDA source stands beside its
//! function, which then chooses by the device; torch's operations stay, for all other devices and as what the source
//! is tested against.

mod gate;
mod modulate;
mod rotate;

pub(crate) use self::{gate::add_gated, modulate::modulated_norm, rotate::rotate_pairs};
