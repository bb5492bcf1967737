//! Scaled dot-product attention: by the kernel that torch picks, or by a backend that was chosen.
//!
//! Which backend a job uses is one of the circumstances of its latents: each rounds in its own way. `choices` keeps
//! what is used on a device for each class of shapes.

mod backend;
mod choices;
mod class;
mod torch;

pub(crate) use self::choices::Choices;
pub use self::{
    backend::{Backend, TorchKernels, UnknownBackend},
    class::Class,
    torch::{attention, causal_attention},
};
