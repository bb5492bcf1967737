//! One section from noise to latents, step by step; a section that was begun goes on behind its newest kept step.

use std::{cell::RefCell, ops::ControlFlow, rc::Rc};

use framepack_ipc::worker::Phase;
use framepack_jobs::SectionSteps;
use tch::{Device, Tensor};

use super::{
    course::{Course, steps_made},
    pending::Pending,
    run::Run,
    timelines::caches,
};
use crate::{
    checkpoint::{Keeping, Provenance},
    device::{Activity, WorkClock},
    error::Error,
    previews::StepPlace,
    progress::stopped,
    sampler::{
        Denoiser, Guided, Sampled, ScheduleConditioning, Shift, SolverState, integrate, sigmas,
    },
    transformer::{Conditioning, Context},
};

/// What all sections are sampled with.
pub(super) struct Sampling<'a> {
    /// `None` if no section is left to be sampled.
    conditioning: Option<Guided<&'a Conditioning>>,
    /// Gone after memory ran out.
    schedule: Option<Rc<ScheduleConditioning<'static>>>,
}

/// What a section is sampled from.
pub(super) struct SectionInput<'a> {
    /// Its number, from 1.
    pub(super) count: u32,
    /// (1, C, window, h, w) on the CPU.
    pub(super) noise: &'a Tensor,
    pub(super) provenance: &'a Provenance,
    /// What it sees of the sections before, on the device.
    pub(super) context: &'a Context,
}

impl<'a> Sampling<'a> {
    pub(super) fn new(conditioning: Option<Guided<&'a Conditioning>>) -> Self {
        Self {
            conditioning,
            schedule: None,
        }
    }

    /// Makes room: what depends only on the schedule is evaluated again for the next section.
    pub(super) fn forget_schedule(&mut self) {
        self.schedule = None;
    }

    /// Latents of one section, (1, C, window, h, w) f32 on the CPU, and which of its steps were computed, if there is a step
    /// cache. Frames that are `pending` are kept behind the first step by which they have come.
    pub(super) fn section(
        &mut self,
        run: &mut Run<'_, '_>,
        (clock, pending): (&mut WorkClock, &mut Pending),
        section: &SectionInput<'_>,
    ) -> Result<(Tensor, Option<SectionSteps>), Error> {
        let device = run.platform.device;
        let sampling = &run.job.sampling;
        let sigmas = sigmas(sampling.steps, Shift::of(&section.noise.size()));
        let schedule = match self.schedule.take() {
            Some(schedule) => schedule,
            None => self.hoisted(run, &sigmas)?,
        };
        let unfinished = run.checkpoints.unfinished(section.count);
        let begun = unfinished.find(section.provenance, device);
        let steps_made = steps_made(begun.as_ref(), &sigmas);
        let caches = caches(run, steps_made);
        let mut course = Course::new(&sigmas, section.count, begun.as_ref(), &caches);
        let progress = &mut *run.progress;
        progress.sample(steps_made as u32, course.positive())?;
        let noise = section.noise.to_device(device);
        let model = Sampled {
            kind: run.models.transformer_kind(),
            transformer: run.models.transformer(&run.job.transformer)?,
            guidance: sampling.guidance,
        };
        let denoiser = RefCell::new(Denoiser::new(
            model,
            self.schedule.insert(schedule),
            section.context,
            run.attention.backend,
            caches,
        ));
        let denoise = |x: &Tensor, sigma| denoiser.borrow_mut().denoise(x, sigma);
        let mut keeping = Keeping::begun();
        let (frames, previews) = (&mut run.frames, &mut *run.previews);
        let after_step = |_, state: &SolverState| {
            course.advance(state, denoiser.borrow().caches());
            let place = StepPlace {
                section: section.count,
                step: state.steps(&sigmas) as u32,
                steps: sampling.steps,
            };
            previews.step(state.prediction(), place);
            let flow = progress.step_done(course.positive());
            let mut keep = || course.keep(&unfinished, section.provenance);
            let outcome = match flow {
                ControlFlow::Continue(()) => pending.poll((frames, previews), progress),
                ControlFlow::Break(stop) => Err(stopped(stop)),
            };
            match outcome {
                Ok(()) if keeping.is_due() => match keeping.keep(keep) {
                    // Steps count behind the frames of all sections before.
                    Ok(Some(_)) if pending.is_there() => ControlFlow::Continue(()),
                    Ok(Some(steps)) => progress
                        .steps_kept(frames.sections(), steps)
                        .map_break(stopped),
                    Ok(None) => ControlFlow::Continue(()),
                    Err(error) => {
                        // It is a precaution. Should the disk be full, the section's end will tell.
                        tracing::warn!(%error, "the section's steps are not kept");
                        ControlFlow::Continue(())
                    }
                },
                Ok(()) => ControlFlow::Continue(()),
                Err(error @ Error::Suspended) => {
                    let kept = keep();
                    ControlFlow::Break(kept.err().unwrap_or(error))
                }
                Err(error) => ControlFlow::Break(error),
            }
        };
        let begun = begun.map(|kept| kept.state);
        let sampled = clock.piece(Activity::Sampling, || {
            integrate((&noise, begun), &sigmas, denoise, after_step)
        });
        match sampled {
            ControlFlow::Continue(latents) => {
                // While the device still samples: the host may be ahead of it.
                if let Some(decoded) = pending.keep((frames, previews))? {
                    progress.decoded_meanwhile(decoded);
                }
                Ok((latents.to_device(Device::Cpu), course.timeline()))
            }
            ControlFlow::Break(error) => Err(error),
        }
    }

    fn hoisted(
        &self,
        run: &mut Run<'_, '_>,
        sigmas: &[f32],
    ) -> Result<Rc<ScheduleConditioning<'static>>, Error> {
        let conditioning = self
            .conditioning
            .expect("it is there if a section is to be sampled");
        run.progress.enter(Phase::Load)?;
        let job = run.job;
        run.models.schedule(
            &job.transformer,
            (sigmas, job.sampling.guidance),
            conditioning,
        )
    }
}
