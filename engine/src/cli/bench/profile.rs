//! `bench transformer --profile`: where a forward's time goes, and how much of it the device's limits explain.

use framepack_engine::{
    device,
    transformer::{Config, Part, Profile, Run},
};
use serde::Serialize;
use tch::{Device, Kind, Tensor};

use super::measure::{median, timed};

/// Side of the matrices whose product shows the device's rate.
const PRODUCT_SIDE: i64 = 8192;
/// What is copied to show the memory's rate.
const COPY_BYTES: i64 = 1 << 30;
const RUNS: usize = 5;

/// A part of the forward.
#[derive(Debug, Serialize)]
pub(super) struct PartTime {
    /// A part, or `other`: what is in none, and waiting for blocks that are streamed.
    part: &'static str,
    millis: f64,
    /// What its arithmetic or its memory traffic takes at the rates measured here; none of `other`.
    limit_millis: Option<f64>,
    /// The limit's share of the time.
    share_of_limit: Option<f64>,
}

/// What the device reaches.
#[derive(Debug, Serialize)]
pub(super) struct Rates {
    /// Of a product of large matrices, in 10¹² operations a second.
    product_tera_flops: f64,
    /// Of a copy, read and written, in 10⁹ bytes a second.
    memory_giga_bytes: f64,
}

impl Rates {
    /// Measures them; on the CPU, and where a card has no room for more, with smaller matrices.
    pub(super) fn measure((kind, device): (Kind, Device)) -> anyhow::Result<Self> {
        let free_bytes = device::free_bytes(device).unwrap_or(0);
        let has_room = free_bytes > 4 * COPY_BYTES.unsigned_abs();
        let (side, bytes) = if has_room {
            (PRODUCT_SIDE, COPY_BYTES)
        } else {
            (PRODUCT_SIDE / 8, COPY_BYTES / 64)
        };
        let square = || Tensor::randn([side, side], (kind, device)) * 0.01;
        let (a, b) = (square(), square());
        let from = Tensor::zeros([bytes], (Kind::Uint8, device));
        let mut to = from.empty_like();
        let product_secs = median_secs(device, || drop(a.matmul(&b)))?;
        let copy_secs = median_secs(device, || to.copy_(&from))?;
        Ok(Self {
            product_tera_flops: 2.0 * (side as f64).powi(3) / product_secs / 1e12,
            memory_giga_bytes: 2.0 * bytes as f64 / copy_secs / 1e9,
        })
    }
}

fn median_secs(device: Device, mut work: impl FnMut()) -> anyhow::Result<f64> {
    let mut secs = Vec::new();
    for _ in 0..=RUNS {
        let (taken, ()) = timed(device, || {
            work();
            Ok(())
        })?;
        secs.push(taken);
    }
    Ok(median(&secs[1..])) // the first one warms up
}

/// The parts of a forward that took so long in all.
pub(super) fn parts(
    profile: &Profile,
    forward_secs: f64,
    work: &Work,
    rates: &Rates,
) -> Vec<PartTime> {
    let parts = Part::ALL.map(|part| {
        let secs = profile.secs(part);
        let limit_secs = match work.of(part) {
            Amount::Operations(operations) => operations / rates.product_tera_flops / 1e12,
            Amount::Bytes(bytes) => bytes / rates.memory_giga_bytes / 1e9,
        };
        (part, secs, limit_secs)
    });
    let measured: f64 = parts.iter().map(|(_, secs, _)| secs).sum();
    let rows = parts.into_iter().map(|(part, secs, limit_secs)| PartTime {
        part: part.as_str(),
        millis: secs * 1e3,
        limit_millis: Some(limit_secs * 1e3),
        share_of_limit: (secs > 0.0).then(|| limit_secs / secs),
    });
    let other = PartTime {
        part: "other",
        millis: (forward_secs - measured) * 1e3,
        limit_millis: None,
        share_of_limit: None,
    };
    rows.chain([other]).collect()
}

/// What a forward has to do.
#[derive(Debug)]
pub(super) struct Work {
    tokens: f64,
    hidden: f64,
    mlp: f64,
    head_dim: f64,
    double_blocks: f64,
    single_blocks: f64,
    number_bytes: f64,
}

/// Arithmetic, or what passes through memory where that is the limit.
enum Amount {
    Operations(f64),
    Bytes(f64),
}

impl Work {
    pub(super) fn new(config: &Config, run: &Run, kind: Kind) -> Self {
        Self {
            tokens: run.tokens as f64,
            hidden: config.hidden_size() as f64,
            mlp: config.mlp_size() as f64,
            head_dim: config.attention_head_dim as f64,
            double_blocks: config.num_layers as f64,
            single_blocks: config.num_single_layers as f64,
            number_bytes: kind.elt_size_in_bytes() as f64,
        }
    }

    /// Of one part in all blocks. Norms and rotations read each of their tensors once and write it once.
    fn of(&self, part: Part) -> Amount {
        let product = |from: f64, to: f64| 2.0 * self.tokens * from * to;
        let blocks = self.double_blocks + self.single_blocks;
        let (dim, mlp) = (self.hidden, self.mlp);
        let tensors = |count: f64| count * self.tokens * dim * self.number_bytes;
        match part {
            Part::Qkv => Amount::Operations(blocks * product(dim, 3.0 * dim)),
            Part::Attention => Amount::Operations(blocks * 4.0 * self.tokens.powi(2) * dim),
            Part::Projections => Amount::Operations(
                self.double_blocks * product(dim, dim)
                    + self.single_blocks * product(dim + mlp, dim),
            ),
            Part::Mlp => Amount::Operations(
                self.double_blocks * 2.0 * product(dim, mlp)
                    + self.single_blocks * product(dim, mlp),
            ),
            // Norm: 2. Gated sum: 3. Both in one: 4.
            Part::Norm => {
                Amount::Bytes(tensors(9.0 * self.double_blocks + 5.0 * self.single_blocks))
            }
            Part::Rope => {
                let tables = 2.0 * 4.0 * self.tokens * self.head_dim;
                Amount::Bytes(blocks * (tensors(4.0) + tables))
            }
        }
    }
}
