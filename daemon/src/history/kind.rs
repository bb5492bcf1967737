//! What of a job decides how long it takes, as far as that is known before it begins.

use framepack_jobs::{BundleDefaults, Job, Model, Settings};

/// Jobs of one kind take equally long on one device.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Kind {
    pub(super) model: Model,
    /// Side in pixels of the square with about the video's area.
    pub(super) bucket_px: u32,
    /// Wanted length, which decides the number of sections.
    pub(super) length_millis: u64,
    pub(super) latent_window: u32,
    /// Steps of a section.
    pub(super) steps: u32,
    /// With real guidance the model runs twice a step.
    pub(super) is_guided: bool,
    /// What is set of the step cache.
    pub(super) cache: String,
    /// What is set of all else that may change the time: types of weights, memory, decoding, attention.
    pub(super) options: String,
}

impl Kind {
    /// The kind of a job, with what its bundle says where the job does not.
    pub(crate) fn of(job: &Job, bundle: &BundleDefaults) -> Self {
        let spec = job.rendered_spec();
        Self {
            model: spec.model,
            bucket_px: spec.size.bucket.unwrap_or(bundle.bucket_px),
            length_millis: (spec.length.secs * 1000.0).round() as u64,
            latent_window: spec.latent_window.unwrap_or(bundle.latent_window),
            steps: spec.steps.unwrap_or(bundle.steps),
            is_guided: spec.guidance.cfg > 1.0,
            cache: written(&spec.settings, |key| key.starts_with("cache.")),
            options: written(&spec.settings, |key| {
                // What the picture is laid upon takes no time.
                !key.starts_with("cache.") && !key.starts_with("start.")
            }),
        }
    }
}

/// Settings as one text: equal for equal settings.
fn written(settings: &Settings, is_meant: impl Fn(&str) -> bool) -> String {
    let meant = settings.iter().filter(|(key, _)| is_meant(key));
    meant
        .map(|(key, value)| format!("{key}={value};"))
        .collect()
}
