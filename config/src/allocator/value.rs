//! Values of the allocator's options, and what torch accepts of each.

use std::fmt::Display;

use framepack_yaml::Mistake;

/// What kind of value an option has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    /// `True` or `False`, with a capital.
    Truth,
    /// The allocator itself.
    Backend,
    /// Above 0 and below 1.
    Threshold,
    /// From 0 to 1.
    Fraction,
    /// Mebibytes of a large segment.
    LargeSegment,
    /// Mebibytes, at least those of a large segment.
    LargeSegmentOrMore,
    /// A whole number above 0.
    Positive,
    /// A power of two, at most 128.
    Threads,
    /// A power of two, or one for each size: `[256:1,512:2,>:4]`.
    Divisions,
}

/// What earlier options mean for later ones.
#[derive(Debug)]
pub(super) struct Limits {
    /// Mebibytes of a large segment.
    large_segment_mb: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            large_segment_mb: 20,
        }
    }
}

/// Torch's `kMinLargeAlloc`.
const MIN_LARGE_ALLOC_MB: u64 = 10;
/// Torch's `pinned_max_register_threads`.
const MAX_THREADS: u64 = 128;

impl Type {
    /// The value as torch reads it.
    pub(super) fn read<'v>(
        self,
        key: &str,
        value: &'v str,
        limits: &mut Limits,
    ) -> Result<&'v str, Mistake> {
        let refused = |expected: &dyn Display| {
            Mistake::out_of_range(format!("{key}: expected {expected}; found `{value}`"))
        };
        match self {
            Self::Truth => match value {
                "True" | "False" => {}
                _ => return Err(hint_of_truth(key, value, refused(&"True or False"))),
            },
            Self::Backend => {
                if !["native", "cudaMallocAsync"].contains(&value) {
                    return Err(refused(&"native or cudaMallocAsync"));
                }
            }
            Self::Threshold => {
                if !number(value).is_some_and(|value| value > 0.0 && value < 1.0) {
                    return Err(refused(&"a number above 0 and below 1"));
                }
            }
            Self::Fraction => {
                if !number(value).is_some_and(|value| (0.0..=1.0).contains(&value)) {
                    return Err(refused(&"a number, 0 to 1"));
                }
            }
            Self::LargeSegment => match whole(value) {
                Some(mb) if mb > MIN_LARGE_ALLOC_MB => limits.large_segment_mb = mb,
                _ => {
                    let expected = format!("a whole number above {MIN_LARGE_ALLOC_MB}");
                    return Err(refused(&expected));
                }
            },
            Self::LargeSegmentOrMore => {
                let least = limits.large_segment_mb;
                if whole(value).is_none_or(|mb| mb < least) {
                    let expected = format!("a whole number, {least} or more");
                    return Err(refused(&expected).hint(format!("write {key}:{least} or more")));
                }
            }
            Self::Positive => {
                if whole(value).is_none_or(|value| value == 0) {
                    return Err(refused(&"a whole number above 0"));
                }
            }
            Self::Threads => {
                let is_taken = |value: u64| value.is_power_of_two() && value <= MAX_THREADS;
                if !whole(value).is_some_and(is_taken) {
                    let expected = format!("1, 2, 4 or another power of two up to {MAX_THREADS}");
                    return Err(refused(&expected));
                }
            }
            Self::Divisions => divisions(value).map_err(|expected| refused(&expected))?,
        }
        Ok(value)
    }
}

fn hint_of_truth(key: &str, value: &str, mistake: Mistake) -> Mistake {
    let meant = match value.to_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => "True",
        "false" | "0" | "no" | "off" => "False",
        _ => return mistake,
    };
    mistake.hint(format!("write {key}:{meant}"))
}

/// What is expected instead, unless the value is a power of two or a list of them.
fn divisions(value: &str) -> Result<(), &'static str> {
    let power = |text: &str| whole(text).is_some_and(u64::is_power_of_two);
    let Some(list) = value.strip_prefix('[') else {
        return if power(value) {
            Ok(())
        } else {
            Err("a power of two, or a list such as [256:1,512:2,>:4]")
        };
    };
    let Some(list) = list.strip_suffix(']') else {
        return Err("`]` at the end of the list");
    };
    for entry in list.split(',') {
        let Some((size, division)) = entry.split_once(':') else {
            return Err("SIZE:DIVISIONS in each place of the list, as in [256:1,512:2,>:4]");
        };
        if size != ">" && !power(size) {
            return Err("sizes that are powers of two, or `>`");
        }
        if division != "0" && !power(division) {
            return Err("divisions that are powers of two, or 0");
        }
    }
    Ok(())
}

/// A whole number of digits alone.
fn whole(text: &str) -> Option<u64> {
    let is_whole = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_whole)
}

/// A finite number.
fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}
