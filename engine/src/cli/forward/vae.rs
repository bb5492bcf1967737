//! `forward vae-encode` and `forward vae-decode`: diffusers' `AutoencoderKLHunyuanVideo`.

use framepack_engine::{
    SpaceTiling,
    plan::decode_scheme,
    vae::{Config, DecodeCost, Vae},
    weights::ModelSource,
};
use tch::Kind;

use super::component::Common;
use crate::cli::{
    options::ModelKernels,
    tensors::{Inputs, Outputs},
    vae_flags::VaeFlags,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
    /// Split large frames into tiles, as diffusers does with `enable_tiling`
    #[arg(long)]
    tiling: bool,
    #[command(flatten)]
    kernels: ModelKernels,
}

#[derive(Debug, clap::Args)]
pub(super) struct DecodeArgs {
    #[command(flatten)]
    args: Args,
    #[command(flatten)]
    flags: VaeFlags,
}

impl Args {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let encode = |model: &ModelSource, inputs: &Inputs| self.encode(model, inputs);
        self.common.run(Kind::Half, encode)
    }

    fn encode(&self, model: &ModelSource, inputs: &Inputs) -> anyhow::Result<Outputs> {
        let pixels = inputs.float("pixels")?;
        inputs.finish()?;

        let posterior = self.vae(model, inputs)?.encode(&pixels, self.space());
        Ok(vec![("mean", posterior.mean), ("logvar", posterior.logvar)])
    }

    fn vae(&self, model: &ModelSource, inputs: &Inputs) -> anyhow::Result<Vae> {
        let vae = Vae::open(model, inputs.device(), inputs.kind())?;
        Ok(self.kernels.vae(vae, inputs.device()))
    }

    fn space(&self) -> SpaceTiling {
        if self.tiling {
            SpaceTiling::Reference
        } else {
            SpaceTiling::Whole
        }
    }
}

impl DecodeArgs {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let decode = |model: &ModelSource, inputs: &Inputs| self.decode(model, inputs);
        self.args.common.run(Kind::Half, decode)
    }

    fn decode(&self, model: &ModelSource, inputs: &Inputs) -> anyhow::Result<Outputs> {
        let latents = inputs.float("latents")?;
        inputs.finish()?;

        let config = Config::read(model.config_dir())?;
        let size = latents.size();
        let ratio = config.spatial_compression_ratio;
        let cost = DecodeCost {
            config: &config,
            kind: inputs.kind(),
            size_px: [size[4], size[3]].map(|side| (side * ratio).unsigned_abs()),
            latent_frames: size[2].unsigned_abs(),
            scheme: self.args.space().into(),
            kernels: self.args.kernels.kernel_use(),
        };
        let scheme = decode_scheme(self.flags.settings(), cost, inputs.device());
        let vae = self.args.vae(model, inputs)?;
        Ok(vec![("sample", vae.decode(&latents, scheme))])
    }
}
