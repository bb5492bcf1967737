//! `forward COMPONENT`: one component on tensors from a file, so that anyone can compare it with the
//! reference implementation. Tensors carry the reference's argument names.

mod clip;
mod component;
mod llama;
mod sample;
mod sampling;
mod siglip;
pub(super) mod transformer;
mod vae;
mod video;

use clap::Subcommand;
use tch::Kind;

use self::component::{Common, Streamed};
use super::options::AttentionSwitches;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    switches: AttentionSwitches,
    #[command(subcommand)]
    component: ForwardComponent,
}

#[derive(Debug, Subcommand)]
enum ForwardComponent {
    /// Velocity of packed latents
    Transformer(transformer::Args),
    /// Latents of one section from noise
    Sample(Box<sample::Args>),
    /// Latents of a whole video, section by section, from the noise of each
    Video(Box<video::Args>),
    /// Pixels to the latents' distribution
    VaeEncode(vae::Args),
    /// Latents to pixels
    VaeDecode(vae::DecodeArgs),
    /// Token ids to the hidden states of the third-last layer
    Llama(Streamed),
    /// Token ids to one vector
    Clip(Common),
    /// Normalised pixels to one vector per patch
    Siglip(Streamed),
}

impl Args {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        self.switches.turn();
        match &self.component {
            ForwardComponent::Transformer(args) => args.run(),
            ForwardComponent::Sample(args) => args.run(),
            ForwardComponent::Video(args) => args.run(),
            ForwardComponent::VaeEncode(args) => args.run(),
            ForwardComponent::VaeDecode(args) => args.run(),
            ForwardComponent::Llama(args) => args.run(llama::forward),
            ForwardComponent::Clip(common) => common.run(Kind::Half, clip::forward),
            ForwardComponent::Siglip(args) => args.run(siglip::forward),
        }
    }
}
