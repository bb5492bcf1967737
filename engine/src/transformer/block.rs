//! The two kinds of transformer block (diffusers' `HunyuanVideoTransformerBlock` and
//! `HunyuanVideoSingleTransformerBlock`, after Flux).
//!
//! Shapes: image tokens (1, L, D) with rotary positions, text tokens (1, N, D) without. In every joint sequence
//! the image comes first. The modulation vectors come from [`modulation`](super::modulation).

use tch::Tensor;

use super::{
    arithmetic::{Arithmetic, EPS},
    config::Config,
    feed_forward::{FeedForward, FeedForwardActivation},
    key_values::Attending,
    modulation::{DOUBLE_VECTORS, ModulationVectors, SINGLE_VECTORS, vectors},
    profile::Part,
    rope::Rope,
    streams::Streams,
};
use crate::{
    kernels::tokens::HeadNorms,
    nn::{Linear, RmsNorm},
    weights::{Weights, WeightsError},
};

/// One entry of the block list.
#[derive(Debug)]
pub(super) enum Block {
    Double(Box<DoubleBlock>),
    Single(SingleBlock),
}

impl Block {
    pub(super) fn forward(
        &self,
        streams: &Streams,
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

/// What an attention is given, (1, L, D) each.
struct Projected {
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
}

impl Projected {
    /// Room for those of as many tokens as `x` has, (1, L, D).
    fn empty_like(x: &Tensor) -> Self {
        Self {
            queries: x.empty_like(),
            keys: x.empty_like(),
            values: x.empty_like(),
        }
    }

    /// So many tokens from `first`, of the same memory.
    fn tokens(&self, first: i64, count: i64) -> Self {
        let rows = |x: &Tensor| x.narrow(1, first, count);
        Self {
            queries: rows(&self.queries),
            keys: rows(&self.keys),
            values: rows(&self.values),
        }
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

    /// (1, L, D) → `out`, of which the tokens that `rope` has, the first ones, are rotated.
    fn forward(
        &self,
        x: &Tensor,
        rope: Option<&Rope>,
        arithmetic: Arithmetic<'_>,
        out: &Projected,
    ) {
        arithmetic.project(&self.to_q, x, &out.queries);
        arithmetic.project(&self.to_k, x, &out.keys);
        arithmetic.project(&self.to_v, x, &out.values);
        let norms = HeadNorms {
            queries: &self.norm_q,
            keys: &self.norm_k,
        };
        let [q, k] = [&out.queries, &out.keys].map(|x| self.heads(x));
        arithmetic.norm_rotate([&q, &k], norms, rope.map(Rope::tables));
    }

    /// (1, L, D) → (1, L, heads, `head_dim`)
    fn heads(&self, x: &Tensor) -> Tensor {
        x.unflatten(-1, [self.heads, -1])
    }

    /// Attention of what it has projected, (1, L, D).
    fn attend(&self, projected: Projected, attending: Attending<'_>) -> Tensor {
        let Projected {
            queries,
            keys,
            values,
        } = projected;
        let [q, k, v] = [queries, keys, values].map(|x| self.heads(&x));
        attending.attend(q, k, v)
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

    /// Writes what the attention is given of `x` to `out`.
    fn begin(
        &self,
        x: &Tensor,
        m: &[Tensor; 6],
        rope: Option<&Rope>,
        arithmetic: Arithmetic<'_>,
        out: &Projected,
    ) {
        let [shift_msa, scale_msa, ..] = m;
        let x = arithmetic.modulated_norm(x, [shift_msa, scale_msa]);
        self.qkv.forward(&x, rope, arithmetic, out);
    }

    /// Residual update after attention, from `x` to `attended`: output projection, gate, then the gated feed-forward.
    fn finish(&self, x: &Tensor, attended: &Tensor, m: &[Tensor; 6], arithmetic: Arithmetic<'_>) {
        let [_, _, gate_msa, shift_mlp, scale_mlp, gate_mlp] = m;
        let [x, modulated] = {
            let projected = arithmetic.time(Part::Projections, || self.to_out.forward(attended));
            arithmetic.add_gated_norm((x, &projected, gate_msa), [shift_mlp, scale_mlp])
        };
        let y = self.ff.forward(modulated, arithmetic);
        arithmetic.add_gated(&x, &y, gate_mlp, attended);
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
        streams: &Streams,
        (image_mod, text_mod): (&Tensor, &Tensor),
        attending: Attending<'_>,
    ) -> Streams {
        let [image_mod, text_mod] = [image_mod, text_mod].map(vectors::<DOUBLE_VECTORS>);
        let arithmetic = attending.arithmetic;
        let [image, text] = [streams.image(), streams.text()];
        let [image_tokens, text_tokens] = [streams.image_tokens(), streams.text_tokens()];

        let attended = {
            let projected = Projected::empty_like(streams.both());
            let rope = Some(attending.rope);
            let rows = projected.tokens(0, image_tokens);
            (self.image).begin(&image, &image_mod, rope, arithmetic, &rows);
            let rows = projected.tokens(image_tokens, text_tokens);
            (self.text).begin(&text, &text_mod, None, arithmetic, &rows);
            self.image.qkv.attend(projected, attending)
        };
        // Where each stream's attention was is the stream behind the block.
        let behind = Streams::joint(attended, image_tokens);
        (self.image).finish(&image, &behind.image(), &image_mod, arithmetic);
        (self.text).finish(&text, &behind.text(), &text_mod, arithmetic);
        behind
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

    fn forward(&self, streams: &Streams, modulation: &Tensor, attending: Attending<'_>) -> Streams {
        let arithmetic = attending.arithmetic;
        let x = streams.both(); // (1, L + N, D)
        let [shift, scale, gate] = vectors::<SINGLE_VECTORS>(modulation);

        let y = {
            let h = arithmetic.modulated_norm(x, [&shift, &scale]);
            let projected = Projected::empty_like(x);
            (self.qkv).forward(&h, Some(attending.rope), arithmetic, &projected);
            let attended = self.qkv.attend(projected, attending);
            let mlp = arithmetic.gelu(&self.proj_mlp, &h);
            drop(h);
            arithmetic.project_both(&self.proj_out, &attended, &mlp)
        };
        arithmetic.add_gated(x, &y, &gate, &y);
        Streams::joint(y, streams.image_tokens())
    }
}
