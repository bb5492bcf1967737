//! What one run of a job works with, section by section.

use super::{attention::Decision, settled::settled};
use crate::{
    checkpoint::{Checkpoints, KeptFrames, Provenance},
    device::JobPeak,
    job::Job,
    models::Models,
    plan::{DecodeSizes, Ladder},
    platform::Platform,
    previews::Previews,
    progress::ProgressReporter,
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
    pub(super) previews: &'a mut Previews,
    pub(super) progress: &'a mut ProgressReporter<'j>,
}

impl Run<'_, '_> {
    /// How what is made now is made.
    pub(super) fn provenance(&self, ladder: &Ladder) -> Provenance {
        let settled = settled(self.models, ladder, self.attention);
        Provenance::now(self.platform, settled)
    }
}
