//! `disk`: space that is left free.

use std::ops::RangeInclusive;

use crate::reader::Reader;

const MIB: RangeInclusive<u64> = 1..=1 << 24;

/// `disk`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk {
    /// MiB that must be free in the state directory, beside twice the store's size, before the store is opened.
    pub floor_mib: u64,
    /// MiB that a job leaves free where it writes.
    pub reserve_mib: u64,
}

impl Disk {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            floor_mib: reader.value("disk.floor_mib", 64, |node| node.integer(&MIB)),
            reserve_mib: reader.value("disk.reserve_mib", 256, |node| node.integer(&MIB)),
        }
    }
}
