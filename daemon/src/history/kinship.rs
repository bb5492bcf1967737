//! How near a job that was done is to one that is asked for.

use framepack_ipc::worker::Temperature;

use super::{kind::Kind, range::Range, sample::Sample, work::Work};

/// How far other settings and another device may be off.
const OTHER_OPTIONS: Range = Range::factor(0.6, 1.7);
const OTHER_DEVICE: Range = Range::factor(0.25, 4.0);
/// Steps with tokens that differ by less take equally long.
const SAME_TOKENS: f64 = 0.01;
/// What another setting counts for beside a size.
const OTHER_SETTING: f64 = 100.0;

/// A job whose time is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) kind: &'a Kind,
    /// The name of the device that will render it.
    pub(crate) device: &'a str,
    /// What its worker will have loaded of what the job needs.
    pub(crate) temperature: Temperature,
    /// What a worker has found that it will do, if one has.
    pub(crate) work: Option<Work>,
}

/// How near a job that was done is to one that is asked for, the nearest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kinship {
    /// Nothing is known that would make them differ.
    Same,
    /// Another size, length or number of steps.
    OtherSize,
    /// Another step cache or guidance, too.
    OtherCache,
    /// Other settings, too.
    OtherOptions,
    /// Another device.
    OtherDevice,
}

impl Kinship {
    pub(super) fn of(sample: &Sample, question: &Question<'_>) -> Self {
        let (seen, asked) = (&sample.kind, question.kind);
        if sample.device != question.device {
            Self::OtherDevice
        } else if seen == asked {
            Self::Same
        } else if seen.options != asked.options {
            Self::OtherOptions
        } else if seen.cache != asked.cache || seen.is_guided != asked.is_guided {
            Self::OtherCache
        } else {
            Self::OtherSize
        }
    }

    /// How far all that is scaled may be off for what no law is known of.
    pub(super) fn doubt(self) -> Range {
        match self {
            Self::Same | Self::OtherSize | Self::OtherCache => Range::exactly(1.0),
            Self::OtherOptions => OTHER_OPTIONS,
            Self::OtherDevice => OTHER_DEVICE,
        }
    }
}

/// How far a job is from the one that is asked for: settings count for more than any size.
pub(super) fn distance(sample: &Sample, question: &Question<'_>, work: &Work) -> f64 {
    let (seen, asked) = (&sample.kind, question.kind);
    let differs = [
        seen.options != asked.options,
        seen.cache != asked.cache,
        seen.is_guided != asked.is_guided,
    ];
    let settings: f64 = differs
        .map(|differs| f64::from(u8::from(differs)) * OTHER_SETTING)
        .iter()
        .sum();
    settings + (sample.work.tokens / work.tokens).ln().abs()
}

/// Whether steps of both take equally long.
pub(super) fn is_alike(one: &Sample, other: &Sample) -> bool {
    let (kind, others) = (&one.kind, &other.kind);
    one.device == other.device
        && kind.options == others.options
        && kind.cache == others.cache
        && kind.is_guided == others.is_guided
        && (one.work.tokens / other.work.tokens).ln().abs() < SAME_TOKENS
}
