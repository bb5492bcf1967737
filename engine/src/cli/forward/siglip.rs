//! `forward siglip`: the arguments of transformers' `SiglipVisionModel.forward`.

use framepack_engine::{vision::Siglip, weights::ModelSource};

use crate::cli::tensors::{Inputs, Outputs};

pub(super) fn forward(model: &ModelSource, inputs: &Inputs) -> anyhow::Result<Outputs> {
    let pixels = inputs.float("pixel_values")?;
    inputs.finish()?;

    let model = Siglip::open(model, inputs.device(), inputs.kind())?;
    Ok(vec![("last_hidden_state", model.forward(&pixels))])
}
