//! The configurations of the published models, for weights that come without one. A fetch replaces them by the Hub's own.

use framepack_bundle::Component;
use serde_json::{Value, json};

/// What `config.json` of a part says; `None`: it has none.
pub(crate) fn configuration(component: Component) -> Option<Value> {
    match component {
        Component::Transformer | Component::TransformerF1 => Some(transformer()),
        Component::Vae => Some(vae()),
        Component::TextEncoder => Some(text_encoder()),
        Component::TextEncoder2 => Some(text_encoder_2()),
        Component::ImageEncoder => Some(image_encoder()),
        Component::Tokenizer | Component::Tokenizer2 | Component::FeatureExtractor => None,
    }
}

/// The two transformers differ in their weights alone.
fn transformer() -> Value {
    json!({
        "_class_name": "HunyuanVideoTransformer3DModelPacked",
        "in_channels": 16,
        "out_channels": 16,
        "num_attention_heads": 24,
        "attention_head_dim": 128,
        "num_layers": 20,
        "num_single_layers": 40,
        "num_refiner_layers": 2,
        "mlp_ratio": 4.0,
        "patch_size": 2,
        "patch_size_t": 1,
        "qk_norm": "rms_norm",
        "guidance_embeds": true,
        "text_embed_dim": 4096,
        "pooled_projection_dim": 768,
        "rope_theta": 256.0,
        "rope_axes_dim": [16, 56, 56],
        "image_condition_type": null,
        "has_image_proj": true,
        "image_proj_dim": 1152,
        "has_clean_x_embedder": true,
    })
}

fn vae() -> Value {
    json!({
        "_class_name": "AutoencoderKLHunyuanVideo",
        "in_channels": 3,
        "out_channels": 3,
        "latent_channels": 16,
        "down_block_types": vec!["HunyuanVideoDownBlock3D"; 4],
        "up_block_types": vec!["HunyuanVideoUpBlock3D"; 4],
        "block_out_channels": [128, 256, 512, 512],
        "layers_per_block": 2,
        "act_fn": "silu",
        "norm_num_groups": 32,
        "scaling_factor": 0.476_986,
        "spatial_compression_ratio": 8,
        "temporal_compression_ratio": 4,
        "mid_block_add_attention": true,
    })
}

fn text_encoder() -> Value {
    json!({
        "architectures": ["LlamaModel"],
        "model_type": "llama",
        "vocab_size": 128_320,
        "hidden_size": 4096,
        "intermediate_size": 14_336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "hidden_act": "silu",
        "max_position_embeddings": 8192,
        "rms_norm_eps": 1e-5,
        "rope_theta": 500_000.0,
        "rope_scaling": null,
        "bos_token_id": 128_000,
        "eos_token_id": 128_001,
        "tie_word_embeddings": false,
        "attention_bias": false,
        "mlp_bias": false,
        "torch_dtype": "float16",
    })
}

fn text_encoder_2() -> Value {
    json!({
        "architectures": ["CLIPTextModel"],
        "model_type": "clip_text_model",
        "vocab_size": 49_408,
        "hidden_size": 768,
        "intermediate_size": 3072,
        "projection_dim": 768,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "max_position_embeddings": 77,
        "hidden_act": "quick_gelu",
        "layer_norm_eps": 1e-5,
        "bos_token_id": 0,
        "eos_token_id": 2,
        "pad_token_id": 1,
        "torch_dtype": "float16",
    })
}

fn image_encoder() -> Value {
    json!({
        "architectures": ["SiglipVisionModel"],
        "model_type": "siglip_vision_model",
        "hidden_size": 1152,
        "intermediate_size": 4304,
        "num_hidden_layers": 27,
        "num_attention_heads": 16,
        "num_channels": 3,
        "image_size": 384,
        "patch_size": 14,
        "hidden_act": "gelu_pytorch_tanh",
        "layer_norm_eps": 1e-6,
        "attention_dropout": 0.0,
        "torch_dtype": "bfloat16",
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    /// What libraries write into every configuration, and nothing here reads.
    const UNREAD: [&str; 12] = [
        "_diffusers_version",
        "transformers_version",
        "output_hidden_states",
        "return_dict",
        "chunk_size_feed_forward",
        "is_encoder_decoder",
        "problem_type",
        "initializer_range",
        "initializer_factor",
        "use_cache",
        "pretraining_tp",
        "output_attentions",
    ];

    #[test]
    fn configurations_say_what_those_of_the_tests_models_say() {
        let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/bundle");
        for component in Component::ALL {
            let Some(ours) = configuration(component) else {
                continue;
            };
            let folder = match component {
                Component::TransformerF1 => continue,
                _ => bundle.join(component.folder()),
            };
            let theirs = fs::read(folder.join("config.json")).unwrap();
            let theirs: Value = serde_json::from_slice(&theirs).unwrap();
            for (key, value) in theirs.as_object().unwrap() {
                let optional = ["attention_dropout", "pad_token_id"];
                if UNREAD.contains(&&**key) || optional.contains(&&**key) {
                    continue;
                }
                let our = ours
                    .get(key)
                    .unwrap_or_else(|| panic!("{component:?}: {key}"));
                assert_eq!(our.is_number(), value.is_number(), "{component:?}: {key}");
                if value.is_string() || value.is_boolean() || value.is_null() {
                    assert_eq!(our, value, "{component:?}: {key}");
                }
            }
        }
    }
}
