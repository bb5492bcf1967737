//! Scaled dot-product attention: by the kernel that torch picks, or by a backend that was chosen.
//!
//! Which backend a job uses is one of the circumstances of its latents: each rounds in its own way. A job asks for a
//! mode (`mode`), which comes to a backend on a device (`resolved`). `choices` keeps what is used on a device for each
//! class of shapes.

mod backend;
mod choices;
mod class;
mod math;
mod measured;
mod mode;
mod resolved;
mod torch;
mod trial;

pub use self::{
    backend::{Backend, TorchKernels, UnknownBackend},
    choices::by_hand,
    class::Class,
    math::AttentionMemory,
    mode::{AttentionMode, UnknownMode},
    resolved::Resolved,
    torch::{attention, causal_attention},
};
pub(crate) use self::{
    choices::{Choices, lacking},
    class::dtype,
    resolved::{ON_A_PROCESSOR, asks_for},
};
