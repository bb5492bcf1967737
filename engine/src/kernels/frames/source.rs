//! `frames.cu` as it is compiled for types and channels, and how its kernels are launched.

use std::ffi::CStr;

use tch::{Kind, Tensor};

use super::moments::Moments;
use crate::kernels::{
    launch::{Argument, Kernel, Kernels, Launch},
    variant::{Variant, adjacent, type_name},
};

/// Threads of a block, about.
pub(super) const THREADS: i64 = 256;
/// Most blocks that gather moments: each leaves a part.
const MOST_PARTS: u64 = 2048;

/// Types of a kernel's inputs and of its result.
#[derive(Debug, Clone, Copy)]
pub(super) struct Types {
    pub(super) a: Kind,
    pub(super) b: Kind,
    pub(super) out: Kind,
}

/// The kernel `name` for these types and channels, with the number of channels that a thread takes.
pub(super) fn kernel(
    kernels: &Kernels,
    name: &'static CStr,
    types: Types,
    channels: i64,
) -> Option<(Kernel, i64)> {
    let adjacent = adjacent(channels);
    if channels / adjacent > 1024 {
        return None;
    }
    let kernel = kernels.get(&variant(name, types, adjacent)?)?;
    Some((kernel, adjacent))
}

pub(super) fn variant(name: &'static CStr, types: Types, adjacent: i64) -> Option<Variant> {
    let definition = |name: &str, kind| Some(format!("{name}={}", type_name(kind)?));
    Some(Variant {
        source: SOURCE,
        name,
        definitions: vec![
            definition("A", types.a)?,
            definition("B", types.b)?,
            definition("OUT", types.out)?,
            format!("N={adjacent}"),
        ],
    })
}

/// One of its kernels.
pub(in crate::kernels) fn example() -> Variant {
    let kind = Kind::Half;
    let types = Types {
        a: kind,
        b: kind,
        out: kind,
    };
    variant(c"add", types, 8).expect("the source takes half precision")
}

const SOURCE: &CStr = {
    let source = concat!(
        include_str!("../numbers.cu"),
        include_str!("frames.cu"),
        "\0"
    );
    match CStr::from_bytes_with_nul(source.as_bytes()) {
        Ok(source) => source,
        Err(_) => panic!("the source has no zero"),
    }
};

/// A kernel that goes through positions and gathers their moments.
pub(super) struct Gathering {
    kernel: Kernel,
    launch: Launch,
    moments: Tensor,
    /// Positions, channels, and positions of a block.
    sizes: [i32; 3],
}

impl Gathering {
    /// The kernel `name` for the positions of `frames`, (T, H, W, C), which it reads or makes.
    pub(super) fn of(
        kernels: &Kernels,
        name: &'static CStr,
        types: Types,
        frames: &Tensor,
    ) -> Option<Self> {
        let channels = *frames.size().last()?;
        let (kernel, adjacent) = kernel(kernels, name, types, channels)?;
        let positions = frames.numel() as i64 / channels;
        let vectors = channels / adjacent;
        let lanes = (THREADS / vectors).max(1);
        let per_block = (positions as u64).div_ceil(MOST_PARTS) as i64;
        let per_block = (per_block as u64).next_multiple_of(lanes as u64) as i64;
        let blocks = (positions as u64).div_ceil(per_block as u64) as i64;
        let size = |number: i64| i32::try_from(number).ok();
        Some(Self {
            kernel,
            launch: Launch {
                grid: [blocks as u32, 1, 1],
                threads: (vectors * lanes) as u32,
                // A pair of f32 for each channel of each lane, and a count for each lane.
                shared_bytes: (lanes * channels * 8 + lanes * 4) as u32,
            },
            moments: Tensor::empty([blocks, 3, channels], (Kind::Float, frames.device())),
            sizes: [size(positions)?, size(channels)?, size(per_block)?],
        })
    }

    /// Launches the kernel with its first arguments; the moments and the sizes follow them, and then `last`.
    pub(super) fn launch(self, first: &[Argument<'_>], last: Option<Argument<'_>>) -> Moments {
        let sizes = self.sizes.map(Argument::Int);
        let arguments = first
            .iter()
            .copied()
            .chain([Argument::Tensor(&self.moments)]);
        let arguments: Vec<_> = arguments.chain(sizes).chain(last).collect();
        self.kernel.launch(&self.launch, &arguments);
        Moments(self.moments)
    }
}

/// Frames by position, (T·H·W, C).
pub(super) fn by_position(frames: &Tensor) -> Tensor {
    frames.view([-1, *frames.size().last().expect("frames have channels")])
}

/// The moments of `x`, (P, C) f32, by torch's operations.
pub(super) fn moments_of(x: &Tensor) -> Moments {
    let positions = x.size()[0];
    let mean = x.mean_dim(0, false, Kind::Float); // (C)
    let squares = (x - &mean).square_().sum_dim_intlist(0, false, Kind::Float);
    let counts = mean.full_like(positions as f64);
    Moments(Tensor::stack(&[counts, mean, squares], 0).unsqueeze(0)) // (1, 3, C)
}
