//! What the components have in common: where model, inputs and results are, and how the model is run.

use std::path::PathBuf;

use framepack_engine::{device, weights::ModelSource};
use tch::Kind;

use crate::cli::{
    options::{DeviceName, Dtype},
    split::SplitOptions,
    tensors::{self, Inputs, Outputs},
};

/// A component of blocks.
#[derive(Debug, clap::Args)]
pub(super) struct Streamed {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(flatten)]
    pub(super) split: SplitOptions,
}

/// Options of every component.
#[derive(Debug, clap::Args)]
pub(super) struct Common {
    /// The component's folder, or random:SEED:CONFIGDIR
    #[arg(long, value_name = "DIR")]
    pub(super) model: ModelSource,
    /// Safetensors file with the arguments
    #[arg(long, value_name = "FILE")]
    pub(super) inputs: PathBuf,
    /// Safetensors file to write the results to, as f32
    #[arg(long, value_name = "FILE")]
    pub(super) output: PathBuf,
    /// Dtype of weights and computation [default: f32 on the CPU; on CUDA bf16 for the transformer, else f16]
    #[arg(long)]
    pub(super) dtype: Option<Dtype>,
    /// `cpu` or `cuda:N`
    #[arg(long, default_value = "cpu")]
    pub(super) device: DeviceName,
}

impl Streamed {
    /// The same with the split of the blocks.
    pub(super) fn run(
        &self,
        forward: fn(&ModelSource, &Inputs, &SplitOptions) -> anyhow::Result<Outputs>,
    ) -> anyhow::Result<()> {
        self.common.run(Kind::Half, |model, inputs| {
            forward(model, inputs, &self.split)
        })
    }
}

impl Common {
    /// Reads the inputs, runs `forward` on them, writes what it returns.
    pub(super) fn run(
        &self,
        cuda_default: Kind,
        forward: impl FnOnce(&ModelSource, &Inputs) -> anyhow::Result<Outputs>,
    ) -> anyhow::Result<()> {
        let device = self.device.open()?;
        let kind = Dtype::or_default(self.dtype, device, cuda_default);
        let inputs = Inputs::read(&self.inputs, kind, device)?;
        let _no_grad = tch::no_grad_guard();
        let outputs = device::catch(|| Ok(forward(&self.model, &inputs)))??;
        tensors::write(&self.output, outputs)
    }
}
