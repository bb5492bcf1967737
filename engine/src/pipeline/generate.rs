//! Section by section: noise to latents, latents to frames.
//!
//! A section's latents are on the disk before anything else is done with them. What ran out of memory is repeated
//! with less of it, alone.

use std::{ops::ControlFlow, rc::Rc};

use framepack_ipc::worker::Phase;
use tch::{Device, Tensor};

use super::kept::Kept;
use crate::{
    assembly::Assembly,
    checkpoint::{Checkpoints, FinishedSection, ResumePoint},
    condition::Conditions,
    device::{self, WorkClock},
    error::Error,
    history::LatentHistory,
    job::Job,
    ladder::Ladder,
    output::{self, Video},
    progress::{ProgressReporter, stopped},
    sampler::{Denoiser, NoiseStream, Prompts, Sampled, ScheduleEmbeddings, Shift, sigmas, unipc},
    section::Section,
};

/// One run of a job's sections.
pub(crate) struct Generation<'a, 'j> {
    pub(crate) kept: &'a mut Kept,
    pub(crate) job: &'a Job,
    /// `None` if all sections were found.
    pub(crate) conditions: Option<&'a Conditions>,
    pub(crate) progress: &'a mut ProgressReporter<'j>,
    pub(crate) ladder: Ladder,
    pub(crate) checkpoints: &'a mut Checkpoints,
}

/// The video while its sections are being made.
struct PartialVideo {
    history: LatentHistory,
    frames: Assembly,
    clock: WorkClock,
    /// What all sections' steps need of timestep, prompt and image; gone after memory ran out.
    embeddings: Option<Rc<ScheduleEmbeddings<'static>>>,
}

impl Generation<'_, '_> {
    /// Renders the sections that were not found. Returns the ladder, too, as far as it was climbed.
    pub(crate) fn run(mut self, found: &ResumePoint) -> Result<(Video, Ladder), Error> {
        let _no_grad = tch::no_grad_guard();
        let plan = &self.job.sampling.sections;
        let start_latent = found
            .start_latent
            .as_ref()
            .or(self.conditions.map(|conditions| &conditions.start_latent))
            .expect("a job without sections has conditions")
            .to_device(Device::Cpu);
        let mut noise_shape = start_latent.size(); // (1, C, 1, h, w)
        noise_shape[2] = plan.latent_window;
        let mut noise = NoiseStream::new(self.job.sampling.seed);
        let work_dir = &self.job.output.work_dir;
        let mut partial = PartialVideo {
            history: LatentHistory::new(plan.order, &start_latent),
            frames: Assembly::new(plan.order, plan.overlap_frames(), work_dir)?,
            clock: WorkClock::new(self.kept.device),
            embeddings: None,
        };
        for (number, section) in plan.sections.iter().enumerate() {
            // Drawn for sections that were found, too: the stream goes on behind them.
            let noise = noise.next(&noise_shape);
            let count = number as u32 + 1;
            let latents = if let Some(latents) = found.sections.get(number) {
                latents.shallow_clone()
            } else {
                let latents = self.sampled(&mut partial, (section, count), &noise)?;
                self.checkpoints.save(&FinishedSection {
                    section: count,
                    latents: &latents,
                    start_latent: &start_latent,
                    provenance: &self.kept.provenance(self.job, &self.ladder),
                })?;
                self.progress.checkpoint(count)?;
                latents
            };
            partial.history.push(section, &latents);
            self.decoded(&mut partial, (section, count))?;
            output::write_preview(self.job, number, &latents)?; // while the device decodes
            partial.frames.fetch()?;
            self.progress
                .sections_done(count.max(found.sections.len() as u32));
        }
        let video = Video {
            latents: partial.history.video(),
            frames: partial.frames.finish()?,
            idle: partial.clock.idle(),
        };
        Ok((video, self.ladder))
    }

    /// Latents of one section, (1, C, window, h, w) f32 on the CPU.
    fn sampled(
        &mut self,
        partial: &mut PartialVideo,
        (section, count): (&Section, u32),
        noise: &Tensor,
    ) -> Result<Tensor, Error> {
        let what = || format!("sampling section {count}");
        let latents = self.within_memory(partial, what, |this, partial| {
            this.sample(partial, section, noise)
        })?;
        match latents.isfinite().all().int64_value(&[]) {
            0 => Err(Error::Numerics {
                what: format!("latents of section {count}"),
            }),
            _ => Ok(latents),
        }
    }

    /// Adds the frames of the newest latents to the video. The host need not wait for the device.
    fn decoded(
        &mut self,
        partial: &mut PartialVideo,
        (section, count): (&Section, u32),
    ) -> Result<(), Error> {
        let what = || format!("decoding section {count}");
        self.within_memory(partial, what, |this, partial| {
            this.progress.enter(Phase::Decode)?;
            this.decode(partial, section)
        })
    }

    /// Does `work` again and again, with less memory each time, for as long as that helps. It fails as if it had
    /// never begun.
    fn within_memory<T>(
        &mut self,
        partial: &mut PartialVideo,
        what: impl Fn() -> String,
        work: impl Fn(&mut Self, &mut PartialVideo) -> Result<T, Error>,
    ) -> Result<T, Error> {
        loop {
            match device::catch(|| work(self, partial)) {
                Err(error) if error.is_out_of_memory() => {
                    partial.embeddings = None;
                    let reason = format!("{}: {error}", what());
                    if !self.climb(reason)? {
                        return Err(error);
                    }
                }
                outcome => return outcome,
            }
        }
    }

    /// Plans the job with less memory, on the next rung of the ladder that changes anything; `false` if there is
    /// none.
    fn climb(&mut self, reason: String) -> Result<bool, Error> {
        self.kept.models.clear(); // what was half done, and all else that can be had again
        let before = self.kept.models.placement().clone();
        while self.ladder.climb().is_some() {
            match self.kept.place(self.job, &self.ladder) {
                Ok(_) if *self.kept.models.placement() == before => {}
                Ok(_) => {
                    let taken = self.ladder.take(reason);
                    tracing::warn!(rung = taken.rung, name = taken.name, "{}", taken.reason);
                    return self.progress.rung(taken).map(|()| true);
                }
                Err(Error::Plan(error)) => tracing::debug!(%error, "a rung does not fit"),
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    fn sample(
        &mut self,
        partial: &mut PartialVideo,
        section: &Section,
        noise: &Tensor,
    ) -> Result<Tensor, Error> {
        let device = self.kept.device;
        let schedule = sigmas(self.job.sampling.steps, Shift::of(&noise.size()));
        let embeddings = if let Some(embeddings) = partial.embeddings.take() {
            embeddings
        } else {
            self.progress.enter(Phase::Load)?;
            self.embeddings(&schedule)?
        };
        self.progress.enter(Phase::Sample)?;
        let noise = noise.to_device(device);
        let denoiser = Denoiser {
            model: Sampled {
                kind: self.kept.models.transformer_kind(),
                transformer: self.kept.models.transformer(&self.job.transformer)?,
                guidance: self.job.sampling.guidance,
            },
            embeddings: partial.embeddings.insert(embeddings),
            context: &partial.history.context(section, device),
        };
        let denoise = |x: &Tensor, sigma| denoiser.denoise(x, sigma);
        let after_step = |_, _: &Tensor| self.progress.step_done();
        let sampled = partial
            .clock
            .piece(|| unipc(&noise, &schedule, denoise, after_step));
        match sampled {
            ControlFlow::Continue(latents) => Ok(latents.to_device(Device::Cpu)),
            ControlFlow::Break(stop) => Err(stopped(stop)),
        }
    }

    fn embeddings(&mut self, schedule: &[f32]) -> Result<Rc<ScheduleEmbeddings<'static>>, Error> {
        let conditions = self
            .conditions
            .expect("there are sections to be made, and conditions for them");
        let prompts = Prompts {
            positive: &conditions.positive,
            negative: conditions.negative.as_ref(),
        };
        let guidance = self.job.sampling.guidance;
        let models = &mut self.kept.models;
        models.embeddings(&self.job.transformer, (schedule, guidance), prompts)
    }

    fn decode(&mut self, partial: &mut PartialVideo, section: &Section) -> Result<(), Error> {
        let models = &mut self.kept.models;
        let (kind, tiling) = (models.vae_kind(), models.tiling());
        let vae = models.decoder(&self.job.bundle)?;
        let latents = partial.history.newest(section) / vae.scaling_factor();
        let unscaled = latents.to_kind(kind).to_device(self.kept.device);
        let PartialVideo { frames, clock, .. } = partial;
        clock.piece(|| frames.join(&vae.decode(&unscaled, tiling)));
        Ok(())
    }
}
