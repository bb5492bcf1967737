//! Seeds: as written in the job file, and as the noise needs them.

use std::{fmt, num::ParseIntError, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Visitor};
use sha2::{Digest, Sha256};

/// `seed` of a job file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SeedSpec {
    /// A hash of the job's key: the same job has the same seed each time.
    #[default]
    Auto,
    /// Another seed for each submission, drawn when the job is accepted.
    Random,
    /// This one.
    Fixed(u64),
}

impl SeedSpec {
    /// The seed of the job with this key; `draw` is asked for chance only by `random`.
    ///
    /// Seeds that nobody wrote down have 32 bits: short enough for a file name, and exact in every
    /// JSON reader.
    pub fn resolve(self, key: &str, draw: impl FnOnce() -> u32) -> u64 {
        match self {
            Self::Auto => {
                let hash = Sha256::digest(key);
                u64::from(u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]))
            }
            Self::Random => draw().into(),
            Self::Fixed(seed) => seed,
        }
    }
}

impl fmt::Display for SeedSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Random => f.write_str("random"),
            Self::Fixed(seed) => seed.fmt(f),
        }
    }
}

impl FromStr for SeedSpec {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "random" => Ok(Self::Random),
            number => number.parse().map(Self::Fixed),
        }
    }
}

impl Serialize for SeedSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("auto"),
            Self::Random => serializer.serialize_str("random"),
            Self::Fixed(seed) => serializer.serialize_u64(*seed),
        }
    }
}

impl<'de> Deserialize<'de> for SeedSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SeedVisitor)
    }
}

struct SeedVisitor;

impl Visitor<'_> for SeedVisitor {
    type Value = SeedSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`auto`, `random` or a whole number from 0 to 2^64-1")
    }

    fn visit_u64<E>(self, seed: u64) -> Result<SeedSpec, E> {
        Ok(SeedSpec::Fixed(seed))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<SeedSpec, E> {
        match text {
            "auto" => Ok(SeedSpec::Auto),
            "random" => Ok(SeedSpec::Random),
            other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_repeats_for_a_key_and_differs_between_keys() {
        let seed = |key| SeedSpec::Auto.resolve(key, || unreachable!("auto draws nothing"));
        assert_eq!(seed("a"), seed("a"));
        assert_ne!(seed("a"), seed("b"));
        // sha256("a") = ca978112…
        assert_eq!(seed("a"), 0xca97_8112);
    }

    #[test]
    fn random_is_drawn_and_fixed_is_kept() {
        assert_eq!(SeedSpec::Random.resolve("a", || 5), 5);
        assert_eq!(SeedSpec::Fixed(u64::MAX).resolve("a", || 5), u64::MAX);
    }

    #[test]
    fn json_is_what_the_job_file_says() {
        for (seed, json) in [
            (SeedSpec::Auto, "\"auto\""),
            (SeedSpec::Random, "\"random\""),
            (SeedSpec::Fixed(u64::MAX), "18446744073709551615"),
        ] {
            assert_eq!(serde_json::to_string(&seed).unwrap(), json);
            assert_eq!(serde_json::from_str::<SeedSpec>(json).unwrap(), seed);
        }
        assert!(serde_json::from_str::<SeedSpec>("\"yes\"").is_err());
    }
}
