//! Amounts of memory: a number of gigabytes, or `auto`.

use crate::Value;

/// A gigabyte as FramePack's interface counts it.
const GB_BYTES: f64 = 1_073_741_824.0;

/// How much memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MemoryAmount {
    /// As much as the worker works out.
    #[default]
    Auto,
    /// This much.
    Bytes(u64),
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

    /// The amount that a setting is: `auto`, or a number of gigabytes of 2^30 bytes.
    pub fn of(value: &Value) -> Self {
        match value.number() {
            Some(gb) => Self::Bytes((gb * GB_BYTES).round() as u64),
            None => Self::Auto,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::PRESERVE_GB;

    #[test]
    fn amounts_are_auto_or_gigabytes_in_a_range() {
        let read = |text| {
            let value = PRESERVE_GB.read_text(text);
            value
                .map(|value| MemoryAmount::of(&value))
                .map_err(|mistake| mistake.message)
        };
        assert_eq!(read("auto"), Ok(MemoryAmount::Auto));
        assert_eq!(read("6"), Ok(MemoryAmount::Bytes(6 << 30)));
        assert_eq!(read("2.5").unwrap().gb(), Some(2.5));
        for text in ["1", "129"] {
            assert_eq!(
                read(text),
                Err(format!("{text} is out of range (2 to 128)"))
            );
        }
        for text in ["NaN", "6gb", ""] {
            let expected = format!("`{text}` is neither auto nor a number, 2 to 128");
            assert_eq!(read(text), Err(expected));
        }
    }
}
