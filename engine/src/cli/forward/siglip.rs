//! `forward siglip`: the arguments of transformers' `SiglipVisionModel.forward`.

use framepack_engine::{vision::Siglip, weights::ModelSource};

use crate::cli::{
    split::SplitOptions,
    tensors::{Inputs, Outputs},
};

pub(super) fn forward(
    model: &ModelSource,
    inputs: &Inputs,
    split: &SplitOptions,
) -> anyhow::Result<Outputs> {
    let pixels = inputs.float("pixel_values")?;
    inputs.finish()?;

    let memory = split.memory(inputs.device());
    let model = Siglip::open(model, &memory, inputs.kind())?;
    split.place(model.layers())?;
    Ok(vec![("last_hidden_state", model.forward(&pixels))])
}
