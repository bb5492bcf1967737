//! Section by section: noise to latents, latents to frames.
//!
//! A section's latents are on the disk before anything else is done with them. What ran out of memory is repeated
//! with less of it, alone.

use std::{ops::ControlFlow, rc::Rc};

use framepack_ipc::worker::Phase;
use tch::{Device, Tensor};

use super::{
    attention::Decision,
    decode::{Decoding, Pieces},
    measured::Measuring,
    settled::settled,
};
use crate::{
    assembly::{Assembly, Place},
    checkpoint::{
        Checkpoints, DecodedSection, FinishedSection, Keeping, KeptFrames, Provenance, ResumePoint,
    },
    device::{self, JobPeak, WorkClock},
    error::Error,
    history::LatentHistory,
    job::Job,
    models::Models,
    output::{self, Video},
    plan::{DecodeSizes, Ladder, Work},
    platform::Platform,
    progress::{ProgressReporter, Stop, stopped},
    sampler::{
        Denoiser, Guided, NoiseStream, Sampled, ScheduleConditioning, Shift, SolverState,
        integrate, sigmas,
    },
    section::Section,
    transformer::Conditioning,
    vae::DecodeCost,
};

/// What one run of a job works with.
pub(super) struct Run<'a, 'j> {
    pub(super) job: &'a Job,
    pub(super) platform: &'a Platform,
    pub(super) models: &'a mut Models,
    /// What decoding takes on the device.
    pub(super) sizes: &'a mut DecodeSizes,
    pub(super) peak: &'a mut JobPeak,
    /// What computes the transformer's attention.
    pub(super) attention: &'a Decision,
    pub(super) checkpoints: &'a mut Checkpoints,
    pub(super) frames: KeptFrames,
    pub(super) progress: &'a mut ProgressReporter<'j>,
}

/// What a video begins with.
#[derive(Debug)]
pub(super) struct Opening {
    /// The start image's latent, (1, C, 1, h, w), scaled.
    pub(super) start_latent: Tensor,
    /// The prompts and the start image; `None` if no section is left to be sampled.
    pub(super) conditioning: Option<Guided<Conditioning>>,
}

/// The video while its sections are being made.
pub(super) struct Generation<'a, 'j> {
    run: Run<'a, 'j>,
    /// (1, C, 1, h, w) on the CPU.
    start_latent: Tensor,
    conditioning: Option<Guided<&'a Conditioning>>,
    ladder: Ladder,
    history: LatentHistory,
    assembly: Assembly,
    clock: WorkClock,
    /// What is decoded of the newest section.
    decoding: Decoding,
    /// What that takes, until it is decoded.
    measuring: Option<Measuring>,
    /// Gone after memory ran out.
    schedule: Option<Rc<ScheduleConditioning<'static>>>,
}

impl<'a, 'j> Generation<'a, 'j> {
    /// A video without a section yet.
    pub(super) fn new(run: Run<'a, 'j>, opening: &'a Opening, ladder: Ladder) -> Self {
        let plan = &run.job.sampling.sections;
        let start_latent = opening.start_latent.to_device(Device::Cpu);
        Self {
            history: LatentHistory::new(plan.order, &start_latent),
            assembly: Assembly::new(plan.order, plan.overlap_frames()),
            clock: WorkClock::new(run.platform.device),
            decoding: Decoding::default(),
            measuring: None,
            schedule: None,
            start_latent,
            conditioning: opening.conditioning.as_ref().map(Guided::as_ref),
            ladder,
            run,
        }
    }

    /// Renders the sections that were not found. Returns the ladder, too, as far as it was climbed.
    pub(super) fn run(mut self, found: &ResumePoint) -> Result<(Video, Ladder), Error> {
        let _no_grad = tch::no_grad_guard();
        let Job { sampling, .. } = self.run.job;
        let mut noise_shape = self.start_latent.size(); // (1, C, 1, h, w)
        noise_shape[2] = sampling.sections.latent_window;
        let mut noise = NoiseStream::new(sampling.seed);
        for (number, section) in sampling.sections.sections.iter().enumerate() {
            // Drawn for sections that were found, too: the stream goes on behind them.
            let noise = noise.next(&noise_shape);
            let count = number as u32 + 1;
            let (latents, checkpoint) = if let Some((latents, checkpoint)) = found.section(number) {
                (latents.shallow_clone(), checkpoint.to_owned())
            } else {
                let latents = self.sampled((section, count), &noise)?;
                let checkpoint = self.save(count, &latents)?;
                (latents, checkpoint)
            };
            self.history.push(section, &latents);
            let of = DecodedSection {
                number: count,
                checkpoint: &checkpoint,
            };
            self.add_frames(section, of, &latents)?;
            let done = count.max(found.sections.len() as u32);
            self.run.progress.sections_done(done);
        }
        let video = Video {
            latents: self.history.video(),
            frames: self.run.frames,
            idle: self.clock.idle(),
        };
        Ok((video, self.ladder))
    }

    /// Keeps a section's latents, and says so. Returns their checksum.
    fn save(&mut self, count: u32, latents: &Tensor) -> Result<String, Error> {
        let checksum = self.run.checkpoints.save(&FinishedSection {
            section: count,
            latents,
            start_latent: &self.start_latent,
            provenance: &self.provenance(),
        })?;
        self.run.progress.checkpoint(count)?;
        Ok(checksum)
    }

    /// How what is made now is made.
    fn provenance(&self) -> Provenance {
        let settled = settled(self.run.models, &self.ladder, self.run.attention);
        Provenance::now(self.run.platform, settled)
    }

    /// Adds the frames of the newest section to the video, and keeps those that are final.
    fn add_frames(
        &mut self,
        section: &Section,
        of: DecodedSection<'_>,
        latents: &Tensor,
    ) -> Result<(), Error> {
        let there = self.run.frames.sections();
        let is_last = is_last(self.run.job, of);
        if of.number < there || (of.number == there && is_last) {
            return Ok(());
        }
        self.decoded(section, of)?;
        if of.number == there {
            return Ok(());
        }
        output::write_preview(self.run.job, of.number, latents)?; // while the device decodes
        let frames = self.assembly.fetch()?;
        let provenance = self.provenance();
        self.run.frames.save(of, &frames, &provenance)?;
        if is_last {
            self.run.frames.remove_pieces(of.number);
        }
        self.run.progress.decoded(of.number, 0)
    }

    /// Latents of one section, (1, C, window, h, w) f32 on the CPU.
    fn sampled(
        &mut self,
        (section, count): (&Section, u32),
        noise: &Tensor,
    ) -> Result<Tensor, Error> {
        let what = || format!("sampling section {count}");
        let sample = |this: &mut Self| this.sample((section, count), noise);
        let latents = self.within_memory((Work::Sampling, &what), sample)?;
        match latents.isfinite().all().int64_value(&[]) {
            0 => Err(Error::Numerics {
                what: format!("latents of section {count}"),
            }),
            _ => Ok(latents),
        }
    }

    /// Decodes the newest latents and joins them to the video. The host need not wait for the device.
    fn decoded(&mut self, section: &Section, of: DecodedSection<'_>) -> Result<(), Error> {
        let what = || format!("decoding section {}", of.number);
        self.within_memory((Work::Decoding, &what), |this| {
            this.run.progress.enter(Phase::Decode)?;
            this.decode(section, of)
        })
    }

    /// Does `work` again and again, with less memory each time, for as long as that helps. It fails as if it had
    /// never begun.
    fn within_memory<T>(
        &mut self,
        (kind, what): (Work, &dyn Fn() -> String),
        work: impl Fn(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        loop {
            match device::catch(|| work(self)) {
                Err(error) if error.is_out_of_memory() => {
                    self.schedule = None;
                    self.learn_from(&error);
                    let weights_bytes = self.run.models.weights_bytes();
                    let error = error.of_weights(weights_bytes);
                    let reason = format!("{}: {error}", what());
                    if !self.climb(kind, reason)? {
                        return Err(error.in_the_end(what(), self.ladder.names()));
                    }
                }
                outcome => return outcome,
            }
        }
    }

    /// If the device's memory ran out while something was decoded, more is planned for that from now on.
    fn learn_from(&mut self, error: &Error) {
        if let Some(measuring) = self.measuring.take()
            && error.is_of_device_memory()
        {
            measuring.ran_out(self.run.sizes);
            self.run.models.plan_with(self.run.sizes.factors());
        }
    }

    /// Plans the job with less memory, on the next rung of the ladder that changes anything; `false` if there is
    /// none.
    fn climb(&mut self, work: Work, reason: String) -> Result<bool, Error> {
        let models = &mut *self.run.models;
        models.clear(); // what was half done, and all else that can be had again
        self.decoding.leave_device();
        let before = models.placement().clone();
        while let Some(rung) = self.ladder.climb(work) {
            match models.place(self.run.job, self.ladder.relief()) {
                Ok(_) if models.placement().does_as(&before) => {}
                Ok(_) => {
                    let taken = self.ladder.take(rung, reason);
                    tracing::warn!(rung = taken.rung, name = taken.name, "{}", taken.reason);
                    return self.run.progress.rung(taken).map(|()| true);
                }
                Err(Error::Plan(error)) => tracing::debug!(%error, "a rung does not fit"),
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    fn sample(
        &mut self,
        (section, count): (&Section, u32),
        noise: &Tensor,
    ) -> Result<Tensor, Error> {
        let Job {
            sampling,
            transformer,
            ..
        } = self.run.job;
        let device = self.run.platform.device;
        let sigmas = sigmas(sampling.steps, Shift::of(&noise.size()));
        let schedule = match self.schedule.take() {
            Some(schedule) => schedule,
            None => self.hoisted(&sigmas)?,
        };
        let unfinished = self.run.checkpoints.unfinished(count);
        let provenance = self.provenance();
        let begun = unfinished.find(&provenance, device);
        let steps_made = begun.as_ref().map_or(0, |state| state.steps(&sigmas));
        let progress = &mut *self.run.progress;
        progress.sample(steps_made as u32)?;
        let noise = noise.to_device(device);
        let model = Sampled {
            kind: self.run.models.transformer_kind(),
            transformer: self.run.models.transformer(transformer)?,
            guidance: sampling.guidance,
        };
        let context = self.history.context(section, device);
        let mut denoiser = Denoiser::new(
            model,
            self.schedule.insert(schedule),
            &context,
            self.run.attention.backend,
        );
        let denoise = |x: &Tensor, sigma| denoiser.denoise(x, sigma);
        let mut keeping = Keeping::begun();
        let decoded = self.run.frames.sections();
        let keep = |state: &SolverState| unfinished.save(state, &provenance);
        let after_step = |_, state: &SolverState| match progress.step_done() {
            ControlFlow::Continue(()) if keeping.is_due() => {
                match keeping.keep(|| keep(state)) {
                    Ok(()) => progress.steps_kept(decoded).map_break(stopped),
                    Err(error) => {
                        // It is a precaution. Should the disk be full, the section's end will tell.
                        tracing::warn!(%error, "the section's steps are not kept");
                        ControlFlow::Continue(())
                    }
                }
            }
            ControlFlow::Continue(()) => ControlFlow::Continue(()),
            ControlFlow::Break(Stop::Suspend) => {
                let kept = keep(state);
                ControlFlow::Break(kept.err().unwrap_or_else(|| stopped(Stop::Suspend)))
            }
            ControlFlow::Break(stop) => ControlFlow::Break(stopped(stop)),
        };
        let sampled = self
            .clock
            .piece(|| integrate((&noise, begun), &sigmas, denoise, after_step));
        match sampled {
            ControlFlow::Continue(latents) => Ok(latents.to_device(Device::Cpu)),
            ControlFlow::Break(error) => Err(error),
        }
    }

    fn hoisted(&mut self, sigmas: &[f32]) -> Result<Rc<ScheduleConditioning<'static>>, Error> {
        let Job {
            sampling,
            transformer,
            ..
        } = self.run.job;
        let conditioning = self
            .conditioning
            .expect("it is there if a section is to be sampled");
        self.run.progress.enter(Phase::Load)?;
        let models = &mut *self.run.models;
        models.schedule(transformer, (sigmas, sampling.guidance), conditioning)
    }

    fn decode(&mut self, section: &Section, of: DecodedSection<'_>) -> Result<(), Error> {
        let provenance = self.provenance();
        let Run {
            job,
            platform,
            models,
            frames,
            progress,
            sizes,
            peak,
            ..
        } = &mut self.run;
        let (kind, scheme) = (models.vae_kind(), models.decode_scheme());
        let vae = models.decoder(&job.bundle)?;
        let latents = self.history.newest(section) / vae.scaling_factor();
        let unscaled = latents.to_kind(kind).to_device(platform.device);
        let cost = DecodeCost {
            config: vae.config(),
            kind,
            size_px: [job.plan.width_px.into(), job.plan.height_px.into()],
            latent_frames: unscaled.size()[2].unsigned_abs(),
            scheme,
        };
        let begun_before = self.decoding.is_begun();
        self.measuring = Measuring::begin(platform.device, &cost, peak);
        let is_there = of.number == frames.sections();
        let mut pieces = Pieces {
            of,
            provenance: &provenance,
            frames,
            progress,
            has_kept: false,
        };
        let decoding = &mut self.decoding;
        let decode = || decoding.decode(vae, (&unscaled, scheme), &mut pieces);
        let decoded = self.clock.piece(decode)?;
        // A part of a section may take less than the whole. What is learnt is for the next job: this one goes on as
        // it began.
        let is_whole = !begun_before && !pieces.has_kept;
        if let Some(measuring) = self.measuring.take().filter(|_| is_whole) {
            measuring.done(sizes);
        }
        let place = if is_last(job, of) {
            Place::Last
        } else {
            Place::Inner
        };
        self.decoding = Decoding::default();
        if is_there {
            self.assembly.reopen(&decoded);
        } else {
            self.assembly.join(&decoded, place);
        }
        Ok(())
    }
}

/// Whether no section comes after this one.
fn is_last(job: &Job, of: DecodedSection<'_>) -> bool {
    of.number as usize == job.sampling.sections.sections.len()
}
