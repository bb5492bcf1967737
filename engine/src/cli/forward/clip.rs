//! `forward clip`: the arguments of transformers' `CLIPTextModel.forward`.

use framepack_engine::{text::Clip, weights::ModelSource};

use crate::cli::tensors::{Inputs, Outputs};

pub(super) fn forward(model: &ModelSource, inputs: &Inputs) -> anyhow::Result<Outputs> {
    let ids = inputs.indices("input_ids")?;
    inputs.finish()?;

    let model = Clip::open(model, inputs.device(), inputs.kind())?;
    Ok(vec![("pooler_output", model.forward(&ids))])
}
