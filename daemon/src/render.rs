//! From a job's record to the worker's request: which bundle, which paths.

use std::{collections::BTreeSet, ffi::OsString, fs, io, path::PathBuf};

use framepack_config::Models;
use framepack_ipc::worker::RenderRequest;
use framepack_jobs::{Job, JobId, ValidSpec};

use crate::{
    disk::DiskSpace,
    outputs::{
        FolderError, make_folder,
        reservation::{Owner, Reservation},
    },
    record::Record,
    state_dir::Layout,
};

/// Names of what a worker leaves in the work folder for another run begin with this.
const CHECKPOINTS: &str = "checkpoint";

/// The daemon's part of every render request.
#[derive(Debug, Clone)]
pub(crate) struct Renderer {
    models: Models,
    outputs: PathBuf,
    owner: Owner,
    layout: Layout,
    reserve_bytes: u64,
}

impl Renderer {
    pub(crate) fn new(models: Models, outputs: PathBuf, owner: Owner, layout: Layout) -> Self {
        Self {
            models,
            outputs,
            owner,
            layout,
            reserve_bytes: 0,
        }
    }

    /// The same, which keeps so much space free beside what a job needs.
    #[must_use]
    pub(crate) fn reserving(self, reserve_mib: u64) -> Self {
        let reserve_bytes = reserve_mib << 20;
        Self {
            reserve_bytes,
            ..self
        }
    }

    /// The disks that jobs write to.
    pub(crate) fn room(&self) -> DiskSpace {
        DiskSpace {
            work: self.layout.inputs(),
            outputs: self.outputs.clone(),
            reserve_bytes: self.reserve_bytes,
        }
    }

    /// What the worker needs to know of the job.
    pub(crate) fn request(&self, record: &Record) -> RenderRequest {
        let (job, spec) = (&record.job, record.job.rendered_spec().into_owned());
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
            settings: spec.settings,
            output: job.output.clone(),
            work_dir: self.layout.work(job.id),
            rung: job.runs.rung,
            precaution: record.private.precaution,
        }
    }

    /// Makes the folders that the request names.
    pub(crate) fn prepare(&self, job: &Job) -> Result<(), FolderError> {
        let work = self.layout.work(job.id);
        fs::create_dir_all(&work).map_err(|error| FolderError::Create { path: work, error })?;
        make_folder(&self.outputs, &job.spec.output.dir)
    }

    /// Reserves the name of the job's video.
    pub(crate) fn reserve(&self, job: &Job) -> Result<Reservation, FolderError> {
        let reserved = self.owner.reserve(&job.output, job.id);
        reserved.map_err(|error| FolderError::Reservation {
            path: job.output.clone(),
            error,
        })
    }

    /// The job has ended: its name is free, unless its video has it.
    pub(crate) fn release(&self, job: &Job) {
        self.owner.release(&job.output, job.id);
    }

    /// Does that for the jobs of an earlier daemon: those among `ended`.
    pub(crate) fn release_all(&self, ended: &[&Job]) {
        let folders: BTreeSet<_> = ended.iter().filter_map(|job| job.output.parent()).collect();
        let ids: BTreeSet<JobId> = ended.iter().map(|job| job.id).collect();
        for folder in folders {
            self.owner.sweep(folder, |job| ids.contains(&job));
        }
    }

    /// Removes what only another run of the job would need.
    pub(crate) fn clear_checkpoints(&self, job: JobId) {
        // Not there: the job has never begun.
        let Ok(entries) = fs::read_dir(self.layout.work(job)) else {
            return;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            if !entry.file_name().to_string_lossy().starts_with(CHECKPOINTS) {
                continue;
            }
            let removed = if path.is_dir() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            if let Err(error) = removed {
                tracing::warn!(path = %path.display(), %error, "removing a checkpoint");
            }
        }
    }

    /// The folder and the stem of the video's name.
    pub(crate) fn output(&self, spec: &ValidSpec, name: &str, seed: u64) -> (PathBuf, String) {
        (
            self.outputs.join(&spec.output.dir),
            spec.output.name.fill(name, seed),
        )
    }
}

/// Removes what a worker that was killed left beside the video: the worker writes to `.NAME.part` first.
pub(crate) fn clear_leftovers(job: &Job) {
    let mut part = OsString::from(".");
    part.push(job.output.file_name().unwrap_or_default());
    part.push(".part");
    let part = job.output.with_file_name(part);
    if let Err(error) = fs::remove_file(&part)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %part.display(), %error, "removing an unfinished video");
    }
}
