//! Layers that never look at a later frame: convolution, resnet, upsampling.
//!
//! Group norms are the exception: their statistics span all frames that are processed together, which is
//! why a tile's frames depend on the tile.

use tch::{Kind, Tensor};

use super::config::Config;
use super::steps::Along;
use crate::nn::{Conv3d, GroupNorm};
use crate::weights::{Weights, WeightsError};

/// Epsilon of every group norm.
pub(super) const NORM_EPS: f64 = 1e-6;

/// 3-D convolution whose window ends at the current frame (diffusers' `HunyuanVideoCausalConv3d`).
///
/// Edges are replicated: half a window on each side in space, and in time the first frame for the whole
/// window before it.
#[derive(Debug)]
pub(super) struct CausalConv3d {
    conv: Conv3d,
    kernel: i64,
}

impl CausalConv3d {
    /// Loads `conv` with a cubic kernel.
    pub(super) fn load(
        w: &Weights<'_>,
        in_channels: i64,
        out_channels: i64,
        kernel: i64,
        stride: [i64; 3],
    ) -> Result<Self, WeightsError> {
        let conv = Conv3d::load(
            &w.pp("conv"),
            in_channels,
            out_channels,
            [kernel; 3],
            stride,
        )?;
        Ok(Self { conv, kernel })
    }

    /// The same convolution in another type.
    pub(super) fn to_kind(&self, kind: Kind) -> Self {
        Self {
            conv: self.conv.to_kind(kind),
            kernel: self.kernel,
        }
    }

    /// (B, in, T, H, W) → (B, out, ⌈T/st⌉, ⌈H/sh⌉, ⌈W/sw⌉), in the type of the weights
    pub(super) fn forward(&self, x: Tensor, along: &mut Along<'_>) -> Tensor {
        self.conv.forward(&self.padded(x, along))
    }

    /// Gives up `x`: nobody needs it while the convolution takes memory.
    fn padded(&self, x: Tensor, along: &mut Along<'_>) -> Tensor {
        let x = in_kind(x, self.kind());
        if self.kernel == 1 {
            return x;
        }
        let (half, past) = (self.kernel / 2, self.past());
        let (x, replicated) = match along {
            Along::AllFrames => (x, past),
            Along::Step(steps) => (steps.with_past(x, past), 0),
        };
        x.replication_pad3d([half, half, half, half, replicated, 0])
    }

    /// Frames before a frame that it depends on.
    pub(super) fn past(&self) -> i64 {
        self.kernel - 1
    }

    /// Type of the weights.
    pub(super) fn kind(&self) -> Kind {
        self.conv.kind()
    }
}

/// The same numbers in another type.
fn in_kind(x: Tensor, kind: Kind) -> Tensor {
    if x.kind() == kind { x } else { x.to_kind(kind) }
}

/// Group norm, then SiLU: what precedes every convolution inside the VAE.
#[derive(Debug)]
pub(super) struct NormSilu(GroupNorm);

impl NormSilu {
    pub(super) fn load(w: &Weights<'_>, groups: i64, channels: i64) -> Result<Self, WeightsError> {
        Ok(Self(GroupNorm::load(w, groups, channels, NORM_EPS)?))
    }

    /// (B, C, T, H, W) → same, in the type of the input
    pub(super) fn forward(&self, x: &Tensor, along: &mut Along<'_>) -> Tensor {
        let mut normed = match along {
            Along::AllFrames => self.0.forward(x),
            Along::Step(steps) => self.0.with(x, &steps.statistics(x, self.0.groups())),
        };
        normed.silu_()
    }
}

/// Two convolutions beside a shortcut (diffusers' `HunyuanVideoResnetBlockCausal3D`).
#[derive(Debug)]
pub(super) struct ResnetBlock {
    norm1: NormSilu,
    conv1: CausalConv3d,
    norm2: NormSilu,
    conv2: CausalConv3d,
    /// Where the number of channels changes.
    conv_shortcut: Option<CausalConv3d>,
}

impl ResnetBlock {
    pub(super) fn load(
        w: &Weights<'_>,
        in_channels: i64,
        out_channels: i64,
        groups: i64,
    ) -> Result<Self, WeightsError> {
        let conv = |name, in_channels, kernel| {
            CausalConv3d::load(&w.pp(name), in_channels, out_channels, kernel, [1, 1, 1])
        };
        let changes_width = in_channels != out_channels;
        Ok(Self {
            norm1: NormSilu::load(&w.pp("norm1"), groups, in_channels)?,
            conv1: conv("conv1", in_channels, 3)?,
            norm2: NormSilu::load(&w.pp("norm2"), groups, out_channels)?,
            conv2: conv("conv2", out_channels, 3)?,
            conv_shortcut: changes_width
                .then(|| conv("conv_shortcut", in_channels, 1))
                .transpose()?,
        })
    }

    /// (B, in, T, H, W) → (B, out, T, H, W). The type of the input is that of its norm and of the sum; between them is
    /// the weights'.
    pub(super) fn forward(&self, x: &Tensor, along: &mut Along<'_>) -> Tensor {
        let mut h = self.norm1.forward(x, along);
        h = self.conv1.forward(h, along);
        h = self.norm2.forward(&h, along);
        h = self.conv2.forward(h, along);
        let mut h = h.to_kind(x.kind());
        match &self.conv_shortcut {
            Some(conv) => h.g_add_(&conv.forward(x.shallow_clone(), along)),
            None => h.g_add_(x),
        }
    }
}

/// The resnets of one level; the first changes the number of channels.
#[derive(Debug)]
pub(super) struct Resnets(Vec<ResnetBlock>);

impl Resnets {
    pub(super) fn load(
        w: &Weights<'_>,
        [from, to]: [i64; 2],
        count: i64,
        config: &Config,
    ) -> Result<Self, WeightsError> {
        let resnet = |r| {
            let from = if r == 0 { from } else { to };
            ResnetBlock::load(&w.pp(r), from, to, config.norm_num_groups)
        };
        (0..count).map(resnet).collect::<Result<_, _>>().map(Self)
    }

    /// Frames before a frame that it depends on by its convolutions.
    pub(super) fn past(&self) -> i64 {
        let pasts = self.0.iter();
        pasts
            .map(|resnet| resnet.conv1.past() + resnet.conv2.past())
            .sum()
    }

    /// (B, from, T, H, W) → (B, to, T, H, W)
    pub(super) fn forward(&self, mut x: Tensor, along: &mut Along<'_>) -> Tensor {
        for resnet in &self.0 {
            x = resnet.forward(&x, along);
        }
        x
    }
}

/// Nearest upsampling, then a convolution (diffusers' `HunyuanVideoUpsampleCausal3D`).
///
/// The first frame stands for itself, every other latent frame for `factors[0]` frames.
#[derive(Debug)]
pub(super) struct Upsample {
    conv: CausalConv3d,
    factors: [i64; 3],
}

impl Upsample {
    pub(super) fn load(
        w: &Weights<'_>,
        channels: i64,
        factors: [i64; 3],
    ) -> Result<Self, WeightsError> {
        let conv = CausalConv3d::load(&w.pp("conv"), channels, channels, 3, [1, 1, 1])?;
        Ok(Self { conv, factors })
    }

    /// Frames before a frame of its output that it depends on.
    pub(super) fn past(&self) -> i64 {
        self.conv.past()
    }

    /// (B, C, T, H, W) → (B, C, 1 + ft·(T−1), fh·H, fw·W), without the first frame (B, C, ft·T, fh·H, fw·W)
    pub(super) fn forward(&self, x: Tensor, along: &mut Along<'_>) -> Tensor {
        // Nearest values are the same in any type, and there are fewer of them before than after.
        let x = in_kind(x, self.conv.kind());
        self.conv.forward(self.nearest(&x, along), along)
    }

    fn nearest(&self, x: &Tensor, along: &Along<'_>) -> Tensor {
        let [ft, fh, fw] = self.factors;
        let size = x.size();
        let (t, h, w) = (size[2], size[3], size[4]);
        let enlarge = |frames: &Tensor, out_frames| {
            frames.upsample_nearest3d([out_frames, h * fh, w * fw], None, None, None)
        };
        if !along.has_first() {
            return enlarge(x, ft * t);
        }
        let first = enlarge(&x.narrow(2, 0, 1), 1); // (B, C, 1, fh·H, fw·W)
        if t == 1 {
            return first;
        }
        let others = enlarge(&x.narrow(2, 1, t - 1), ft * (t - 1)); // (B, C, ft·(T−1), fh·H, fw·W)
        Tensor::cat(&[first, others], 2)
    }
}
