//! Sizes of the transformer, from the `config.json` that its weights come with.

use std::path::Path;

use serde::Deserialize;
use tch::Kind;

use crate::{
    nn::attention::Class,
    weights::{WeightsError, read_config},
};

/// Patch of the full resolution, (t, y, x) in latent pixels.
pub(super) const PATCH: [i64; 3] = [1, 2, 2];

/// Class names under which the same architecture is published.
const CLASS_NAMES: [&str; 2] = [
    "HunyuanVideoTransformer3DModelPacked",
    "HunyuanVideoFramepackTransformer3DModel",
];

/// Configuration of [`super::PackedTransformer`]; the field names are those of `config.json`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Config {
    /// Latent channels in.
    pub in_channels: i64,
    /// Latent channels out.
    pub out_channels: i64,
    /// Attention heads.
    pub num_attention_heads: i64,
    /// Channels of one head.
    pub attention_head_dim: i64,
    /// Double-stream blocks.
    pub num_layers: usize,
    /// Single-stream blocks.
    pub num_single_layers: usize,
    /// Blocks of the text refiner.
    pub num_refiner_layers: usize,
    /// Width of the MLPs over the hidden size.
    pub mlp_ratio: f64,
    /// Channels of the text encoder's states.
    pub text_embed_dim: i64,
    /// Channels of the pooled text embedding.
    pub pooled_projection_dim: i64,
    /// Base of the rotary frequencies.
    pub rope_theta: f64,
    /// Channels of a head that encode t, y and x.
    pub rope_axes_dim: [i64; 3],
    /// Whether the guidance scale is an input.
    pub guidance_embeds: bool,
    /// Whether image embeddings are an input.
    #[serde(deserialize_with = "bool_or_int")]
    pub has_image_proj: bool,
    /// Channels of the image encoder's states.
    pub image_proj_dim: i64,
    /// Whether clean latents (1x, 2x, 4x) are an input.
    #[serde(deserialize_with = "bool_or_int")]
    pub has_clean_x_embedder: bool,
}

/// What `config.json` says about choices that this engine makes in one way only.
#[derive(Deserialize)]
struct Fixed {
    #[serde(rename = "_class_name")]
    class_name: String,
    patch_size: i64,
    patch_size_t: i64,
    qk_norm: String,
    image_condition_type: Option<String>,
}

impl Config {
    /// Reads `config.json` in `dir`.
    pub fn read(dir: &Path) -> Result<Self, WeightsError> {
        let config: Self = read_config(dir)?;
        let fixed: Fixed = read_config(dir)?;
        let bad = |reason| {
            Err(WeightsError::Config {
                path: dir.join("config.json"),
                reason,
            })
        };
        if !CLASS_NAMES.contains(&fixed.class_name.as_str()) {
            return bad(format!(
                "_class_name is {}, expected one of {CLASS_NAMES:?}",
                fixed.class_name
            ));
        }
        let [patch_t, patch_y, _] = PATCH;
        let (found, wanted) = ([fixed.patch_size_t, fixed.patch_size], [patch_t, patch_y]);
        if found != wanted {
            return bad(format!(
                "patch_size_t and patch_size are {found:?}, expected {wanted:?}"
            ));
        }
        if fixed.qk_norm != "rms_norm" {
            return bad(format!("qk_norm is {}, expected rms_norm", fixed.qk_norm));
        }
        if let Some(other) = fixed.image_condition_type {
            return bad(format!("image_condition_type is {other}, expected null"));
        }
        let axes = config.rope_axes_dim;
        if axes.iter().sum::<i64>() != config.attention_head_dim || axes.iter().any(|d| d % 2 != 0)
        {
            let head_dim = config.attention_head_dim;
            return bad(format!(
                "rope_axes_dim is {axes:?}, expected even numbers that add up to {head_dim}"
            ));
        }
        Ok(config)
    }

    /// Width of the residual stream.
    pub fn hidden_size(&self) -> i64 {
        self.num_attention_heads * self.attention_head_dim
    }

    /// Number of heads, and channels of each.
    pub(super) fn heads(&self) -> [u64; 2] {
        [self.num_attention_heads, self.attention_head_dim].map(i64::unsigned_abs)
    }

    /// What the blocks' attention over `tokens` tokens is, for the choice of its backend.
    pub fn attention_class(&self, kind: Kind, tokens: u64) -> Class {
        let heads = [self.num_attention_heads, self.attention_head_dim];
        Class::new(kind, heads, tokens)
    }

    /// Width of the MLPs inside the blocks.
    pub fn mlp_size(&self) -> i64 {
        (self.hidden_size() as f64 * self.mlp_ratio) as i64
    }
}

/// diffusers declares these flags as integers, the published files hold booleans.
fn bool_or_int<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Flag {
        Bool(bool),
        Int(i64),
    }
    Ok(match Flag::deserialize(deserializer)? {
        Flag::Bool(flag) => flag,
        Flag::Int(number) => number != 0,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::{Value, json};

    use super::*;

    /// Reads FramePack's configuration with `key` set to `value`.
    fn read_with(key: &str, value: Value) -> Result<Config, WeightsError> {
        let mut config = json!({
            "_class_name": "HunyuanVideoTransformer3DModelPacked", "in_channels": 16, "out_channels": 16,
            "num_attention_heads": 24, "attention_head_dim": 128, "num_layers": 20, "num_single_layers": 40,
            "num_refiner_layers": 2, "mlp_ratio": 4.0, "patch_size": 2, "patch_size_t": 1, "qk_norm": "rms_norm",
            "guidance_embeds": true, "text_embed_dim": 4096, "pooled_projection_dim": 768, "rope_theta": 256.0,
            "rope_axes_dim": [16, 56, 56], "has_image_proj": true, "image_proj_dim": 1152,
            "has_clean_x_embedder": true, "some_future_key": [1],
        });
        config[key] = value;
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("config.json"), config.to_string()).unwrap();
        Config::read(dir.path())
    }

    #[test]
    fn both_class_names_and_integer_flags_are_accepted() {
        let config = read_with("_class_name", json!(CLASS_NAMES[1])).unwrap();
        assert_eq!((config.hidden_size(), config.mlp_size()), (3072, 12288));
        assert!(
            read_with("has_image_proj", json!(1))
                .unwrap()
                .has_image_proj
        );
        assert!(
            !read_with("has_image_proj", json!(0))
                .unwrap()
                .has_image_proj
        );
    }

    #[test]
    fn another_architecture_is_refused_with_the_key_at_fault() {
        for (key, value) in [
            ("_class_name", json!("HunyuanVideoTransformer3DModel")),
            ("patch_size", json!(4)),
            ("qk_norm", json!("layer_norm")),
            ("image_condition_type", json!("token_replace")),
            ("rope_axes_dim", json!([16, 56, 54])),
            ("num_layers", json!("twenty")),
        ] {
            let message = read_with(key, value).unwrap_err().to_string();
            assert!(message.contains("config.json"), "{message}");
            assert!(message.contains(key) || key == "num_layers", "{message}");
        }
    }
}
