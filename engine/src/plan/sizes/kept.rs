//! What was seen on one device, in memory and in its file.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{factors::DecodeFactors, kind::DecodeKind};
use crate::{
    findings::{Finding, Findings},
    platform::Platform,
};

/// Of a plan for less, the sizes in which torch and its libraries ask for memory would be measured.
const LEAST_PLANNED_BYTES: u64 = 256 << 20;
/// What is kept of a measurement at least and at most, in per cent.
const KEPT: [u64; 2] = [50, 300];

/// What decodes took on one device.
#[derive(Debug)]
pub(crate) struct DecodeSizes(Findings<Size>);

/// The most that was seen of one kind of decodes.
#[derive(Debug, Serialize, Deserialize)]
struct Size {
    kind: DecodeKind,
    /// Of what was planned.
    percent: u32,
}

impl Finding for Size {
    const KEY: &'static str = "decoding";
    const NAME: &'static str = "sizes of decoding";
}

/// What a decode took beside the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Took {
    /// So much.
    Bytes(u64),
    /// More than this, which was all that it could have.
    MoreThan(u64),
}

impl Took {
    /// The same without what others had of it.
    pub(crate) fn without(self, others_bytes: u64) -> Self {
        match self {
            Self::Bytes(bytes) => Self::Bytes(bytes.saturating_sub(others_bytes)),
            Self::MoreThan(bytes) => Self::MoreThan(bytes.saturating_sub(others_bytes)),
        }
    }

    /// In per cent of the plan, rounded up; `None` if it does not tell that the plan was wrong.
    fn percent_of(self, planned_bytes: u64) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some((bytes * 100).div_ceil(planned_bytes)),
            Self::MoreThan(bytes) if bytes < planned_bytes => None,
            Self::MoreThan(bytes) => Some(bytes * 100 / planned_bytes + 1),
        }
    }
}

impl DecodeSizes {
    /// Nothing was seen yet, and nothing outlives the process.
    pub(crate) fn in_memory(platform: &Platform) -> Self {
        Self(Findings::in_memory(platform))
    }

    /// What the file at `path` says, to which more is added.
    pub(crate) fn on_disk(path: &Path, platform: &Platform) -> Self {
        Self(Findings::on_disk(path, platform))
    }

    /// What plans are made with.
    pub(crate) fn factors(&self) -> DecodeFactors {
        let sizes = self.0.holding();
        sizes.fold(DecodeFactors::default(), |factors, size| {
            factors.with(size.kind, size.percent)
        })
    }

    /// Takes over what the file says now.
    pub(crate) fn read_again(&mut self) {
        self.0.read_again();
    }

    /// Notes that a decode of `kind` took so much where `planned_bytes` are assumed; kept if no other took more.
    pub(crate) fn learn(&mut self, kind: DecodeKind, planned_bytes: u64, took: Took) {
        if planned_bytes < LEAST_PLANNED_BYTES {
            return;
        }
        let Some(percent) = took.percent_of(planned_bytes) else {
            return;
        };
        let [least, most] = KEPT;
        let percent = percent.clamp(least, most) as u32;
        tracing::info!(
            ?kind,
            planned_bytes,
            ?took,
            percent,
            "decoding was measured"
        );
        if self.factors().seen(kind).is_none_or(|seen| seen < percent) {
            let is_of_kind = |size: &Size| size.kind == kind;
            self.0.note(Size { kind, percent }, is_of_kind);
        }
    }
}

#[cfg(test)]
mod tests;
