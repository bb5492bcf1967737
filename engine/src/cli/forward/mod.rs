//! `forward COMPONENT`: one component on tensors from a file, so that anyone can compare it with the
//! reference implementation. Tensors carry the reference's argument names.

mod clip;
mod llama;
mod sample;
mod siglip;
pub(super) mod transformer;
mod vae;

use std::path::PathBuf;

use clap::Subcommand;
use framepack_engine::{device, weights::ModelSource};
use tch::Kind;

use super::{
    options::{DeviceName, Dtype},
    split::Split,
    tensors::{self, Inputs, Outputs},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    component: ForwardComponent,
}

#[derive(Debug, Subcommand)]
enum ForwardComponent {
    /// Velocity of packed latents
    Transformer(transformer::Args),
    /// Latents of one section from noise
    Sample(sample::Args),
    /// Pixels to the latents' distribution
    VaeEncode(vae::Args),
    /// Latents to pixels
    VaeDecode(vae::Args),
    /// Token ids to the hidden states of the third-last layer
    Llama(Streamed),
    /// Token ids to one vector
    Clip(Common),
    /// Normalised pixels to one vector per patch
    Siglip(Streamed),
}

/// A component of blocks.
#[derive(Debug, clap::Args)]
struct Streamed {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    split: Split,
}

/// Options of every component.
#[derive(Debug, clap::Args)]
struct Common {
    /// The component's folder, or random:SEED:CONFIGDIR
    #[arg(long, value_name = "DIR")]
    model: ModelSource,
    /// Safetensors file with the arguments
    #[arg(long, value_name = "FILE")]
    inputs: PathBuf,
    /// Safetensors file to write the results to, as f32
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// Dtype of weights and computation [default: f32 on the CPU; on CUDA bf16 for the transformer, else f16]
    #[arg(long)]
    dtype: Option<Dtype>,
    /// `cpu` or `cuda:N`
    #[arg(long, default_value = "cpu")]
    device: DeviceName,
}

impl Args {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        match &self.component {
            ForwardComponent::Transformer(args) => args.run(),
            ForwardComponent::Sample(args) => args.run(),
            ForwardComponent::VaeEncode(args) => args.run(vae::encode),
            ForwardComponent::VaeDecode(args) => args.run(vae::decode),
            ForwardComponent::Llama(args) => args.run(llama::forward),
            ForwardComponent::Clip(common) => common.run(Kind::Half, clip::forward),
            ForwardComponent::Siglip(args) => args.run(siglip::forward),
        }
    }
}

impl Streamed {
    fn run(
        &self,
        forward: fn(&ModelSource, &Inputs, &Split) -> anyhow::Result<Outputs>,
    ) -> anyhow::Result<()> {
        self.common.run(Kind::Half, |model, inputs| {
            forward(model, inputs, &self.split)
        })
    }
}

impl Common {
    /// Reads the inputs, runs `forward` on them, writes what it returns.
    fn run(
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
