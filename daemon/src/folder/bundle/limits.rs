//! What a bundle may have.

/// Files and folders of one bundle.
pub(super) const MAX_ENTRIES: usize = 1000;
/// Bytes of one bundle, unpacked.
pub(super) const MAX_BYTES: u64 = 1 << 30;
/// An archive may grow by this factor; images hardly do at all …
pub(super) const MAX_RATIO: u64 = 200;
/// … but a small one may be mostly of zeros.
pub(super) const FREE_BYTES: u64 = 16 << 20;
/// Folders below each other.
pub(super) const MAX_DEPTH: usize = 8;
