//! CLIP's text encoder (arXiv:2103.00020; transformers' `CLIPTextModel`): one vector for a whole prompt.

mod cost;

use std::path::Path;

use serde::Deserialize;
use tch::{Device, Kind, Tensor};

pub use self::cost::cost;
use crate::nn::{Activation, EncoderLayer, EncoderLayerConfig, LayerNorm, Visibility};
use crate::weights::{Layout, ModelSource, Weights, WeightsError, read_config};

/// The files, with or without the `text_model.` of transformers before 5.
pub const LAYOUT: Layout = Layout {
    base: "model",
    optional_prefixes: &["text_model."],
    ignored: |name| name == "embeddings.position_ids",
};

/// What old configurations call EOS whatever it is; transformers then takes the highest id for it.
const LEGACY_EOS: i64 = 2;

/// Configuration of [`Clip`]; the field names are those of `config.json`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Config {
    /// Tokens.
    pub vocab_size: i64,
    /// Width of the residual stream, and channels of the result.
    pub hidden_size: i64,
    /// Width of the MLPs.
    pub intermediate_size: i64,
    /// Layers.
    pub num_hidden_layers: usize,
    /// Attention heads.
    pub num_attention_heads: i64,
    /// Length of the context in tokens.
    pub max_position_embeddings: i64,
    /// Non-linearity of the MLPs.
    pub hidden_act: Activation,
    /// Epsilon of the norms.
    pub layer_norm_eps: f64,
    /// The token whose state is the result.
    pub eos_token_id: i64,
}

impl Config {
    /// Reads `config.json` in `dir`.
    pub fn read(dir: &Path) -> Result<Self, WeightsError> {
        read_config(dir)
    }
}

/// The text encoder.
#[derive(Debug)]
pub struct Clip {
    token_embedding: Tensor,    // (vocab, hidden)
    position_embedding: Tensor, // (context, hidden)
    layers: Vec<EncoderLayer>,
    final_layer_norm: LayerNorm,
    eos_token_id: i64,
}

impl Clip {
    /// Opens and loads the component `source`.
    pub fn open(source: &ModelSource, device: Device, kind: Kind) -> Result<Self, WeightsError> {
        let config = Config::read(source.config_dir())?;
        source.load(&LAYOUT, (device, kind), |w| Self::load(w, &config))
    }

    /// Loads the model.
    pub fn load(w: &Weights<'_>, config: &Config) -> Result<Self, WeightsError> {
        let (hidden, eps) = (config.hidden_size, config.layer_norm_eps);
        let layer = EncoderLayerConfig {
            hidden_size: hidden,
            intermediate_size: config.intermediate_size,
            heads: config.num_attention_heads,
            eps,
            activation: config.hidden_act,
            visibility: Visibility::Causal,
        };
        let layers = w.pp("encoder.layers");
        let embedding = |name, rows| w.pp("embeddings").pp(name).get("weight", &[rows, hidden]);
        Ok(Self {
            token_embedding: embedding("token_embedding", config.vocab_size)?,
            position_embedding: embedding("position_embedding", config.max_position_embeddings)?,
            layers: (0..config.num_hidden_layers)
                .map(|i| EncoderLayer::load(&layers.pp(i), layer))
                .collect::<Result<_, _>>()?,
            final_layer_norm: LayerNorm::load(&w.pp("final_layer_norm"), hidden, eps)?,
            eos_token_id: config.eos_token_id,
        })
    }

    /// `ids`: (B, L) i64, L up to the context's length → (B, hidden), the state at the first EOS.
    ///
    /// There is no padding mask, as upstream: causal attention keeps what follows EOS from it.
    pub fn forward(&self, ids: &Tensor) -> Tensor {
        let positions = self.position_embedding.narrow(0, 0, ids.size()[1]);
        let mut x = Tensor::embedding(&self.token_embedding, ids, -1, false, false) + positions; // (B, L, hidden)
        for layer in &self.layers {
            x = layer.forward(&x);
        }
        let x = self.final_layer_norm.forward(&x);
        let eos = self
            .eos_positions(ids)
            .reshape([-1, 1, 1])
            .expand([-1, 1, x.size()[2]], false);
        x.gather(1, &eos, false).squeeze_dim(1)
    }

    /// (B, L) → (B)
    fn eos_positions(&self, ids: &Tensor) -> Tensor {
        if self.eos_token_id == LEGACY_EOS {
            ids.argmax(-1, false)
        } else {
            ids.eq(self.eos_token_id)
                .to_kind(Kind::Int)
                .argmax(-1, false)
        }
    }
}
