//! Frames of a section that the host does not have yet: the next section may be sampled before they come.

use crate::{
    checkpoint::{DecodedSection, KeptFrames, Provenance},
    error::Error,
    previews::Previews,
    progress::ProgressReporter,
    video::frames::Rgb24,
};

/// The section whose frames are not kept yet, if there is one.
#[derive(Debug, Default)]
pub(super) struct Pending(Option<PendingSection>);

/// Frames on their way to the disk.
#[derive(Debug)]
pub(super) struct PendingSection {
    pub(super) number: u32,
    /// Checksum of its checkpoint.
    pub(super) checkpoint: String,
    /// How they were made.
    pub(super) provenance: Provenance,
    pub(super) frames: Rgb24,
    /// Whether no section comes after it.
    pub(super) is_last: bool,
}

impl Pending {
    /// Waits for these from now on.
    pub(super) fn begin(&mut self, section: PendingSection) {
        debug_assert!(self.0.is_none(), "frames are kept in order");
        self.0 = Some(section);
    }

    /// Whether there are any.
    pub(super) fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// Keeps the frames and tells of them, if they have come.
    pub(super) fn poll(
        &mut self,
        (kept, previews): (&mut KeptFrames, &mut Previews),
        progress: &mut ProgressReporter<'_>,
    ) -> Result<(), Error> {
        let is_ready = |section: &PendingSection| section.frames.is_ready();
        if self.0.as_ref().is_some_and(is_ready) {
            self.finish((kept, previews), progress)
        } else {
            Ok(())
        }
    }

    /// The same once they have come.
    pub(super) fn finish(
        &mut self,
        (kept, previews): (&mut KeptFrames, &mut Previews),
        progress: &mut ProgressReporter<'_>,
    ) -> Result<(), Error> {
        match self.keep((kept, previews))? {
            Some(section) => progress.decoded(section, 0),
            None => Ok(()),
        }
    }

    /// Keeps the frames once they have come, of which nobody hears. Returns the section's number.
    pub(super) fn keep(
        &mut self,
        (kept, previews): (&mut KeptFrames, &mut Previews),
    ) -> Result<Option<u32>, Error> {
        let Some(section) = self.0.take() else {
            return Ok(None);
        };
        let of = DecodedSection {
            number: section.number,
            checkpoint: &section.checkpoint,
        };
        let rgb = section.frames.read()?;
        kept.save(of, &rgb, &section.provenance)?;
        previews.section(section.number, &rgb);
        if section.is_last {
            kept.remove_pieces(section.number);
        }
        Ok(Some(section.number))
    }
}
