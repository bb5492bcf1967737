//! `tokens.cu` as it is compiled for a type and a number of channels, and how its kernels are launched.

use std::ffi::CStr;

use tch::{Kind, Tensor};

use crate::kernels::{
    launch::{Argument, Kernel, Kernels, Launch},
    variant::{Variant, adjacent, type_name},
};

/// Most threads that go through one token.
const MOST_THREADS: i64 = 128;
/// Most vectors of a thread.
const MOST_VECTORS: i64 = 8;
/// Threads of a block that norms and rotates heads.
const HEAD_THREADS: i64 = 256;

const SOURCE: &CStr = {
    let source = concat!(
        include_str!("../numbers.cu"),
        include_str!("tokens.cu"),
        "\0"
    );
    match CStr::from_bytes_with_nul(source.as_bytes()) {
        Ok(source) => source,
        Err(_) => panic!("the source has no zero"),
    }
};

/// One of its kernels.
pub(in crate::kernels) fn example() -> Variant {
    let example = per_head(c"norm_rotate", Kind::BFloat16, 128);
    example.expect("the source takes heads of 128 channels")
}

/// A kernel with a block for each token.
pub(super) struct PerToken {
    kernel: Kernel,
    launch: Launch,
    channels: i32,
}

impl PerToken {
    /// The kernel `name` for the tokens of `x`, (1, L, D), with other `tokens` of the same size and vectors of (1, 1, D). `None`
    /// if there are no tokens, if they are of different types, do not lie in a row, or have channels that it does not take.
    pub(super) fn of(
        kernels: &Kernels,
        name: &'static CStr,
        x: &Tensor,
        tokens: &[&Tensor],
        vectors: &[&Tensor],
    ) -> Option<Self> {
        let channels = *x.size().last()?;
        let is_taken = |other: &Tensor, numbers: usize| {
            other.kind() == x.kind()
                && other.numel() == numbers
                && is_in_a_row(other, adjacent(channels))
        };
        if x.numel() == 0
            || !is_taken(x, x.numel())
            || !tokens.iter().all(|other| is_taken(other, x.numel()))
            || !vectors
                .iter()
                .all(|other| is_taken(other, channels as usize))
        {
            return None;
        }
        let (variant, threads) = per_token(name, x.kind(), channels)?;
        Some(Self {
            kernel: kernels.get(&variant)?,
            launch: Launch {
                grid: [u32::try_from(x.numel() as i64 / channels).ok()?, 1, 1],
                threads: threads as u32,
                shared_bytes: 0,
            },
            channels: i32::try_from(channels).ok()?,
        })
    }

    /// Launches the kernel with these tensors; the number of channels follows them, and `eps` if there is one.
    pub(super) fn launch(&self, tensors: &[&Tensor], eps: Option<f64>) {
        let tensors = tensors.iter().map(|tensor| Argument::Tensor(tensor));
        let arguments = tensors
            .chain([Argument::Int(self.channels)])
            .chain(eps.map(Argument::Double));
        self.kernel
            .launch(&self.launch, &arguments.collect::<Vec<_>>());
    }
}

/// Whether a kernel can go through a tensor, so many adjacent numbers at a time.
pub(super) fn is_in_a_row(x: &Tensor, adjacent: i64) -> bool {
    let vector_bytes = (x.kind().elt_size_in_bytes() * adjacent as usize).min(16);
    x.is_contiguous() && (x.data_ptr() as usize).is_multiple_of(vector_bytes)
}

/// The kernel `name` for so many channels, and threads of a block; `None` if they are too many for registers.
pub(super) fn per_token(name: &'static CStr, kind: Kind, channels: i64) -> Option<(Variant, i64)> {
    let adjacent = adjacent(channels);
    let vectors = (channels / adjacent) as u64;
    let threads = (vectors.next_multiple_of(32) as i64).min(MOST_THREADS);
    let per_thread = vectors.div_ceil(threads as u64) as i64;
    if per_thread > MOST_VECTORS {
        return None;
    }
    let variant = variant(name, kind, &[("N", adjacent), ("PER", per_thread)])?;
    Some((variant, threads))
}

/// The kernel `name` for heads of so many channels; `None` if they are not in pairs, or are too many for the threads that
/// share a head.
pub(super) fn per_head(name: &'static CStr, kind: Kind, head_dim: i64) -> Option<Variant> {
    let adjacent = adjacent(head_dim);
    let lanes = ((head_dim / adjacent) as u64).next_power_of_two() as i64;
    if adjacent == 1 || lanes > 32 {
        return None;
    }
    let definitions = [("N", adjacent), ("LANES", lanes), ("HEAD_DIM", head_dim)];
    variant(name, kind, &definitions)
}

/// A block for each of so many tokens.
pub(super) fn launch_of_heads(tokens: i64) -> Option<Launch> {
    Some(Launch {
        grid: [u32::try_from(tokens).ok()?, 1, 1],
        threads: HEAD_THREADS as u32,
        shared_bytes: 0,
    })
}

/// What the source leaves open and `definitions` do not say is 1: the other kernels of the source have a use for it.
fn variant(name: &'static CStr, kind: Kind, definitions: &[(&str, i64)]) -> Option<Variant> {
    let is_given = |name: &str| definitions.iter().any(|(given, _)| *given == name);
    let others = ["PER", "LANES", "HEAD_DIM"]
        .into_iter()
        .filter(|name| !is_given(name))
        .map(|name| (name, 1));
    let numbers = definitions.iter().copied().chain(others);
    let numbers = numbers.map(|(name, number)| format!("{name}={number}"));
    Some(Variant {
        source: SOURCE,
        name,
        definitions: [format!("T={}", type_name(kind)?)]
            .into_iter()
            .chain(numbers)
            .collect(),
    })
}
