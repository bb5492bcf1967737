//! Whether a transformer is of the published model's sizes (`lllyasviel/FramePackI2V_HY` and its F1), for which its
//! authors chose defaults.

use std::{fs, path::Path};

use serde_json::Value;

/// The sizes in its `config.json`.
const SIZES: [(&str, u64); 11] = [
    ("in_channels", 16),
    ("out_channels", 16),
    ("num_attention_heads", 24),
    ("attention_head_dim", 128),
    ("num_layers", 20),
    ("num_single_layers", 40),
    ("num_refiner_layers", 2),
    ("patch_size", 2),
    ("text_embed_dim", 4096),
    ("pooled_projection_dim", 768),
    ("image_proj_dim", 1152),
];

/// Whether the configuration in a transformer's folder is the published model's; one that can't be read is none.
pub fn is_published_transformer(folder: &Path) -> bool {
    let text = fs::read_to_string(folder.join("config.json")).ok();
    let config = text.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    config.is_some_and(|config| {
        SIZES
            .iter()
            .all(|(key, size)| config[*key].as_u64() == Some(*size))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_configuration_is_told_from_others() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for (folder, expected) in [
            ("bench/full-size/transformer", true),
            ("models/demo/transformer", false),
            ("tests/fixtures/bundle/transformer", false),
            ("bench", false),
        ] {
            assert_eq!(
                is_published_transformer(&root.join(folder)),
                expected,
                "{folder}"
            );
        }
    }
}
