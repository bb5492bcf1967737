//! From noise to latents: the schedule, the guidance and the solver of the probability-flow ODE.

mod denoiser;
mod guidance;
mod noise;
mod schedule;
mod sigmas;
mod unipc;

pub use denoiser::{Denoiser, Sampled};
pub use guidance::{Guided, guide, needs_negative};
pub use noise::NoiseStream;
pub use schedule::{HoistedSteps, ScheduleConditioning, steps_of};
pub use sigmas::{Shift, sigmas};
pub use unipc::unipc;
pub(crate) use unipc::{State as SolverState, integrate};
