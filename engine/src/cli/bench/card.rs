//! The card that a benchmark runs on: the real one, or a smaller one that an allocation leaves of it.

use anyhow::{Context as _, bail};
use framepack_engine::{
    Limits,
    device::{self, AllocatorStats, DriverStats},
    plan::{self, Budget},
    transformer::{PackedTransformer, Run},
};
use tch::{Device, Kind, Tensor};

use crate::cli::split::SplitOptions;

const GIB: f64 = 1_073_741_824.0;
/// Pieces of the ballast.
const PIECE_BYTES: u64 = 1 << 30;

/// A device of which some memory may be taken away.
#[derive(Debug)]
pub(super) struct Card {
    device: Device,
    ballast: Vec<Tensor>,
}

impl Card {
    /// The device as it is, or, with a size, one on which this process sees so many GiB, its own context included.
    pub(super) fn new(device: Device, gib: Option<f64>) -> anyhow::Result<Self> {
        let mut card = Self {
            device,
            ballast: Vec::new(),
        };
        let Some(gib) = gib else { return Ok(card) };
        let driver = device::driver_stats(device).context("--card-gib needs a CUDA device")?;
        let card_bytes = (gib * GIB) as u64;
        let ballast_bytes = driver.total_bytes.saturating_sub(card_bytes);
        if ballast_bytes > driver.free_bytes {
            bail!(
                "--card-gib {gib}: the CUDA context and other programs leave no room on a card of that size"
            );
        }
        for start in (0..ballast_bytes).step_by(PIECE_BYTES as usize) {
            let bytes = PIECE_BYTES.min(ballast_bytes - start);
            card.ballast
                .push(Tensor::empty([bytes as i64], (Kind::Uint8, device)));
        }
        device::reset_peak(device);
        Ok(card)
    }

    /// Puts a transformer's blocks where the options say, or where the plan for this card says; returns the planned peak.
    pub(super) fn place(
        &self,
        model: &PackedTransformer,
        run: &Run,
        options: &SplitOptions,
        host_budget_gib: Option<f64>,
    ) -> anyhow::Result<Option<u64>> {
        let Some(budget) = self.budget() else {
            options.place(model.blocks())?;
            return Ok(None);
        };
        let limits = Limits {
            preserve_bytes: options.preserve_bytes(),
            must_preserve: true,
            forced: options.forced(),
            host_budget_bytes: host_budget_gib.map(|gib| (gib * GIB) as u64),
            ..Limits::default()
        };
        let split = plan::split(&model.cost(run), &budget, &limits)?;
        options.carry_out(model.blocks(), &split)?;
        Ok(Some(budget.context_bytes + split.peak_bytes))
    }

    /// What there is to plan with; nothing is known about the CPU.
    pub(super) fn budget(&self) -> Option<Budget> {
        let DriverStats { total_bytes, .. } = device::driver_stats(self.device)?;
        let libraries_bytes = self.libraries_bytes()?;
        let total_bytes = total_bytes - self.ballast_bytes();
        Some(Budget {
            total_bytes,
            // The plan counts what this process needs before its first tensor as its own.
            free_bytes: total_bytes,
            foreign_bytes: 0,
            context_bytes: libraries_bytes + device::CONTEXT_GROWTH_BYTES,
            host_available_bytes: device::host_available_bytes().unwrap_or(u64::MAX),
        })
    }

    /// Most memory that this process had on the device since the start: context, libraries, and what torch had
    /// from the driver.
    pub(super) fn peak_bytes(&self) -> Option<u64> {
        Some(self.libraries_bytes()? + self.stats()?.peak_reserved_bytes - self.ballast_bytes())
    }

    /// The same of a job in which torch had so much from the driver.
    pub(super) fn peak_of_job(&self, peak_reserved_bytes: Option<u64>) -> Option<u64> {
        Some(self.libraries_bytes()? + peak_reserved_bytes? - self.ballast_bytes())
    }

    /// What is not torch's: the context, kernels, workspaces that libraries allocate themselves.
    pub(super) fn libraries_bytes(&self) -> Option<u64> {
        let driver = device::driver_stats(self.device)?;
        Some(driver.total_bytes - driver.free_bytes - self.stats()?.reserved_bytes)
    }

    /// What the models have on the device now, freed memory that torch keeps aside.
    pub(super) fn occupied_bytes(&self) -> Option<u64> {
        Some(self.stats()?.allocated_bytes - self.ballast_bytes())
    }

    fn stats(&self) -> Option<AllocatorStats> {
        device::allocator_stats(self.device)
    }

    /// What was taken away.
    pub(super) fn ballast_bytes(&self) -> u64 {
        self.ballast
            .iter()
            .map(|piece| piece.size()[0] as u64)
            .sum()
    }
}
