//! The model: embedding and decoder layers.

use tch::{Kind, Tensor};

use super::config::Config;
use crate::nn::{Linear, RmsNorm, causal_attention};
use crate::offload::{DynamicSwap, Memory};
use crate::weights::{Layout, ModelSource, Weights, WeightsError};

/// The files, with or without the `model.` of a whole language model.
pub const LAYOUT: Layout = Layout {
    base: "model",
    optional_prefixes: &["model."],
    ignored: |name| matches!(name, "norm.weight" | "lm_head.weight"),
};

/// All layers but the last two.
#[derive(Debug)]
pub struct Llama {
    embed_tokens: Tensor, // (vocab, hidden)
    layers: DynamicSwap<DecoderLayer>,
    inv_freq: Tensor, // (D/2), f32
}

impl Llama {
    /// Opens the component `source`. Layers are read when they are first needed.
    pub fn open(source: &ModelSource, memory: &Memory, kind: Kind) -> Result<Self, WeightsError> {
        let config = Config::read(source.config_dir())?;
        source.load(&LAYOUT, (memory.device(), kind), |w| {
            Self::load(w, &config, memory)
        })
    }

    /// Loads the embedding, and names the layers that are run.
    pub fn load(w: &Weights<'_>, config: &Config, memory: &Memory) -> Result<Self, WeightsError> {
        let used = config.used_layers();
        let layers = w.pp("layers");
        for unused in used..config.num_hidden_layers {
            layers.pp(unused).skip();
        }
        let dim = config.head_dim();
        let exponents =
            Tensor::arange_start_step(0, dim, 2, (Kind::Float, w.device())) / dim as f64;
        Ok(Self {
            embed_tokens: w
                .pp("embed_tokens")
                .get("weight", &[config.vocab_size, config.hidden_size])?,
            layers: load_layers(&layers, used, config, memory)?,
            inv_freq: Tensor::pow_scalar(config.rope_theta(), &exponents).reciprocal(),
        })
    }

    /// `ids`: (1, L) i64; `attention_mask`: (1, L), non-zero = valid, `None` = all valid →
    /// (1, n, hidden), the states third from the last at the n valid positions.
    ///
    /// Attention is causal and no valid token may look at padding, so padding is not run at all.
    pub fn forward(&self, ids: &Tensor, attention_mask: Option<&Tensor>) -> Tensor {
        let ids = ids.reshape([-1]); // (L)
        let valid = match attention_mask {
            Some(mask) => mask.reshape([-1]).nonzero().squeeze_dim(1),
            None => Tensor::arange(ids.size()[0], (Kind::Int64, ids.device())),
        }; // (n), a token's position is where it stands among all of them
        let rope = Rope::at(&valid, &self.inv_freq, self.embed_tokens.kind());

        let ids = ids.index_select(0, &valid).unsqueeze(0); // (1, n)
        let mut x = Tensor::embedding(&self.embed_tokens, &ids, -1, false, false); // (1, n, hidden)
        self.layers
            .for_each(|_, layer| x = layer.forward(&x, &rope));
        x
    }

    /// The layers that are run.
    pub fn layers(&self) -> &DynamicSwap<impl Sized + use<>> {
        &self.layers
    }
}

fn load_layers(
    w: &Weights<'_>,
    count: usize,
    config: &Config,
    memory: &Memory,
) -> Result<DynamicSwap<DecoderLayer>, WeightsError> {
    let places: Vec<_> = (0..count).map(|i| w.pp(i)).collect();
    let config = config.clone();
    DynamicSwap::load(memory, &places, move |_, w| DecoderLayer::load(w, &config))
}

/// Rotary position embedding (arXiv:2104.09864) over the two halves of a head's channels.
#[derive(Debug)]
struct Rope {
    cos: Tensor, // (n, D)
    sin: Tensor, // (n, D)
}

impl Rope {
    /// Angles in f32, their cosines and sines in the model's type.
    fn at(positions: &Tensor, inv_freq: &Tensor, kind: Kind) -> Self {
        let angles = positions.to_kind(Kind::Float).outer(inv_freq); // (n, D/2)
        let angles = Tensor::cat(&[&angles, &angles], 1); // (n, D)
        Self {
            cos: angles.cos().to_kind(kind),
            sin: angles.sin().to_kind(kind),
        }
    }

    /// (1, H, n, D) → same
    fn rotate(&self, x: &Tensor) -> Tensor {
        let halves = x.chunk(2, -1);
        let turned = Tensor::cat(&[-&halves[1], halves[0].shallow_clone()], -1);
        x * &self.cos + turned * &self.sin
    }
}

/// Attention and a gated MLP, each behind an RMS norm and added to its input.
#[derive(Debug)]
struct DecoderLayer {
    input_layernorm: RmsNorm,
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
    o_proj: Linear,
    post_attention_layernorm: RmsNorm,
    gate_proj: Linear,
    up_proj: Linear,
    down_proj: Linear,
    head_dim: i64,
}

impl DecoderLayer {
    fn load(w: &Weights<'_>, config: &Config) -> Result<Self, WeightsError> {
        let (hidden, inner, head_dim) = (
            config.hidden_size,
            config.intermediate_size,
            config.head_dim(),
        );
        let (heads, kv_heads) = (config.num_attention_heads, config.key_value_heads());
        let norm = |name| RmsNorm::load(&w.pp(name), hidden, config.rms_norm_eps);
        let attn = |name, from, to| Linear::load_no_bias(&w.pp("self_attn").pp(name), from, to);
        let mlp = |name, from, to| Linear::load_no_bias(&w.pp("mlp").pp(name), from, to);
        Ok(Self {
            input_layernorm: norm("input_layernorm")?,
            q_proj: attn("q_proj", hidden, heads * head_dim)?,
            k_proj: attn("k_proj", hidden, kv_heads * head_dim)?,
            v_proj: attn("v_proj", hidden, kv_heads * head_dim)?,
            o_proj: attn("o_proj", heads * head_dim, hidden)?,
            post_attention_layernorm: norm("post_attention_layernorm")?,
            gate_proj: mlp("gate_proj", hidden, inner)?,
            up_proj: mlp("up_proj", hidden, inner)?,
            down_proj: mlp("down_proj", inner, hidden)?,
            head_dim,
        })
    }

    /// (1, n, hidden) → same
    fn forward(&self, x: &Tensor, rope: &Rope) -> Tensor {
        let x = x + self.attend(&self.input_layernorm.forward(x), rope);
        let h = self.post_attention_layernorm.forward(&x);
        let gated = self.gate_proj.forward(&h).silu() * self.up_proj.forward(&h);
        x + self.down_proj.forward(&gated)
    }

    fn attend(&self, x: &Tensor, rope: &Rope) -> Tensor {
        let heads = |linear: &Linear| {
            let y = linear.forward(x).unflatten(-1, [-1, self.head_dim]); // (1, n, H, D)
            y.transpose(1, 2) // (1, H, n, D)
        };
        let (q, k) = (
            rope.rotate(&heads(&self.q_proj)),
            rope.rotate(&heads(&self.k_proj)),
        );
        let y = causal_attention(&q, &k, &heads(&self.v_proj));
        self.o_proj.forward(&y.transpose(1, 2).flatten(2, 3)) // (1, n, hidden)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tch::Device;

    use super::*;
    use crate::{offload::MemoryOptions, weights::Loading};

    #[test]
    fn padding_is_not_run() {
        let config: Config = serde_json::from_value(json!({
            "vocab_size": 30, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 4,
            "num_attention_heads": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-5,
        }))
        .unwrap();
        let loading = Loading::synthesised(1);
        let memory = Memory::new(Device::Cpu, MemoryOptions::default());
        let weights = loading.weights(Device::Cpu, Kind::Float);
        let llama = Llama::load(&weights, &config, &memory).unwrap();
        let alone = llama.forward(&Tensor::from_slice(&[3_i64, 1, 4]).unsqueeze(0), None);
        let padded = llama.forward(
            &Tensor::from_slice(&[3_i64, 1, 4, 9, 9]).unsqueeze(0),
            Some(&Tensor::from_slice(&[1_i64, 1, 1, 0, 0]).unsqueeze(0)),
        );
        assert_eq!(alone.size(), [1, 3, 16]);
        assert_eq!(padded, alone);
    }
}
