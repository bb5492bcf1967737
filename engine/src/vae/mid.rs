//! The coarsest level: two resnets with attention between them.

use tch::Tensor;

use super::causal::{NORM_EPS, ResnetBlock};
use super::channels_last::{AttentionLayers, attended};
use super::config::Config;
use super::frames::Frames;
use super::steps::Along;
use crate::nn::{GroupNorm, Linear, attention};
use crate::weights::{Weights, WeightsError};

/// diffusers' `HunyuanVideoMidBlock3D` with one layer.
#[derive(Debug)]
pub(super) struct MidBlock {
    resnets: [ResnetBlock; 2],
    attention: Option<FrameCausalAttention>,
}

impl MidBlock {
    pub(super) fn load(
        w: &Weights<'_>,
        channels: i64,
        config: &Config,
    ) -> Result<Self, WeightsError> {
        let groups = config.norm_num_groups;
        let resnet = |i| ResnetBlock::load(&w.pp("resnets").pp(i), channels, channels, groups);
        let attention = || FrameCausalAttention::load(&w.pp("attentions").pp(0), channels, groups);
        Ok(Self {
            resnets: [resnet(0)?, resnet(1)?],
            attention: config.mid_block_add_attention.then(attention).transpose()?,
        })
    }

    /// Prepares the weights for frames with channels last.
    pub(super) fn pack(&mut self) {
        self.resnets.iter_mut().for_each(ResnetBlock::pack);
    }

    /// Frames → as many
    pub(super) fn forward(&self, frames: Frames, along: &mut Along<'_>) -> Frames {
        let mut frames = self.resnets[0].forward(frames, along);
        if let Some(attention) = &self.attention {
            frames = attention.forward(frames);
        }
        self.resnets[1].forward(frames, along)
    }
}

/// Attention with one head over all positions of this frame and the ones before.
#[derive(Debug)]
struct FrameCausalAttention {
    group_norm: GroupNorm,
    to_q: Linear,
    to_k: Linear,
    to_v: Linear,
    to_out: Linear,
}

impl FrameCausalAttention {
    fn load(w: &Weights<'_>, channels: i64, groups: i64) -> Result<Self, WeightsError> {
        let linear = |name| Linear::load(&w.pp(name), channels, channels);
        Ok(Self {
            group_norm: GroupNorm::load(&w.pp("group_norm"), groups, channels, NORM_EPS)?,
            to_q: linear("to_q")?,
            to_k: linear("to_k")?,
            to_v: linear("to_v")?,
            to_out: linear("to_out.0")?,
        })
    }

    /// Frames → as many, with the input added
    fn forward(&self, frames: Frames) -> Frames {
        match frames {
            Frames::ChannelsFirst(x) => Frames::ChannelsFirst(self.of_tensor(&x)),
            Frames::ChannelsLast(frames) => {
                let layers = AttentionLayers {
                    norm: &self.group_norm,
                    inputs: [&self.to_q, &self.to_k, &self.to_v],
                    output: &self.to_out,
                };
                Frames::ChannelsLast(attended(&layers, frames))
            }
        }
    }

    /// (B, C, T, H, W) → same, with the input added
    fn of_tensor(&self, x: &Tensor) -> Tensor {
        let shape = x.size();
        let (frames, frame_len) = (shape[2], shape[3] * shape[4]);
        let tokens = self.group_norm.forward(x).to_kind(self.to_q.kind());
        let tokens = tokens.flatten(2, 4).transpose(1, 2); // (B, N, C), N = T·H·W
        let head = |linear: &Linear| linear.forward(&tokens).unsqueeze(1); // (B, 1, N, C)
        let (q, k, v) = (head(&self.to_q), head(&self.to_k), head(&self.to_v));

        // One call per frame over the keys so far: upstream's N × N mask would not fit for long tiles.
        let attended: Vec<_> = (0..frames)
            .map(|frame| {
                let seen = (frame + 1) * frame_len;
                let q = q.narrow(2, frame * frame_len, frame_len);
                attention(&q, &k.narrow(2, 0, seen), &v.narrow(2, 0, seen), None)
            })
            .collect();
        let out = self
            .to_out
            .forward(&Tensor::cat(&attended, 2).squeeze_dim(1)); // (B, N, C)
        out.transpose(1, 2).reshape(shape) + x
    }
}
