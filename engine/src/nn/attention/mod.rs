//! Scaled dot-product attention: by the kernel that torch picks, or by a backend that was chosen.
//!
//! Which backend a job uses is one of the circumstances of its latents: each rounds in its own way.

mod backend;
mod class;
mod torch;

pub use self::{
    backend::{Backend, UnknownBackend},
    class::Class,
    torch::{attention, causal_attention},
};
