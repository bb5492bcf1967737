//! Section by section: noise to latents, latents to frames.
//!
//! A section's latents are on the disk before anything else is done with them. What ran out of memory is repeated
//! with less of it, alone.

use framepack_ipc::worker::Phase;
use framepack_jobs::SectionSteps;
use tch::{Device, Tensor};

use super::{
    decode::SectionLatents,
    frames::SectionFrames,
    pending::PendingSection,
    run::Run,
    sample::{Sampling, SectionInput},
};
use crate::{
    checkpoint::{DecodedSection, FinishedSection, ResumePoint},
    device::{self, WorkClock},
    error::Error,
    guides::Guides,
    history::LatentHistory,
    job::Job,
    output::Video,
    plan::{Ladder, Work},
    sampler::{Guided, NoiseStream},
    section::Section,
    transformer::Conditioning,
    video::frames::Rgb24,
};

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
    ladder: Ladder,
    history: LatentHistory,
    clock: WorkClock,
    sampling: Sampling<'a>,
    /// Which steps of the sections were computed, as far as there was a step cache.
    timelines: Vec<SectionSteps>,
    frames: SectionFrames,
    /// Why sections are no longer decoded beside sampling, if they were.
    overlap_ended: Option<String>,
}

impl<'a, 'j> Generation<'a, 'j> {
    /// A video without a section yet.
    pub(super) fn new(run: Run<'a, 'j>, opening: &'a Opening, ladder: Ladder) -> Self {
        let plan = &run.job.sampling.sections;
        let start_latent = opening.start_latent.to_device(Device::Cpu);
        let device = run.platform.device;
        let recurring_bytes = run.models.placement().recurring_bytes;
        Self {
            history: LatentHistory::new(plan.order, &start_latent, Guides::default()),
            clock: WorkClock::new(device),
            sampling: Sampling::new(opening.conditioning.as_ref().map(Guided::as_ref)),
            timelines: Vec::new(),
            frames: SectionFrames::new(plan, device, (recurring_bytes > 0).then_some(device)),
            overlap_ended: None,
            start_latent,
            ladder,
            run,
        }
    }

    /// Renders the sections that were not found. Returns the ladder, too, as far as it was climbed.
    pub(super) fn run(mut self, found: &ResumePoint) -> Result<(Video, Ladder), Error> {
        let _no_grad = tch::no_grad_guard();
        match self.sections(found) {
            Ok(()) => {}
            Err(error @ Error::Suspended) => {
                // The next run need not decode these again.
                let kept = (&mut self.run.frames, &mut *self.run.previews);
                if let Err(error) = self.frames.pending.keep(kept) {
                    tracing::warn!(%error, "a section's frames are not kept");
                }
                return Err(error);
            }
            Err(error) => return Err(error),
        }
        let video = Video {
            latents: self.history.video(),
            frames: self.run.frames,
            timelines: self.timelines,
            idle: self.clock.idle(),
            tiles: self.frames.tiles(),
            overlap_ended: self.overlap_ended,
        };
        Ok((video, self.ladder))
    }

    /// Samples and decodes, section by section.
    fn sections(&mut self, found: &ResumePoint) -> Result<(), Error> {
        self.timelines.clone_from(&found.timelines);
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
        Ok(())
    }

    /// Keeps a section's latents, and says so. Returns their checksum.
    fn save(&mut self, count: u32, latents: &Tensor) -> Result<String, Error> {
        let checksum = self.run.checkpoints.save(&FinishedSection {
            section: count,
            latents,
            start_latent: &self.start_latent,
            provenance: &self.run.provenance(&self.ladder),
            timeline: self
                .timelines
                .last()
                .copied()
                .filter(|last| last.section == count),
        })?;
        self.run.progress.checkpoint(count)?;
        Ok(checksum)
    }

    /// Adds the frames of the newest section to the video, and keeps those that are final.
    fn add_frames(
        &mut self,
        section: &Section,
        of: DecodedSection<'_>,
        latents: &Tensor,
    ) -> Result<(), Error> {
        self.frames.finish(&mut self.run)?;
        let there = self.run.frames.sections();
        let is_last = is_last(self.run.job, of);
        if of.number < there || (of.number == there && is_last) {
            return Ok(());
        }
        let Some(frames) = self.decoded(section, of)? else {
            return Ok(());
        };
        self.run.previews.section_latents(of.number, latents); // while the device decodes
        let pending = PendingSection {
            number: of.number,
            checkpoint: of.checkpoint.to_owned(),
            provenance: self.run.provenance(&self.ladder),
            frames,
            is_last,
        };
        self.frames.keep(&mut self.run, pending)
    }

    /// Latents of one section, (1, C, window, h, w) f32 on the CPU.
    fn sampled(
        &mut self,
        (section, count): (&Section, u32),
        noise: &Tensor,
    ) -> Result<Tensor, Error> {
        let what = || format!("sampling section {count}");
        let (latents, timelines) = self.within_memory((Work::Sampling, &what), |this| {
            let section = SectionInput {
                count,
                noise,
                provenance: &this.run.provenance(&this.ladder),
                context: &this.history.context(section, this.run.platform.device),
            };
            let beside = (&mut this.clock, &mut this.frames.pending);
            this.sampling.section(&mut this.run, beside, &section)
        })?;
        self.timelines.extend(timelines);
        match latents.isfinite().all().int64_value(&[]) {
            0 => Err(Error::Numerics {
                what: format!("latents of section {count}"),
            }),
            _ => Ok(latents),
        }
    }

    /// Decodes the newest latents and joins them to the video. Returns the frames that are final by that. The host need not
    /// wait for the device.
    fn decoded(
        &mut self,
        section: &Section,
        of: DecodedSection<'_>,
    ) -> Result<Option<Rgb24>, Error> {
        let what = || format!("decoding section {}", of.number);
        self.within_memory((Work::Decoding, &what), |this| {
            this.run.progress.enter(Phase::Decode)?;
            let latents = this.history.newest(section);
            let section = SectionLatents {
                of,
                latents: &latents,
                provenance: &this.run.provenance(&this.ladder),
                is_last: is_last(this.run.job, of),
            };
            this.frames.decode(&mut this.run, &mut this.clock, &section)
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
                    self.sampling.forget_schedule();
                    if self.frames.give_up_overlap(&mut self.run)? {
                        tracing::warn!(%error, "{}: once more, with nothing beside it", what());
                        self.overlap_ended = Some(format!("{}: {error}", what()));
                        device::empty_cache();
                        continue;
                    }
                    if self.frames.may_join_again() {
                        tracing::warn!(%error, "{}: once more, on an empty device", what());
                        self.make_room();
                        continue;
                    }
                    self.frames.learn_from(&error, &mut self.run);
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

    /// Gives up what was half done, and all else that can be had again.
    fn make_room(&mut self) {
        self.frames.leave_device();
        self.run.models.clear();
    }

    /// Plans the job with less memory, on the next rung of the ladder that changes anything; `false` if there is
    /// none.
    fn climb(&mut self, work: Work, reason: String) -> Result<bool, Error> {
        self.make_room();
        let models = &mut *self.run.models;
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
}

/// Whether no section comes after this one.
fn is_last(job: &Job, of: DecodedSection<'_>) -> bool {
    of.number as usize == job.sampling.sections.sections.len()
}
