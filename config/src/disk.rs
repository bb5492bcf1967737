//! `disk`: space that is left free.

use std::ops::RangeInclusive;

use crate::{Problem, ProblemKind, Problems, Table};

/// Keys of `disk` in the file.
pub(crate) const KEYS: [&str; 2] = ["floor_mib", "reserve_mib"];
/// Variables of the environment for them.
const VARIABLES: [&str; 2] = ["FRAMEPACKD_DISK_FLOOR_MIB", "FRAMEPACKD_DISK_RESERVE_MIB"];

const MIB: RangeInclusive<u64> = 1..=1 << 24;

/// `disk`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk {
    /// MiB that must be free in the state directory, beside twice the store's size, before the store is opened.
    pub floor_mib: u64,
    /// MiB that a job leaves free where it writes.
    pub reserve_mib: u64,
}

impl Default for Disk {
    fn default() -> Self {
        Self {
            floor_mib: 64,
            reserve_mib: 256,
        }
    }
}

/// What one source says of `disk`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DiskLayer {
    /// `disk.floor_mib`
    pub floor_mib: Option<u64>,
    /// `disk.reserve_mib`
    pub reserve_mib: Option<u64>,
}

impl DiskLayer {
    /// What this layer says, and `below` where it says nothing.
    pub(crate) fn over(self, below: Self) -> Self {
        Self {
            floor_mib: self.floor_mib.or(below.floor_mib),
            reserve_mib: self.reserve_mib.or(below.reserve_mib),
        }
    }

    pub(crate) fn resolve(self) -> Disk {
        let default = Disk::default();
        Disk {
            floor_mib: self.floor_mib.unwrap_or(default.floor_mib),
            reserve_mib: self.reserve_mib.unwrap_or(default.reserve_mib),
        }
    }
}

/// The layer that the file's section gives.
pub(crate) fn in_file(disk: &Table<'_>, problems: &mut Problems) -> DiskLayer {
    let [floor_mib, reserve_mib] = KEYS.map(|key| disk.integer(key, &MIB, problems));
    DiskLayer {
        floor_mib,
        reserve_mib,
    }
}

/// The layer that the environment gives; `get` knows no empty variables.
pub(crate) fn in_environment<'v>(
    get: impl Fn(&str) -> Option<&'v str>,
    problems: &mut Problems,
) -> DiskLayer {
    let [floor_mib, reserve_mib] = VARIABLES.map(|name| {
        let text = get(name)?;
        let mib = text.parse().ok().filter(|mib| MIB.contains(mib));
        if mib.is_none() {
            let (start, end) = (MIB.start(), MIB.end());
            let message = format!("`{text}` is not a whole number, {start} to {end}");
            problems.push(Problem::new(ProblemKind::OutOfRange, name, message));
        }
        mib
    });
    DiskLayer {
        floor_mib,
        reserve_mib,
    }
}
