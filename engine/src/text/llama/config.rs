//! Sizes of the language model, from the `config.json` that its weights come with.

use std::path::Path;

use serde::Deserialize;

use crate::weights::{WeightsError, read_config};

/// Layers at the end that no one reads.
const UNUSED_LAYERS: usize = 2;

/// Configuration of [`super::Llama`]; the field names are those of `config.json`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Config {
    /// Tokens.
    pub vocab_size: i64,
    /// Width of the residual stream.
    pub hidden_size: i64,
    /// Width of the MLPs.
    pub intermediate_size: i64,
    /// Layers of the whole model, of which the last two are not run.
    pub num_hidden_layers: usize,
    /// Heads of the queries.
    pub num_attention_heads: i64,
    /// Heads of keys and values; as many as of the queries where the file doesn't say.
    pub num_key_value_heads: Option<i64>,
    /// Channels of one head; `hidden_size / num_attention_heads` where the file doesn't say.
    pub head_dim: Option<i64>,
    /// Epsilon of the norms.
    pub rms_norm_eps: f64,
    /// Rotary base, as transformers 4 writes it.
    rope_theta: Option<f64>,
    /// Rotary settings, as transformers 5 writes them.
    rope_parameters: Option<RopeParameters>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct RopeParameters {
    rope_theta: Option<f64>,
    rope_type: Option<String>,
}

/// What `config.json` says about choices that this engine makes in one way only.
#[derive(Deserialize)]
struct Fixed {
    hidden_act: String,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    mlp_bias: bool,
    rope_scaling: Option<serde_json::Value>,
}

impl Config {
    /// Layers that are run.
    pub fn used_layers(&self) -> usize {
        self.num_hidden_layers - UNUSED_LAYERS
    }

    /// Reads `config.json` in `dir`.
    pub fn read(dir: &Path) -> Result<Self, WeightsError> {
        let config: Self = read_config(dir)?;
        let fixed: Fixed = read_config(dir)?;
        let bad = |reason: &str| {
            Err(WeightsError::Config {
                path: dir.join("config.json"),
                reason: reason.to_owned(),
            })
        };
        let rope_type = config
            .rope_parameters
            .as_ref()
            .and_then(|rope| rope.rope_type.as_deref());
        if fixed.rope_scaling.is_some() || rope_type.is_some_and(|name| name != "default") {
            return bad(
                "a scaled rope is not supported, expected rope_scaling null and rope_type default",
            );
        }
        if fixed.attention_bias || fixed.mlp_bias || fixed.hidden_act != "silu" {
            return bad("expected hidden_act silu, attention_bias false and mlp_bias false");
        }
        if config.num_hidden_layers <= UNUSED_LAYERS {
            return bad(
                "num_hidden_layers must be 3 or more: the states of the third-last layer are used",
            );
        }
        if config.num_attention_heads % config.key_value_heads() != 0 || config.head_dim() % 2 != 0
        {
            return bad(
                "num_key_value_heads must divide num_attention_heads, and head_dim must be even",
            );
        }
        Ok(config)
    }

    pub(super) fn key_value_heads(&self) -> i64 {
        self.num_key_value_heads.unwrap_or(self.num_attention_heads)
    }

    pub(super) fn head_dim(&self) -> i64 {
        self.head_dim
            .unwrap_or(self.hidden_size / self.num_attention_heads)
    }

    pub(super) fn rope_theta(&self) -> f64 {
        let nested = self
            .rope_parameters
            .as_ref()
            .and_then(|rope| rope.rope_theta);
        self.rope_theta.or(nested).unwrap_or(10_000.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(changes: &Value) -> Result<Config, WeightsError> {
        let mut json = json!({
            "vocab_size": 30, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 4,
            "num_attention_heads": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-5, "hidden_act": "silu",
        });
        for (key, value) in changes.as_object().unwrap() {
            json[key] = value.clone();
        }
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.json"), json.to_string()).unwrap();
        Config::read(dir.path())
    }

    #[test]
    fn the_rotary_base_is_found_in_both_places() {
        let old = read(&json!({ "rope_theta": 5e5, "rope_scaling": null })).unwrap();
        let new =
            read(&json!({ "rope_parameters": { "rope_theta": 5e5, "rope_type": "default" } }))
                .unwrap();
        assert_eq!(
            [old.rope_theta(), new.rope_theta()].map(|theta| theta as i64),
            [500_000; 2]
        );
    }

    #[test]
    fn variants_without_an_implementation_are_refused() {
        for changes in [
            json!({ "rope_scaling": { "rope_type": "llama3", "factor": 8.0 } }),
            json!({ "rope_parameters": { "rope_theta": 5e5, "rope_type": "llama3" } }),
            json!({ "attention_bias": true }),
            json!({ "num_hidden_layers": 2 }),
            json!({ "num_key_value_heads": 3 }),
        ] {
            let error = read(&changes).unwrap_err();
            assert!(
                matches!(error, WeightsError::Config { .. }),
                "{changes}: {error}"
            );
        }
    }
}
