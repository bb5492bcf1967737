//! `forward llama`: the arguments of transformers' `LlamaModel.forward`.

use framepack_engine::{text::Llama, weights::ModelSource};

use crate::cli::tensors::{Inputs, Outputs};

pub(super) fn forward(model: &ModelSource, inputs: &Inputs) -> anyhow::Result<Outputs> {
    let ids = inputs.indices("input_ids")?;
    let mask = inputs.mask_or_none("attention_mask");
    inputs.finish()?;

    let model = Llama::open(model, inputs.device(), inputs.kind())?;
    Ok(vec![("hidden_states", model.forward(&ids, mask.as_ref()))])
}
