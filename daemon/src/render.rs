//! From a job's record to the worker's request: which bundle, which paths.

use std::path::PathBuf;

use framepack_config::Models;
use framepack_ipc::worker::{Extent, RenderRequest};
use framepack_jobs::{
    BundleDefaults, Job, ValidSpec,
    settings::{Farm, Setting, for_worker, own_keys, used},
};

use crate::{lacking::DeviceLacks, record::Record, state_dir::Layout};

/// The daemon's part of every render request.
#[derive(Debug, Clone)]
pub(crate) struct Renderer {
    pub(crate) models: Models,
    /// Where videos go.
    pub(crate) outputs: PathBuf,
    pub(crate) layout: Layout,
    /// What the configuration sets for jobs.
    pub(crate) farm: Farm,
    /// What the model bundle prefers.
    pub(crate) bundle: BundleDefaults,
    /// What devices can't do.
    pub(crate) lacks: DeviceLacks,
}

impl Renderer {
    /// What the worker needs to know of the job.
    pub(crate) fn request(&self, record: &Record) -> RenderRequest {
        let (job, spec) = (&record.job, record.job.rendered_spec().into_owned());
        let settings = for_worker(job, &self.farm);
        RenderRequest {
            job: job.id,
            name: job.name.clone(),
            bundle: self.models.bundle.clone(),
            f1_bundle: self.models.f1_bundle.clone(),
            model: spec.model,
            image: record.private.input.clone(),
            image_name: job.image.clone(),
            prompt: spec.prompt,
            negative_prompt: spec.negative_prompt,
            seed: job.seed,
            length_secs: spec.length.secs,
            steps: spec.steps,
            guidance: spec.guidance,
            bucket: spec.size.bucket,
            latent_window: spec.latent_window,
            crf: spec.output.crf,
            own: own_keys(job, &settings),
            settings,
            output: job.output.clone(),
            work_dir: self.layout.work(job.id),
            rung: job.runs.rung,
            host_rung: record.private.host_rung,
            precaution: record.private.precaution,
            extent: if job.runs.keep_sections {
                Extent::FinishedSections
            } else {
                Extent::Whole
            },
        }
    }

    /// The settings that the job's run has now on this device, and where each comes from.
    pub(crate) fn settings(&self, record: &Record, device: &str) -> Vec<Setting> {
        let farm = self.farm.clone().on(self.lacks.of(device));
        used(&record.job, &farm, &self.bundle)
    }

    /// The settings that a job would have if it began now, on a device of which only what all lack is known.
    pub(crate) fn foreseen_settings(&self, job: &Job) -> Vec<Setting> {
        let farm = self.farm.clone().on(self.lacks.of_all());
        used(job, &farm, &self.bundle)
    }

    /// The folder and the stem of the video's name.
    pub(crate) fn output(&self, spec: &ValidSpec, name: &str, seed: u64) -> (PathBuf, String) {
        (
            // Component by component: joined with nothing, a path would end in a slash.
            self.outputs
                .components()
                .chain(spec.output.dir.components())
                .collect(),
            spec.output.name.fill(name, seed),
        )
    }
}
