//! What of a CUDA source is compiled: a function, for types and numbers of channels.

use std::ffi::CStr;

use tch::Kind;

/// A function of a source, as it is compiled for some types.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Variant {
    /// CUDA C++ that includes nothing: what it needs of other files is part of it.
    pub(super) source: &'static CStr,
    /// An `extern "C"` function of it.
    pub(super) name: &'static CStr,
    /// What the source leaves open, as in `N=8`.
    pub(super) definitions: Vec<String>,
}

impl Variant {
    /// What the compiler is told, for an architecture as in 90.
    pub(super) fn options(&self, architecture: i32) -> Vec<String> {
        let definitions = self.definitions.iter();
        let definitions = definitions.map(|definition| format!("-D{definition}"));
        [
            format!("--gpu-architecture=sm_{architecture}"),
            "--std=c++17".to_owned(),
        ]
        .into_iter()
        .chain(definitions)
        .collect()
    }
}

/// What a source calls a type.
pub(super) fn type_name(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Float => Some("f32"),
        Kind::Half => Some("f16"),
        Kind::BFloat16 => Some("bf16"),
        _ => None,
    }
}

/// The largest power of two up to 8 that divides `channels`: 16 bytes of half precision.
pub(super) fn adjacent(channels: i64) -> i64 {
    1 << channels.trailing_zeros().min(3)
}
