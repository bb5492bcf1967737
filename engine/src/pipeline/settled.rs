//! What a run decided for itself and its bits depend on.

use super::attention::Decision;
use crate::{checkpoint::RunSettings, models::Models, plan::Ladder};

/// What holds for the sections that are made now.
pub(super) fn settled(models: &Models, ladder: &Ladder, attention: &Decision) -> RunSettings {
    RunSettings {
        dtype: models.transformer_kind(),
        vae_dtype: models.vae_kind(),
        torch_kernels: attention.torch_kernels,
        attention_backend: attention.backend,
        attention_mode: attention.mode,
        rung: ladder.rung(),
        decoding: models.decode_scheme(),
        step_cache: models.placement().step_cache,
        kernels: models.kernels(),
        lacks_compiler: models.lacks_compiler(),
    }
}
