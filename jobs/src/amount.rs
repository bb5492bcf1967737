//! Amounts of memory: a number of gigabytes, or `auto`.

use std::{ops::RangeInclusive, str::FromStr};

/// A gigabyte as FramePack's interface counts it.
const GB_BYTES: f64 = 1_073_741_824.0;

/// Range of `memory.preserve_gb`: FramePack's "GPU Memory Preservation", which goes from 6.
pub const PRESERVE_GB: RangeInclusive<f64> = 2.0..=128.0;
/// Range of `memory.host_budget_gb`.
pub const HOST_BUDGET_GB: RangeInclusive<f64> = 1.0..=4096.0;

/// How much memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MemoryAmount {
    /// As much as the worker works out.
    #[default]
    Auto,
    /// This much.
    Bytes(u64),
}

/// Neither `auto` nor a number in the range.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("`{text}` is neither auto nor a number, {} to {}", range.start(), range.end())]
pub struct NoMemoryAmount {
    text: String,
    range: RangeInclusive<f64>,
}

impl MemoryAmount {
    /// In bytes; `None` = auto.
    pub fn bytes(self) -> Option<u64> {
        match self {
            Self::Auto => None,
            Self::Bytes(bytes) => Some(bytes),
        }
    }

    /// In gigabytes of 2^30 bytes; `None` = auto.
    pub fn gb(self) -> Option<f64> {
        self.bytes().map(|bytes| bytes as f64 / GB_BYTES)
    }

    /// `auto`, or a number of gigabytes in the range.
    pub fn parse(text: &str, range: &RangeInclusive<f64>) -> Result<Self, NoMemoryAmount> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let gb = f64::from_str(text).ok().filter(|gb| range.contains(gb));
        gb.map(Self::of_gb).ok_or_else(|| NoMemoryAmount {
            text: text.to_owned(),
            range: range.clone(),
        })
    }

    /// So many gigabytes of 2^30 bytes.
    pub fn of_gb(gb: f64) -> Self {
        Self::Bytes((gb * GB_BYTES).round() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_auto_or_gigabytes_in_a_range() {
        let parse = |text| MemoryAmount::parse(text, &PRESERVE_GB).map_err(|e| e.to_string());
        assert_eq!(parse("auto"), Ok(MemoryAmount::Auto));
        assert_eq!(parse("6"), Ok(MemoryAmount::Bytes(6 << 30)));
        assert_eq!(parse("2.5").unwrap().gb(), Some(2.5));
        for text in ["1", "129", "NaN", "6gb", ""] {
            let expected = format!("`{text}` is neither auto nor a number, 2 to 128");
            assert_eq!(parse(text), Err(expected));
        }
    }
}
