//! `forward vae-encode` and `forward vae-decode`: diffusers' `AutoencoderKLHunyuanVideo`.

use framepack_engine::{
    vae::{Tiling, Vae},
    weights::ModelSource,
};
use tch::Kind;

use super::component::Common;
use crate::cli::tensors::{Inputs, Outputs};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
    /// Split large frames into tiles, as diffusers does with `enable_tiling`
    #[arg(long)]
    tiling: bool,
}

impl Args {
    pub(super) fn run(
        &self,
        forward: fn(&ModelSource, &Inputs, Tiling) -> anyhow::Result<Outputs>,
    ) -> anyhow::Result<()> {
        let tiling = if self.tiling {
            Tiling::TimeAndSpace
        } else {
            Tiling::Time
        };
        self.common
            .run(Kind::Half, |model, inputs| forward(model, inputs, tiling))
    }
}

pub(super) fn encode(
    model: &ModelSource,
    inputs: &Inputs,
    tiling: Tiling,
) -> anyhow::Result<Outputs> {
    let pixels = inputs.float("pixels")?;
    inputs.finish()?;

    let vae = Vae::open(model, inputs.device(), inputs.kind())?;
    let posterior = vae.encode(&pixels, tiling);
    Ok(vec![("mean", posterior.mean), ("logvar", posterior.logvar)])
}

pub(super) fn decode(
    model: &ModelSource,
    inputs: &Inputs,
    tiling: Tiling,
) -> anyhow::Result<Outputs> {
    let latents = inputs.float("latents")?;
    inputs.finish()?;

    let vae = Vae::open(model, inputs.device(), inputs.kind())?;
    Ok(vec![("sample", vae.decode(&latents, tiling))])
}
