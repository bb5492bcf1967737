//! The noise of a job: one stream for all its sections.

use tch::{Device, Kind, Tensor};

/// Draws from libtorch's CPU generator, seeded once for each job: equal seeds give the numbers of
/// `torch.Generator("cpu").manual_seed(seed)`.
///
/// libtorch has one CPU generator for the whole process, so nothing else may draw while a stream is in use.
/// Nothing does: the models have no dropout, and the start image's latent is the mean of its posterior.
#[derive(Debug)]
pub struct NoiseStream(());

impl NoiseStream {
    /// Starts the stream of a seed.
    pub fn new(seed: u64) -> Self {
        tch::manual_seed(seed as i64);
        Self(())
    }

    /// The next section's noise, f32 on the CPU, normally distributed.
    pub fn next(&mut self, shape: &[i64]) -> Tensor {
        Tensor::randn(shape, (Kind::Float, Device::Cpu))
    }
}
