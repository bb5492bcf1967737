//! What was seen on one device, in memory and in its file.

use std::path::{Path, PathBuf};

use super::{
    factors::DecodeFactors,
    format::{self, Entry, Line},
    kind::DecodeKind,
};
use crate::{
    file,
    platform::{Circumstances, Platform},
};

/// Lines that are kept, those of other circumstances included: they hold again after a return to them.
const MAX_LINES: usize = 64;
/// Of a plan for less, the sizes in which torch and its libraries ask for memory would be measured.
const LEAST_PLANNED_BYTES: u64 = 256 << 20;
/// What is kept of a measurement at least and at most, in per cent.
const KEPT: [u64; 2] = [50, 300];

/// What decodes took on one device.
#[derive(Debug)]
pub(crate) struct DecodeSizes {
    now: Circumstances,
    /// The newest is the last.
    lines: Vec<Line>,
    /// Where they outlive the process.
    path: Option<PathBuf>,
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
        Self {
            now: Circumstances::of(platform),
            lines: vec![],
            path: None,
        }
    }

    /// What the file at `path` says, to which more is added. People may remove it at any time; no other process may
    /// add to it.
    pub(crate) fn on_disk(path: &Path, platform: &Platform) -> Self {
        let mut sizes = Self {
            path: Some(path.into()),
            ..Self::in_memory(platform)
        };
        sizes.read_again();
        sizes
    }

    /// What plans are made with.
    pub(crate) fn factors(&self) -> DecodeFactors {
        let entries = self.lines.iter().filter_map(|line| match line {
            Line::Known(entry) if self.holds(line) => Some(entry),
            _ => None,
        });
        entries.fold(DecodeFactors::default(), |factors, entry| {
            factors.with(entry.kind, entry.percent)
        })
    }

    /// Takes over what the file says now.
    pub(crate) fn read_again(&mut self) {
        if let Some(path) = &self.path {
            match file::read_lines(path, "sizes of decoding", format::read) {
                Ok(lines) => self.lines = lines,
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "can't read sizes of decoding");
                }
            }
        }
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
            self.note(kind, percent);
        }
    }

    /// Makes this the largest per cent of `kind` under the present circumstances, from now on and in the file.
    fn note(&mut self, kind: DecodeKind, percent: u32) {
        let now = &self.now;
        self.lines.retain(|line| {
            !matches!(line, Line::Known(entry) if entry.kind == kind && entry.circumstances == *now)
        });
        self.lines.push(Line::Known(Entry {
            circumstances: self.now.clone(),
            kind,
            percent,
        }));
        self.prune();
        if let Some(path) = &self.path
            && let Err(error) = file::write(path, &format::write(&self.lines))
        {
            tracing::warn!(path = %path.display(), %error, "sizes of decoding are not kept");
        }
    }

    /// Removes what is too much, first of what does not hold now, the oldest first.
    fn prune(&mut self) {
        while self.lines.len() > MAX_LINES {
            let stale = self.lines.iter().position(|line| !self.holds(line));
            self.lines.remove(stale.unwrap_or(0));
        }
    }

    fn holds(&self, line: &Line) -> bool {
        matches!(line, Line::Known(entry) if entry.circumstances == self.now)
    }
}

#[cfg(test)]
mod tests;
