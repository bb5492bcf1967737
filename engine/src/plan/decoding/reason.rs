//! How a job's frames are decoded, and why.

use std::fmt;

use crate::vae::DecodeScheme;

/// How a job's frames are decoded, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChosenScheme {
    pub(crate) scheme: DecodeScheme,
    pub(crate) reason: SchemeReason,
}

/// Why frames are decoded as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SchemeReason {
    /// Nothing else was asked for.
    Default,
    /// `vae.mode: reference`.
    Reference,
    /// A chunk, a cross-fade, or `vae.mode: chunked`.
    Chunked,
    /// `vae.quality: on`.
    Quality,
    /// Memory ran out before.
    Relief,
    /// The device is too full.
    Room,
}

impl fmt::Display for SchemeReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "nothing else was asked for",
            Self::Reference => "`vae.mode` is reference",
            Self::Chunked => "chunks were asked for",
            Self::Quality => "`vae.quality` is on",
            Self::Relief => "memory ran out before",
            Self::Room => "there is no memory for larger pieces",
        })
    }
}
