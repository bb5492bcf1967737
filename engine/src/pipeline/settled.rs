//! What a run decided for itself and its bits depend on.

use framepack_ipc::worker::Precaution;

use crate::{
    checkpoint::RunSettings, job::Job, models::Models, nn::attention::Backend, plan::Ladder,
};

/// What holds for the sections that are made now.
pub(super) fn settled(
    job: &Job,
    models: &Models,
    ladder: &Ladder,
    attention_backend: Backend,
) -> RunSettings {
    RunSettings {
        dtype: models.transformer_kind(),
        vae_dtype: models.vae_kind(),
        attention: match job.precaution {
            Precaution::None => "torch's choice",
            Precaution::Numerics => "not torch's choice",
        },
        attention_backend,
        rung: ladder.rung(),
        tiling: models.tiling(),
    }
}
