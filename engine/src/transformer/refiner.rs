//! Text refiner: two blocks of self-attention over the text encoder's states, modulated by timestep and
//! mean text (diffusers' `HunyuanVideoTokenRefiner`).

use tch::{Kind, Tensor};

use super::{
    arithmetic::Arithmetic,
    config::Config,
    embed::TimeTextEmbedding,
    feed_forward::{FeedForward, FeedForwardActivation},
};
use crate::{
    kernels::tokens::add_gated,
    nn::{LayerNorm, Linear, attention},
    weights::{Weights, WeightsError},
};

const EPS: f64 = 1e-6;

/// Text states (B, L, `text_embed_dim`) to context tokens (B, L, D).
#[derive(Debug)]
pub(super) struct TokenRefiner {
    time_text_embed: TimeTextEmbedding,
    proj_in: Linear,
    blocks: Vec<RefinerBlock>,
}

impl TokenRefiner {
    pub(super) fn load(w: &Weights<'_>, config: &Config) -> Result<Self, WeightsError> {
        let (text_dim, hidden_size) = (config.text_embed_dim, config.hidden_size());
        let blocks = w.pp("token_refiner").pp("refiner_blocks");
        Ok(Self {
            time_text_embed: TimeTextEmbedding::load(
                &w.pp("time_text_embed"),
                text_dim,
                hidden_size,
            )?,
            proj_in: Linear::load(&w.pp("proj_in"), text_dim, hidden_size)?,
            blocks: (0..config.num_refiner_layers)
                .map(|i| RefinerBlock::load(&blocks.pp(i), config))
                .collect::<Result<_, _>>()?,
        })
    }

    /// `text`: (B, L, `text_embed_dim`); `mask`: (B, L) bool, true = valid → (B, L, D).
    pub(super) fn forward(
        &self,
        text: &Tensor,
        timestep: &Tensor,
        mask: Option<&Tensor>,
    ) -> Tensor {
        let temb = self
            .time_text_embed
            .forward(timestep, None, &mean(text, mask));
        let mask = mask.map(pair_mask);
        let x = self.proj_in.forward(text);
        self.blocks
            .iter()
            .fold(x, |x, block| block.forward(&x, &temb, mask.as_ref()))
    }
}

/// Mean over the valid tokens, in f32: (B, L, C) → (B, C).
fn mean(text: &Tensor, mask: Option<&Tensor>) -> Tensor {
    let Some(mask) = mask else {
        return text.mean_dim(1, false, None);
    };
    let mask = mask.to_kind(Kind::Float).unsqueeze(-1); // (B, L, 1)
    let sum = (text * &mask).sum_dim_intlist(1, false, None);
    (sum / mask.sum_dim_intlist(1, false, None)).to_kind(text.kind())
}

/// (B, L) to (B, 1, L, L): valid tokens see each other. The first column is open to all, so that the rows of
/// padding have something to attend to.
fn pair_mask(mask: &Tensor) -> Tensor {
    let pairs = mask.unsqueeze(1).logical_and(&mask.unsqueeze(2)); // (B, L, L)
    let _ = pairs.select(-1, 0).fill_(1);
    pairs.unsqueeze(1)
}

#[derive(Debug)]
struct RefinerBlock {
    norm1: LayerNorm,
    to_q: Linear,
    to_k: Linear,
    to_v: Linear,
    to_out: Linear,
    norm2: LayerNorm,
    ff: FeedForward,
    /// Two gates; the files call it a norm.
    norm_out: Linear,
    heads: i64,
}

impl RefinerBlock {
    fn load(w: &Weights<'_>, config: &Config) -> Result<Self, WeightsError> {
        let dim = config.hidden_size();
        let attn = w.pp("attn");
        Ok(Self {
            norm1: LayerNorm::load(&w.pp("norm1"), dim, EPS)?,
            to_q: Linear::load(&attn.pp("to_q"), dim, dim)?,
            to_k: Linear::load(&attn.pp("to_k"), dim, dim)?,
            to_v: Linear::load(&attn.pp("to_v"), dim, dim)?,
            to_out: Linear::load(&attn.pp("to_out").pp(0), dim, dim)?,
            norm2: LayerNorm::load(&w.pp("norm2"), dim, EPS)?,
            ff: FeedForward::load(&w.pp("ff"), dim, 4 * dim, FeedForwardActivation::Silu)?,
            norm_out: Linear::load(&w.pp("norm_out").pp("linear"), dim, 2 * dim)?,
            heads: config.num_attention_heads,
        })
    }

    /// `x`: (B, L, D), `temb`: (B, D), `mask`: (B, 1, L, L).
    fn forward(&self, x: &Tensor, temb: &Tensor, mask: Option<&Tensor>) -> Tensor {
        let gates = self
            .norm_out
            .forward(&temb.silu())
            .unsqueeze(1)
            .chunk(2, -1); // each (B, 1, D)
        let x = add_gated(x, &self.attend(&self.norm1.forward(x), mask), &gates[0]);
        add_gated(
            &x,
            &self
                .ff
                .forward(self.norm2.forward(&x), Arithmetic::REFERENCE),
            &gates[1],
        )
    }

    fn attend(&self, x: &Tensor, mask: Option<&Tensor>) -> Tensor {
        let heads = |x: Tensor| x.unflatten(-1, [self.heads, -1]).transpose(1, 2); // (B, heads, L, head_dim)
        let q = heads(self.to_q.forward(x));
        let k = heads(self.to_k.forward(x));
        let v = heads(self.to_v.forward(x));
        let y = attention(&q, &k, &v, mask).transpose(1, 2).flatten(2, 3); // (B, L, D)
        self.to_out.forward(&y)
    }
}
