//! The section loop as tests run it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::*;

/// A test that draws noise waits for the others here, since libtorch has one generator for all threads.
pub(super) fn generator() -> MutexGuard<'static, ()> {
    static GENERATOR: Mutex<()> = Mutex::new(());
    tch::set_num_threads(1); // several would wait for each other on a busy machine
    GENERATOR.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a section loop begins with.
pub(super) struct Start<'a> {
    pub(super) job: &'a Job,
    pub(super) opening: &'a Opening,
    pub(super) found: &'a ResumePoint,
}

/// What a section loop does otherwise than a processor's plan says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Nothing,
    /// Every tile is decoded.
    NoRecurringTiles,
    /// Frames of a section are kept while the next one is sampled.
    Overlap,
}

/// Runs the section loop of a job whose models are placed.
pub(super) fn run_sections(
    pipeline: &mut Pipeline,
    start: &Start<'_>,
    progress: &mut ProgressReporter<'_>,
) -> Result<(Video, Ladder), Error> {
    let Start {
        job,
        opening,
        found,
    } = start;
    let files = EncoderFiles::of(&job.bundle).unwrap();
    let mut frames = KeptFrames::new(&job.output.work_dir, job.sampling.sections.order);
    frames.find(&found.checksums);
    let mut checkpoints = pipeline.checkpoints(job, files).unwrap();
    checkpoints.find(job.sampling.sections.sections.len()); // unfinished steps are of the section behind these
    let run = Run {
        job,
        checkpoints: &mut checkpoints,
        previews: &mut Previews::new(job),
        platform: &pipeline.platform,
        models: &mut pipeline.models,
        sizes: &mut pipeline.sizes,
        peak: &mut JobPeak::begin(Device::Cpu),
        attention: &Decision {
            backend: Backend::Torch,
            torch_kernels: TorchKernels::Any,
            chosen_by: ChosenBy::Device,
            mode: AttentionMode::Auto,
            reason: None,
            warning: None,
        },
        frames,
        progress,
    };
    Generation::new(run, opening, Ladder::at(0, 0)).run(found)
}

/// Puts the models where the job's plan says, or this.
pub(super) fn place(pipeline: &mut Pipeline, job: &Job, change: Change) {
    let relief = Ladder::at(0, 0).relief();
    pipeline.models.place(job, relief).unwrap();
    pipeline.models.change_placement(|placement| match change {
        Change::Nothing => {}
        Change::NoRecurringTiles => placement.recurring_bytes = 0,
        Change::Overlap => placement.overlap = Ok(()),
    });
    let files = EncoderFiles::of(&job.bundle).unwrap();
    pipeline.models.select(&job.bundle, files);
}
