//! The frames of a video's sections, from latents to bytes on the disk.
//!
//! A section that another one follows may be decoded beside that one's sampling, where memory allows: its frames are
//! pending then, and are kept as soon as they have come, at the latest before the next section is decoded. Kernels and
//! shapes are the same either way, and so is every bit.

use framepack_ipc::worker::DecodedTiles;
use tch::Device;

use super::{
    beside::DecodeStream,
    decode::{Decoding, SectionLatents},
    pending::{Pending, PendingSection},
    recurring::RecurringTiles,
    run::Run,
};
use crate::{
    assembly::{Assembly, Place},
    device::WorkClock,
    error::Error,
    section::SectionPlan,
    video::frames::Rgb24,
};

/// What is made of the newest section.
#[derive(Debug)]
pub(super) struct SectionFrames {
    assembly: Assembly,
    decoding: Decoding,
    recurring: RecurringTiles,
    stream: DecodeStream,
    pub(super) pending: Pending,
}

impl SectionFrames {
    /// None of a video of these sections yet; frames that the next section has again wait at `recurring`.
    pub(super) fn new(sections: &SectionPlan, device: Device, recurring: Option<Device>) -> Self {
        Self {
            assembly: Assembly::new(sections.order, sections.overlap_frames()),
            decoding: Decoding::default(),
            recurring: RecurringTiles::new(recurring),
            stream: DecodeStream::new(device),
            pending: Pending::default(),
        }
    }

    /// Decodes what is missing of a section and joins it to the video. Returns what is finished by that, unless it was kept
    /// before. The host need not wait for the device.
    pub(super) fn decode(
        &mut self,
        run: &mut Run<'_, '_>,
        clock: &mut WorkClock,
        section: &SectionLatents<'_>,
    ) -> Result<Option<Rgb24>, Error> {
        let is_planned = run.models.placement().overlap.is_ok();
        if self.stream.is_beside() && !is_planned {
            self.end_overlap();
        }
        let decoded = (run.models.vae_kind(), run.platform.device);
        let assembly = &self.assembly;
        self.stream
            .decide(is_planned, || assembly.rehearse(decoded));
        if !self.decoding.is_decoded() {
            run.models.decoder(&run.job.bundle)?;
        }
        let Self {
            assembly,
            decoding,
            recurring,
            stream,
            ..
        } = self;
        let joined = stream.run(|| -> Result<_, Error> {
            let frames = decoding.section(run, (clock, recurring), section)?;
            if section.of.number == run.frames.sections() {
                assembly.reopen(&frames);
                return Ok(None);
            }
            let place = if section.is_last {
                Place::Last
            } else {
                Place::Inner
            };
            Ok(Some(assembly.join(&frames, place)))
        })?;
        self.decoding = Decoding::default();
        self.recurring.end();
        Ok(joined)
    }

    /// Keeps frames once they have come: at once, or while the next section is sampled.
    pub(super) fn keep(
        &mut self,
        run: &mut Run<'_, '_>,
        section: PendingSection,
    ) -> Result<(), Error> {
        let is_deferred = self.stream.is_beside() && !section.is_last;
        self.pending.begin(section);
        if is_deferred {
            Ok(())
        } else {
            self.finish(run)
        }
    }

    /// Keeps frames that are pending.
    pub(super) fn finish(&mut self, run: &mut Run<'_, '_>) -> Result<(), Error> {
        let kept = (&mut run.frames, &mut *run.previews);
        self.pending.finish(kept, run.progress)
    }

    /// Where memory ran out while a section was decoded beside what failed: that section is finished, and no other one is
    /// decoded beside anything. `false` if there was none.
    pub(super) fn give_up_overlap(&mut self, run: &mut Run<'_, '_>) -> Result<bool, Error> {
        if !self.pending.is_there() {
            return Ok(false);
        }
        self.finish(run)?;
        self.end_overlap();
        Ok(true)
    }

    /// What was made on the stream is no longer there.
    fn end_overlap(&mut self) {
        self.leave_device();
        self.assembly.leave_device();
        self.stream.end();
    }

    /// If the device's memory ran out while something was decoded, more is planned for that from now on.
    pub(super) fn learn_from(&mut self, error: &Error, run: &mut Run<'_, '_>) {
        self.decoding.learn_from(error, run, &self.recurring);
    }

    /// Whether joining the pieces, which failed, may be tried once more.
    pub(super) fn may_join_again(&mut self) -> bool {
        self.decoding.may_join_again()
    }

    /// Makes room on the device. Nothing is decoded there any more.
    pub(super) fn leave_device(&mut self) {
        self.stream.synchronize();
        self.decoding.leave_device();
        self.recurring.leave_device();
    }

    /// How many tiles along time were decoded, and reused.
    pub(super) fn tiles(&self) -> DecodedTiles {
        self.recurring.counts()
    }
}
