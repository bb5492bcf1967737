//! Random ids, of daemons, claims and copies.

use std::{fs, io};

/// 64 random bits in hexadecimal, from the kernel.
pub(crate) fn random_id() -> io::Result<String> {
    let uuid = fs::read_to_string("/proc/sys/kernel/random/uuid")?;
    // The first eight and the last eight of the 32 digits: a version-4 UUID has its fixed bits between them.
    let digits: String = uuid.trim().chars().filter(|c| *c != '-').collect();
    Ok(format!("{}{}", &digits[..8], &digits[24..]))
}
