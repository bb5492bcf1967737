//! A number beyond which something happens, or never.

use std::ops::RangeInclusive;

use framepack_yaml::{Mistake, Node};
use serde::{Serialize, Serializer};

/// When something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// It does not.
    Never,
    /// At this number of seconds, days, jobs or whatever the key says.
    At(u32),
}

/// What the number 0 means for a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zero {
    /// The same as `never`, as it was written at first.
    IsNever,
    /// A number as any other.
    IsANumber,
}

impl Limit {
    /// The number; `None` = never.
    pub fn number(self) -> Option<u32> {
        match self {
            Self::Never => None,
            Self::At(number) => Some(number),
        }
    }

    /// Whether `number` is as large as the limit.
    pub fn is_reached(self, number: u32) -> bool {
        self.number().is_some_and(|limit| number >= limit)
    }

    /// `never`, or a number in the range.
    pub(crate) fn read(
        node: &Node,
        range: &RangeInclusive<u32>,
        zero: Zero,
    ) -> Result<Self, Mistake> {
        match node {
            Node::Int(0) if zero == Zero::IsNever => Ok(Self::Never),
            other => {
                let number = other.integer_or("never", range)?;
                Ok(number.map_or(Self::Never, Self::At))
            }
        }
    }
}

impl Serialize for Limit {
    /// As it is written in the configuration.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Never => serializer.serialize_str("never"),
            Self::At(number) => serializer.serialize_u32(*number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_or_never() {
        let read = |text: &str, zero| {
            let node = framepack_yaml::scalar(text);
            Limit::read(&node, &(1..=9), zero).map_err(|mistake| mistake.message)
        };
        assert_eq!(read("never", Zero::IsANumber), Ok(Limit::Never));
        assert_eq!(read("9", Zero::IsANumber), Ok(Limit::At(9)));
        assert_eq!(read("0", Zero::IsNever), Ok(Limit::Never));
        let outside = Err("0 is out of range (1 to 9)".to_owned());
        assert_eq!(read("0", Zero::IsANumber), outside);
        let neither = Err("`soon` is neither never nor a whole number, 1 to 9".to_owned());
        assert_eq!(read("soon", Zero::IsNever), neither);
        assert!(Limit::At(3).is_reached(3) && !Limit::At(3).is_reached(2));
        assert!(!Limit::Never.is_reached(u32::MAX));
    }
}
