//! What a section's decoding takes on the device, by the counts before and after it.
//!
//! What torch's allocator has reserved is no measure by itself: it keeps what sampling had, and decoding may use that or
//! not. Two things are certain: what tensors took beside those that were there before, with what the allocator needs to
//! hold as much by the planner's own account, and by how much the reserve had to grow. The larger one counts.

use tch::Device;

use crate::{
    device::{self, AllocatorStats, JobPeak},
    plan::{DecodeKind, DecodeSizes, Took},
    vae::{DecodeCost, held_for},
};

/// What driver and allocator count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counts {
    /// Bytes that nobody uses.
    free_bytes: u64,
    torch: AllocatorStats,
}

/// One decode that is being measured.
#[derive(Debug)]
pub(super) struct Measuring {
    device: Device,
    kind: DecodeKind,
    /// By the planner's own sizes.
    planned_bytes: u64,
    before: Counts,
}

impl Measuring {
    /// Of a decode that begins now; `None` where nobody counts.
    pub(super) fn begin(device: Device, cost: &DecodeCost<'_>, peak: &mut JobPeak) -> Option<Self> {
        Counts::now(device)?;
        peak.begin_part();
        Some(Self {
            device,
            kind: DecodeKind::of(cost),
            planned_bytes: cost.working_bytes(),
            before: Counts::now(device)?,
        })
    }

    /// Teaches `sizes` what the decode took, which is done. `kept_bytes` of it are planned by themselves.
    pub(super) fn done(self, sizes: &mut DecodeSizes, kept_bytes: u64) {
        let took = Counts::now(self.device).map(|after| self.took(after));
        self.teach(sizes, took.map(|took| took.without(kept_bytes)));
    }

    /// Teaches `sizes` that memory ran out meanwhile. What else is on the device has not been touched since.
    pub(super) fn ran_out(self, sizes: &mut DecodeSizes, kept_bytes: u64) {
        let had = Counts::now(self.device).map(|after| self.had(after));
        self.teach(sizes, had.map(|had| had.without(kept_bytes)));
    }

    fn teach(&self, sizes: &mut DecodeSizes, took: Option<Took>) {
        if let Some(took) = took {
            sizes.learn(self.kind, self.planned_bytes, took);
        }
    }

    fn took(&self, after: Counts) -> Took {
        let (before, after) = (self.before.torch, after.torch);
        let tensors = after
            .peak_allocated_bytes
            .saturating_sub(before.allocated_bytes);
        let grown = after
            .peak_reserved_bytes
            .saturating_sub(before.reserved_bytes);
        Took::Bytes(held_for(tensors).max(grown))
    }

    /// All that was not taken before: free, kept for reuse, or of pieces that are decoded.
    fn had(&self, after: Counts) -> Took {
        let all = after.free_bytes + after.torch.reserved_bytes;
        Took::MoreThan(all.saturating_sub(self.before.torch.allocated_bytes))
    }
}

impl Counts {
    fn now(device: Device) -> Option<Self> {
        Some(Self {
            free_bytes: device::driver_stats(device)?.free_bytes,
            torch: device::allocator_stats(device)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;
    use crate::{
        kernels::KernelUse,
        platform::Platform,
        vae::{Config, SpaceTiling},
    };

    const GIB: u64 = 1 << 30;

    fn cost(config: &Config) -> DecodeCost<'_> {
        DecodeCost {
            config,
            kind: Kind::Half,
            size_px: [608, 640],
            latent_frames: 18,
            scheme: SpaceTiling::Reference.into(),
            kernels: KernelUse::On,
        }
    }

    /// 8 GiB of weights in 10 GiB that torch has reserved, on a card with 6 GiB left.
    const BEFORE: Counts = Counts {
        free_bytes: 6 * GIB,
        torch: TORCH,
    };
    const TORCH: AllocatorStats = AllocatorStats {
        allocated_bytes: 8 * GIB,
        reserved_bytes: 10 * GIB,
        peak_allocated_bytes: 8 * GIB,
        peak_reserved_bytes: 10 * GIB,
    };

    /// Where torch counts this.
    fn after(free_bytes: u64, torch: AllocatorStats) -> Counts {
        Counts { free_bytes, torch }
    }

    fn measuring(cost: &DecodeCost<'_>) -> Measuring {
        Measuring {
            device: Device::Cuda(0),
            kind: DecodeKind::of(cost),
            planned_bytes: cost.working_bytes(),
            before: BEFORE,
        }
    }

    #[test]
    fn what_was_there_before_is_not_the_decodes() {
        let config = Config::published();
        let measuring = measuring(&cost(&config));
        for (tensors, grown, expected) in [
            (0, 0, 0),
            // within what sampling left: by its tensors alone
            (GIB, 0, held_for(GIB)),
            (2 * GIB, GIB, held_for(2 * GIB)),
            // the reserve grew by more than they need
            (2 * GIB, 3 * GIB, 3 * GIB),
        ] {
            let torch = AllocatorStats {
                peak_allocated_bytes: TORCH.allocated_bytes + tensors,
                peak_reserved_bytes: TORCH.reserved_bytes + grown,
                ..TORCH
            };
            let after = after(BEFORE.free_bytes, torch);
            assert_eq!(measuring.took(after), Took::Bytes(expected));
        }
    }

    #[test]
    fn a_decode_that_failed_had_what_was_free_and_what_torch_kept() {
        let config = Config::published();
        let measuring = measuring(&cost(&config));
        // Torch gave back 2 GiB and took 5; pieces of 1 GiB are decoded.
        let torch = AllocatorStats {
            allocated_bytes: 9 * GIB,
            reserved_bytes: 13 * GIB,
            ..TORCH
        };
        let found = measuring.had(after(3 * GIB, torch));
        assert_eq!(found, Took::MoreThan(8 * GIB));
        // Somebody else took what was free.
        let torch = AllocatorStats {
            reserved_bytes: 7 * GIB,
            ..torch
        };
        assert_eq!(measuring.had(after(0, torch)), Took::MoreThan(0));
    }

    #[test]
    fn the_next_plan_has_what_was_measured() {
        let platform = Platform {
            device: Device::Cuda(0),
            name: "cuda card of the test".into(),
            driver: None,
            build: None,
        };
        let config = Config::published();
        let cost = cost(&config);
        let planned = cost.working_bytes();
        let mut sizes = DecodeSizes::in_memory(&platform);
        let held = |part: f64| {
            let torch = AllocatorStats {
                peak_reserved_bytes: TORCH.reserved_bytes + (planned as f64 * part) as u64,
                ..TORCH
            };
            after(BEFORE.free_bytes, torch)
        };
        let mut next = |part: f64| {
            let measured = measuring(&cost);
            measured.teach(&mut sizes, Some(measured.took(held(part))));
            sizes.factors().working_bytes(&cost) as f64 / planned as f64
        };
        for (part, expected) in [(0.6, 0.9), (1.2, 1.2), (1.1, 1.2)] {
            let found = next(part);
            assert!((found - expected).abs() < 0.011, "{part}: {found}");
        }
        let failed = measuring(&cost);
        let torch = AllocatorStats {
            reserved_bytes: TORCH.allocated_bytes,
            ..TORCH
        };
        let after = after(3 * planned / 2, torch);
        failed.teach(&mut sizes, Some(failed.had(after)));
        let next = sizes.factors().working_bytes(&cost);
        assert!(next > 3 * planned / 2, "the same plan would fail again");
    }

    #[test]
    fn nobody_counts_on_a_processor() {
        let config = Config::published();
        let mut peak = JobPeak::begin(Device::Cpu);
        let measuring = Measuring::begin(Device::Cpu, &cost(&config), &mut peak);
        assert!(measuring.is_none());
        assert_eq!(peak.reserved_bytes(), None);
    }
}
