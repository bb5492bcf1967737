//! SigLIP's image encoder (arXiv:2303.15343; transformers' `SiglipVisionModel`): one vector per patch.
//!
//! The pooling head is not run: FLUX.1-Redux and FramePack read the patches.

mod cost;

use std::path::Path;

use serde::Deserialize;
use tch::{Kind, Tensor};

pub use self::cost::cost;
use crate::nn::{Activation, Conv2d, EncoderLayer, EncoderLayerConfig, LayerNorm, Visibility};
use crate::offload::{DynamicSwap, Memory};
use crate::weights::{Layout, ModelSource, Weights, WeightsError, read_config};

/// The files, with or without the `vision_model.` of transformers before 5.
pub const LAYOUT: Layout = Layout {
    base: "model",
    optional_prefixes: &["vision_model."],
    ignored: |name| name.starts_with("head.") || name == "embeddings.position_ids",
};

/// Configuration of [`Siglip`]; the field names are those of `config.json`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Config {
    /// Width of the residual stream, and channels of the result.
    pub hidden_size: i64,
    /// Width of the MLPs.
    pub intermediate_size: i64,
    /// Layers.
    pub num_hidden_layers: usize,
    /// Attention heads.
    pub num_attention_heads: i64,
    /// Colour channels.
    pub num_channels: i64,
    /// Side of the square picture, in pixels.
    pub image_size: i64,
    /// Side of a square patch, in pixels.
    pub patch_size: i64,
    /// Non-linearity of the MLPs.
    pub hidden_act: Activation,
    /// Epsilon of the norms.
    pub layer_norm_eps: f64,
}

impl Config {
    /// Reads `config.json` in `dir`.
    pub fn read(dir: &Path) -> Result<Self, WeightsError> {
        read_config(dir)
    }

    /// Patches of a picture.
    pub fn patches(&self) -> i64 {
        (self.image_size / self.patch_size).pow(2)
    }
}

/// The image encoder.
#[derive(Debug)]
pub struct Siglip {
    patch_embedding: Conv2d,
    position_embedding: Tensor, // (patches, hidden)
    layers: DynamicSwap<EncoderLayer>,
    post_layernorm: LayerNorm,
}

impl Siglip {
    /// Opens the component `source`. Layers are read when they are first needed.
    pub fn open(source: &ModelSource, memory: &Memory, kind: Kind) -> Result<Self, WeightsError> {
        let config = Config::read(source.config_dir())?;
        source.load(&LAYOUT, (memory.device(), kind), |w| {
            Self::load(w, &config, memory)
        })
    }

    /// Loads the model without its head.
    pub fn load(w: &Weights<'_>, config: &Config, memory: &Memory) -> Result<Self, WeightsError> {
        let (hidden, eps) = (config.hidden_size, config.layer_norm_eps);
        let layer = EncoderLayerConfig {
            hidden_size: hidden,
            intermediate_size: config.intermediate_size,
            heads: config.num_attention_heads,
            eps,
            activation: config.hidden_act,
            visibility: Visibility::Full,
        };
        let embeddings = w.pp("embeddings");
        let layers: Vec<_> = (0..config.num_hidden_layers)
            .map(|i| w.pp("encoder.layers").pp(i))
            .collect();
        let patch = [config.patch_size; 2];
        Ok(Self {
            patch_embedding: Conv2d::load(
                &embeddings.pp("patch_embedding"),
                config.num_channels,
                hidden,
                patch,
                patch,
            )?,
            position_embedding: embeddings
                .pp("position_embedding")
                .get("weight", &[config.patches(), hidden])?,
            layers: DynamicSwap::load(memory, &layers, move |_, w| EncoderLayer::load(w, layer))?,
            post_layernorm: LayerNorm::load(&w.pp("post_layernorm"), hidden, eps)?,
        })
    }

    /// `pixels`: (B, 3, S, S), normalised as the [preprocessor](crate::vision::Preprocessor) does →
    /// (B, patches, hidden), patches row by row.
    pub fn forward(&self, pixels: &Tensor) -> Tensor {
        let patches = self.patch_embedding.forward(pixels); // (B, hidden, S/p, S/p)
        let mut x = patches.flatten(2, 3).transpose(1, 2) + &self.position_embedding; // (B, patches, hidden)
        self.layers.for_each(|_, layer| x = layer.forward(&x));
        self.post_layernorm.forward(&x)
    }

    /// The layers.
    pub fn layers(&self) -> &DynamicSwap<EncoderLayer> {
        &self.layers
    }
}
