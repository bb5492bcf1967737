//! What a job's attention comes to before the job runs, for its plan.

use framepack_jobs::settings::ATTENTION;
use tch::Device;

use super::{lacks::unless_refused, options::ModelOptions};
use crate::{
    error::Error,
    job::Job,
    nn::attention::{AttentionMemory, Choices, asks_for},
    transformer,
};

/// What is foreseen of a job's attention.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Foreseen {
    /// What it will have in memory.
    pub(super) memory: AttentionMemory,
    /// Whether the plan was made for something else.
    pub(super) is_unexpected: bool,
    /// That the mode does nothing, and why, if it does nothing.
    pub(super) inactive: Option<String>,
}

/// By what is kept for `device`. Refuses a job that itself asks for what the device lacks.
pub(super) fn foresee(
    job: &Job,
    tokens: u64,
    (device, options): (Device, &ModelOptions),
    choices: &mut Choices,
) -> Result<Foreseen, Error> {
    let config = transformer::Config::read(&job.transformer)?;
    let class = config.attention_class(options.transformer_kind(device), tokens);
    let mode = job.settings.attention.or(options.attention_mode);
    let resolved = match options.attention {
        Some(backend) => backend.into(),
        None => unless_refused(job, mode, choices.foresee(mode, &class)?)?,
    };
    let expected = options.expected_attention(device, job.settings.attention);
    let memory = resolved.backend.memory(device, &class)?;
    let does_nothing = !asks_for(mode, resolved.backend);
    let inactive = does_nothing.then(|| {
        let reason = resolved.reason.unwrap_or_else(|| {
            format!(
                "the worker's --attention-backend {} goes before it",
                resolved.backend
            )
        });
        format!("{}: inactive: {reason} ({mode})", ATTENTION.key)
    });
    Ok(Foreseen {
        memory,
        is_unexpected: memory != expected.memory(device, &class)?,
        inactive,
    })
}
