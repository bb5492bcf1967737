//! The two kinds of transformer block (diffusers' `HunyuanVideoTransformerBlock` and
//! `HunyuanVideoSingleTransformerBlock`, after Flux).
//!
//! Shapes: image tokens (B, L, D) with rotary positions, text tokens (B, N, D) without. In every joint sequence
//! the image comes first. The modulation vectors come from [`modulation`](super::modulation).

use tch::Tensor;

use super::{
    config::Config,
    key_values::Attending,
    modulation::{DOUBLE_VECTORS, ModulationVectors, SINGLE_VECTORS, vectors},
};
use crate::{
    kernels::{add_gated, modulated_norm},
    nn::{Linear, RmsNorm},
    weights::{Weights, WeightsError},
};

pub(super) const EPS: f64 = 1e-6;

/// The two streams on their way through the blocks.
#[derive(Debug)]
pub(super) struct Streams {
    /// (B, L, D)
    pub(super) image: Tensor,
    /// (B, N, D)
    pub(super) text: Tensor,
}

/// One entry of the block list.
#[derive(Debug)]
pub(super) enum Block {
    Double(Box<DoubleBlock>),
    Single(SingleBlock),
}

impl Block {
    pub(super) fn forward(
        &self,
        streams: Streams,
        modulation: &ModulationVectors,
        attending: Attending<'_>,
    ) -> Streams {
        match (self, modulation) {
            (Self::Double(block), ModulationVectors::Double { image, text }) => {
                block.forward(streams, (image, text), attending)
            }
            (Self::Single(block), ModulationVectors::Single(joint)) => {
                block.forward(streams, joint, attending)
            }
            _ => unreachable!("blocks and their modulation are listed in the same order"),
        }
    }
}

/// Activation of a [`FeedForward`].
#[derive(Debug, Clone, Copy)]
pub(super) enum FeedForwardActivation {
    GeluTanh,
    Silu,
}

/// Linear → activation → Linear.
#[derive(Debug)]
pub(super) struct FeedForward {
    proj: Linear,
    out: Linear,
    activation: FeedForwardActivation,
}

impl FeedForward {
    pub(super) fn load(
        w: &Weights<'_>,
        dim: i64,
        hidden: i64,
        activation: FeedForwardActivation,
    ) -> Result<Self, WeightsError> {
        let proj = Linear::load(&w.pp("net.0.proj"), dim, hidden)?;
        Ok(Self {
            proj,
            out: Linear::load(&w.pp("net.2"), hidden, dim)?,
            activation,
        })
    }

    /// (B, L, D) → (B, L, D)
    pub(super) fn forward(&self, x: &Tensor) -> Tensor {
        let hidden = self.proj.forward(x);
        let hidden = match self.activation {
            FeedForwardActivation::GeluTanh => hidden.gelu("tanh"),
            FeedForwardActivation::Silu => hidden.silu(),
        };
        self.out.forward(&hidden)
    }
}

/// Projections of one stream to normalised queries and keys, and values.
#[derive(Debug)]
struct Qkv {
    to_q: Linear,
    to_k: Linear,
    to_v: Linear,
    norm_q: RmsNorm,
    norm_k: RmsNorm,
    heads: i64,
}

/// Names in the files of `[to_q, to_k, to_v, norm_q, norm_k]` in a stream that has its own context projections.
const CONTEXT_QKV: [&str; 5] = [
    "add_q_proj",
    "add_k_proj",
    "add_v_proj",
    "norm_added_q",
    "norm_added_k",
];
const IMAGE_QKV: [&str; 5] = ["to_q", "to_k", "to_v", "norm_q", "norm_k"];

impl Qkv {
    fn load(attn: &Weights<'_>, names: [&str; 5], config: &Config) -> Result<Self, WeightsError> {
        let (dim, head_dim) = (config.hidden_size(), config.attention_head_dim);
        let [to_q, to_k, to_v, norm_q, norm_k] = names.map(|name| attn.pp(name));
        Ok(Self {
            to_q: Linear::load(&to_q, dim, dim)?,
            to_k: Linear::load(&to_k, dim, dim)?,
            to_v: Linear::load(&to_v, dim, dim)?,
            norm_q: RmsNorm::load(&norm_q, head_dim, EPS)?,
            norm_k: RmsNorm::load(&norm_k, head_dim, EPS)?,
            heads: config.num_attention_heads,
        })
    }

    /// (B, L, D) → q, k, v, each (B, L, heads, `head_dim`)
    fn forward(&self, x: &Tensor) -> [Tensor; 3] {
        let heads = |x: Tensor| x.unflatten(-1, [self.heads, -1]);
        let q = self.norm_q.forward(&heads(self.to_q.forward(x)));
        let k = self.norm_k.forward(&heads(self.to_k.forward(x)));
        [q, k, heads(self.to_v.forward(x))]
    }
}

/// Image and text with weights of their own that meet in one attention.
#[derive(Debug)]
pub(super) struct DoubleBlock {
    image: TokenStream,
    text: TokenStream,
}

/// One stream's half of a [`DoubleBlock`].
#[derive(Debug)]
struct TokenStream {
    qkv: Qkv,
    to_out: Linear,
    ff: FeedForward,
}

/// Names in the files of one stream's half.
struct StreamNames {
    qkv: [&'static str; 5],
    to_out: &'static str,
    ff: &'static str,
}

const IMAGE: StreamNames = StreamNames {
    qkv: IMAGE_QKV,
    to_out: "to_out.0",
    ff: "ff",
};
const TEXT: StreamNames = StreamNames {
    qkv: CONTEXT_QKV,
    to_out: "to_add_out",
    ff: "ff_context",
};

impl TokenStream {
    fn load(w: &Weights<'_>, names: &StreamNames, config: &Config) -> Result<Self, WeightsError> {
        let dim = config.hidden_size();
        let attn = w.pp("attn");
        Ok(Self {
            qkv: Qkv::load(&attn, names.qkv, config)?,
            to_out: Linear::load(&attn.pp(names.to_out), dim, dim)?,
            ff: FeedForward::load(
                &w.pp(names.ff),
                dim,
                config.mlp_size(),
                FeedForwardActivation::GeluTanh,
            )?,
        })
    }

    /// Residual update after attention: output projection, gate, then the gated feed-forward.
    fn finish(&self, x: &Tensor, attended: &Tensor, m: &[Tensor; 6]) -> Tensor {
        let [_, _, gate_msa, shift_mlp, scale_mlp, gate_mlp] = m;
        let x = add_gated(x, &self.to_out.forward(attended), gate_msa);
        let modulated = modulated_norm(&x, [shift_mlp, scale_mlp], EPS);
        add_gated(&x, &self.ff.forward(&modulated), gate_mlp)
    }
}

impl DoubleBlock {
    pub(super) fn load(w: &Weights<'_>, config: &Config) -> Result<Self, WeightsError> {
        Ok(Self {
            image: TokenStream::load(w, &IMAGE, config)?,
            text: TokenStream::load(w, &TEXT, config)?,
        })
    }

    fn forward(
        &self,
        Streams { image, text }: Streams,
        (image_mod, text_mod): (&Tensor, &Tensor),
        attending: Attending<'_>,
    ) -> Streams {
        let [image_mod, text_mod] = [image_mod, text_mod].map(vectors::<DOUBLE_VECTORS>);

        let attended = {
            let [shift, scale, ..] = &image_mod;
            let [q, k, v] = (self.image.qkv).forward(&modulated_norm(&image, [shift, scale], EPS));
            let [shift, scale, ..] = &text_mod;
            let [qc, kc, vc] = (self.text.qkv).forward(&modulated_norm(&text, [shift, scale], EPS));
            // By value: what is no longer needed is gone before the next allocation.
            let joint = |x: Tensor, context: Tensor| Tensor::cat(&[x, context], 1);
            let rotate = |x: Tensor| attending.rope.rotate(&x);
            let [q, k, v] = [joint(rotate(q), qc), joint(rotate(k), kc), joint(v, vc)];
            attending.attend(q, k, v)
        };
        let [image_len, text_len] = [image.size()[1], text.size()[1]];
        Streams {
            image: self
                .image
                .finish(&image, &attended.narrow(1, 0, image_len), &image_mod),
            text: self
                .text
                .finish(&text, &attended.narrow(1, image_len, text_len), &text_mod),
        }
    }
}

/// Attention and MLP in parallel over the joint sequence (arXiv:2302.05442).
#[derive(Debug)]
pub(super) struct SingleBlock {
    qkv: Qkv,
    proj_mlp: Linear,
    proj_out: Linear,
}

impl SingleBlock {
    pub(super) fn load(w: &Weights<'_>, config: &Config) -> Result<Self, WeightsError> {
        let (dim, mlp) = (config.hidden_size(), config.mlp_size());
        Ok(Self {
            qkv: Qkv::load(&w.pp("attn"), IMAGE_QKV, config)?,
            proj_mlp: Linear::load(&w.pp("proj_mlp"), dim, mlp)?,
            proj_out: Linear::load(&w.pp("proj_out"), dim + mlp, dim)?,
        })
    }

    fn forward(
        &self,
        Streams { image, text }: Streams,
        modulation: &Tensor,
        attending: Attending<'_>,
    ) -> Streams {
        let [image_len, text_len] = [image.size()[1], text.size()[1]];
        let x = Tensor::cat(&[image, text], 1); // (B, L + N, D)
        let [shift, scale, gate] = vectors::<SINGLE_VECTORS>(modulation);

        let joined = {
            let h = modulated_norm(&x, [&shift, &scale], EPS);
            let [q, k, v] = self.qkv.forward(&h);
            let rotate = |x: Tensor| {
                let rotated = attending.rope.rotate(&x.narrow(1, 0, image_len));
                Tensor::cat(&[rotated, x.narrow(1, image_len, text_len)], 1)
            };
            let [q, k] = [rotate(q), rotate(k)];
            let attended = attending.attend(q, k, v);
            let mlp = self.proj_mlp.forward(&h).gelu("tanh");
            Tensor::cat(&[attended, mlp], -1) // (B, L + N, D + mlp)
        };
        let x = add_gated(&x, &self.proj_out.forward(&joined), &gate);
        Streams {
            image: x.narrow(1, 0, image_len),
            text: x.narrow(1, image_len, text_len),
        }
    }
}
