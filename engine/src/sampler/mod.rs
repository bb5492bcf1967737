//! From noise to latents: the schedule, the guidance and the solver of the probability-flow ODE.

mod denoiser;
mod guidance;
mod hoisted;
mod noise;
mod sigmas;
mod unipc;

pub use denoiser::{Denoiser, Hoisting, Prompts, Sampled, ScheduleEmbeddings};
pub use guidance::{guide, needs_negative};
pub use hoisted::HoistedCache;
pub use noise::NoiseStream;
pub use sigmas::{Shift, sigmas};
pub use unipc::unipc;
