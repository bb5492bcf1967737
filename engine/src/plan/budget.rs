//! How much memory there is.

use crate::error::{Needs, PlanError};

/// What growth of other processes may take, and of libraries in this one.
pub(super) const DEVICE_MARGIN_BYTES: u64 = 128 << 20;

/// What there is for a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Budget {
    /// What the device has.
    pub total_bytes: u64,
    /// What this process could have: what nobody uses, and what it holds itself.
    pub free_bytes: u64,
    /// What other processes use.
    pub foreign_bytes: u64,
    /// What this process needs before the first tensor: CUDA context, kernels, workspaces of libraries.
    pub context_bytes: u64,
    /// What the host could give without swapping.
    pub host_available_bytes: u64,
}

impl Budget {
    /// What weights and activations may take together.
    pub fn usable_bytes(&self) -> u64 {
        self.free_bytes
            .saturating_sub(self.context_bytes + DEVICE_MARGIN_BYTES)
    }

    /// The same on a device that has so much less, which this process holds.
    pub(super) fn without(self, ballast_bytes: u64) -> Self {
        Self {
            total_bytes: self.total_bytes - ballast_bytes,
            free_bytes: self.free_bytes - ballast_bytes,
            ..self
        }
    }

    /// The refusal: a phase needs more than there is, beside `kept_bytes` of weights that stay.
    pub(super) fn too_small<const N: usize>(
        &self,
        phase: &'static str,
        kept_bytes: u64,
        needs: [(&'static str, u64); N],
    ) -> PlanError {
        let common = [
            ("CUDA context", self.context_bytes),
            ("other weights", kept_bytes),
            ("margin", DEVICE_MARGIN_BYTES),
        ];
        PlanError::Device {
            phase,
            needs: Needs::new(common.into_iter().chain(needs)),
            free_bytes: self.free_bytes,
            total_bytes: self.total_bytes,
            foreign_bytes: self.foreign_bytes,
        }
    }
}
