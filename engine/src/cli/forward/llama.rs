//! `forward llama`: the arguments of transformers' `LlamaModel.forward`.

use framepack_engine::{text::Llama, weights::ModelSource};

use crate::cli::{
    split::SplitOptions,
    tensors::{Inputs, Outputs},
};

pub(super) fn forward(
    model: &ModelSource,
    inputs: &Inputs,
    split: &SplitOptions,
) -> anyhow::Result<Outputs> {
    let ids = inputs.indices("input_ids")?;
    let mask = inputs.mask_or_none("attention_mask");
    inputs.finish()?;

    let memory = split.memory(inputs.device());
    let model = Llama::open(model, &memory, inputs.kind())?;
    split.place(model.layers())?;
    Ok(vec![("hidden_states", model.forward(&ids, mask.as_ref()))])
}
