//! Layers that never look at a later frame: convolution, resnet, upsampling.
//!
//! Group norms are the exception: their statistics span all frames that are processed together, which is
//! why a tile's frames depend on the tile.

use tch::{Kind, Tensor};

use super::channels_last::{self, convolved, in_kind, phases_of, upsampled};
use super::config::Config;
use super::frames::Frames;
use super::steps::{Along, moments_in_frames};
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

    /// Prepares the weights for frames with channels last.
    pub(super) fn pack(&mut self) {
        self.conv = Conv3d::channels_last(self.conv.parameters(), self.conv.stride());
    }

    /// The same convolution in another type.
    pub(super) fn to_kind(&self, kind: Kind) -> Self {
        Self {
            conv: self.conv.to_kind(kind),
            kernel: self.kernel,
        }
    }

    /// Frames of `in` channels → ⌈T/st⌉ frames of ⌈H/sh⌉ × ⌈W/sw⌉ and `out` channels, in the type of the weights
    pub(super) fn forward(&self, frames: Frames, along: &mut Along<'_>) -> Frames {
        match frames {
            Frames::ChannelsFirst(x) => Frames::ChannelsFirst(self.of_tensor(x, along)),
            Frames::ChannelsLast(frames) => {
                Frames::ChannelsLast(channels_last::alone(&self.conv, frames, along))
            }
        }
    }

    /// (B, in, T, H, W) → (B, out, ⌈T/st⌉, ⌈H/sh⌉, ⌈W/sw⌉), in the type of the weights
    fn of_tensor(&self, x: Tensor, along: &mut Along<'_>) -> Tensor {
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

/// Group norm, then SiLU: what precedes every convolution inside the VAE.
#[derive(Debug)]
pub(super) struct NormSilu(GroupNorm);

impl NormSilu {
    pub(super) fn load(w: &Weights<'_>, groups: i64, channels: i64) -> Result<Self, WeightsError> {
        Ok(Self(GroupNorm::load(w, groups, channels, NORM_EPS)?))
    }

    /// (B, C, T, H, W) → same, in the type of the input
    fn of_tensor(&self, x: &Tensor, along: &mut Along<'_>) -> Tensor {
        let mut normed = match along {
            Along::AllFrames => self.0.forward(x),
            Along::Step(steps) => {
                let seen = || moments_in_frames(x, self.0.groups());
                self.0.with(x, &steps.statistics(seen))
            }
        };
        normed.silu_()
    }
}

/// Norm, SiLU and a convolution at the end of a model.
#[derive(Debug)]
pub(super) struct NormedConv {
    norm: NormSilu,
    conv: CausalConv3d,
}

impl NormedConv {
    /// Loads `conv_norm_out` and `conv_out`.
    pub(super) fn load(
        w: &Weights<'_>,
        [from, to]: [i64; 2],
        groups: i64,
    ) -> Result<Self, WeightsError> {
        Ok(Self {
            norm: NormSilu::load(&w.pp("conv_norm_out"), groups, from)?,
            conv: CausalConv3d::load(&w.pp("conv_out"), from, to, 3, [1, 1, 1])?,
        })
    }

    /// Prepares the weights for frames with channels last.
    pub(super) fn pack(&mut self) {
        self.conv.pack();
    }

    /// Frames before a frame that it depends on by its convolution.
    pub(super) fn past(&self) -> i64 {
        self.conv.past()
    }

    /// Lets the norm see frames whose convolution nobody needs.
    pub(super) fn see(&self, frames: &Frames, along: &mut Along<'_>) {
        let Along::Step(steps) = along else { return };
        match frames {
            Frames::ChannelsFirst(x) => {
                let _so_far = steps.statistics(|| moments_in_frames(x, self.norm.0.groups()));
            }
            Frames::ChannelsLast(frames) => {
                let _so_far = frames.scaling(&self.norm.0, along);
            }
        }
    }

    /// Frames of `from` channels → (B, to, T, H, W), in the type of the frames
    pub(super) fn forward(&self, frames: Frames, along: &mut Along<'_>) -> Tensor {
        let conv = self.conv.to_kind(frames.kind());
        match frames {
            Frames::ChannelsFirst(x) => conv.of_tensor(self.norm.of_tensor(&x, along), along),
            Frames::ChannelsLast(frames) => {
                let normed = frames.scaling(&self.norm.0, along);
                let x = (&frames.x, &*frames.kernels);
                let y = convolved(&conv.conv, x, Some(&normed), along);
                let [_, bias] = conv.conv.parameters();
                (y + bias)
                    .to_kind(conv.kind())
                    .unsqueeze(0)
                    .permute([0, 4, 1, 2, 3])
            }
        }
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

    /// Prepares the weights for frames with channels last.
    pub(super) fn pack(&mut self) {
        self.conv1.pack();
        self.conv2.pack();
    }

    /// Frames of `in` channels → as many of `out` channels. The type of the input is that of its norm and of the sum;
    /// between them is the weights'.
    pub(super) fn forward(&self, frames: Frames, along: &mut Along<'_>) -> Frames {
        match frames {
            Frames::ChannelsFirst(x) => Frames::ChannelsFirst(self.of_tensor(&x, along)),
            Frames::ChannelsLast(frames) => {
                let layers = channels_last::ResnetLayers {
                    norms: [&self.norm1.0, &self.norm2.0],
                    convs: [&self.conv1.conv, &self.conv2.conv],
                    shortcut: self.conv_shortcut.as_ref().map(|shortcut| &shortcut.conv),
                };
                Frames::ChannelsLast(channels_last::resnet(&layers, frames, along))
            }
        }
    }

    /// (B, in, T, H, W) → (B, out, T, H, W)
    fn of_tensor(&self, x: &Tensor, along: &mut Along<'_>) -> Tensor {
        let mut h = self.norm1.of_tensor(x, along);
        h = self.conv1.of_tensor(h, along);
        h = self.norm2.of_tensor(&h, along);
        h = self.conv2.of_tensor(h, along);
        let mut h = h.to_kind(x.kind());
        match &self.conv_shortcut {
            Some(conv) => h.g_add_(&conv.of_tensor(x.shallow_clone(), along)),
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

    /// Prepares the weights for frames with channels last.
    pub(super) fn pack(&mut self) {
        self.0.iter_mut().for_each(ResnetBlock::pack);
    }

    /// Frames of `from` channels → as many of `to` channels
    pub(super) fn forward(&self, frames: Frames, along: &mut Along<'_>) -> Frames {
        let resnets = self.0.iter();
        resnets.fold(frames, |frames, resnet| resnet.forward(frames, along))
    }
}

/// Nearest upsampling, then a convolution (diffusers' `HunyuanVideoUpsampleCausal3D`).
///
/// The first frame stands for itself, every other latent frame for `factors[0]` frames.
#[derive(Debug)]
pub(super) struct Upsample {
    factors: [i64; 3],
    conv: UpsampleConv,
}

/// What computes an upsampling.
#[derive(Debug)]
enum UpsampleConv {
    /// A convolution of frames that were upsampled.
    OfNearest(CausalConv3d),
    /// One of the frames as they were, for channels last.
    OfPhases(Conv3d),
}

impl Upsample {
    pub(super) fn load(
        w: &Weights<'_>,
        channels: i64,
        factors: [i64; 3],
    ) -> Result<Self, WeightsError> {
        let conv = CausalConv3d::load(&w.pp("conv"), channels, channels, 3, [1, 1, 1])?;
        Ok(Self {
            factors,
            conv: UpsampleConv::OfNearest(conv),
        })
    }

    /// Prepares the weights for frames with channels last.
    pub(super) fn pack(&mut self) {
        if let UpsampleConv::OfNearest(conv) = &mut self.conv {
            match phases_of(&conv.conv, self.factors) {
                Some(phases) => self.conv = UpsampleConv::OfPhases(phases),
                None => conv.pack(),
            }
        }
    }

    /// Frames before a frame of its output that it depends on, at most.
    pub(super) fn past(&self) -> i64 {
        match &self.conv {
            UpsampleConv::OfNearest(conv) => conv.past(),
            UpsampleConv::OfPhases(conv) => self.factors[0] * (conv.kernel_frames() - 1),
        }
    }

    /// T frames of H × W → 1 + ft·(T−1) frames of fh·H × fw·W, without the first frame ft·T frames
    pub(super) fn forward(&self, frames: Frames, along: &mut Along<'_>) -> Frames {
        match (&self.conv, frames) {
            (UpsampleConv::OfPhases(phases), Frames::ChannelsLast(frames)) => {
                Frames::ChannelsLast(upsampled(phases, &frames, along))
            }
            (UpsampleConv::OfNearest(conv), frames) => {
                // Nearest values are the same in any type, and there are fewer of them before than after.
                let frames = frames.in_kind(conv.kind());
                let nearest = frames.map(|x| self.nearest(&x, along));
                conv.forward(nearest, along)
            }
            (UpsampleConv::OfPhases(_), Frames::ChannelsFirst(_)) => {
                unreachable!("packed layers are given packed frames")
            }
        }
    }

    /// (B, C, T, H, W) → (B, C, 1 + ft·(T−1), fh·H, fw·W), without the first frame (B, C, ft·T, fh·H, fw·W)
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
