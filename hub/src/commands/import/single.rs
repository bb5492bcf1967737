//! Weights of a part as one file, as `ComfyUI` has them in `diffusion_models`, `text_encoders`, `clip_vision` and `vae`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use framepack_bundle::{Component, Header};

use super::part::{Found, Source};
use crate::published;

/// A transformer is larger in any type of values; smaller files need not be read.
const SMALLEST_TRANSFORMER_BYTES: u64 = 1 << 30;
/// A tensor that no other model's transformer has.
const MARK: &str = "clean_x_embedder.proj.weight";

/// A file of a part that can't be used.
#[derive(Debug)]
pub(super) struct Unusable {
    pub(super) component: Component,
    pub(super) path: PathBuf,
    pub(super) reason: String,
}

/// What a file is; `None`: none of ours, as far as its name and its header tell.
pub(super) fn look(path: &Path) -> Option<Result<Found, Unusable>> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    // In folders of parts, which are looked for as such.
    if Component::ALL
        .iter()
        .any(|component| component.has_file(&name))
    {
        return None;
    }
    let (stem, suffix) = name.rsplit_once('.')?;
    match suffix {
        "gguf" => {
            let component = of_name(stem)?;
            let reason = "GGUF, which is not read; only safetensors files are".to_owned();
            Some(Err(unusable(component, path, reason)))
        }
        "safetensors" => of_weights(path, stem),
        _ => None,
    }
}

fn of_weights(path: &Path, stem: &str) -> Option<Result<Found, Unusable>> {
    let is_small = fs::metadata(path).ok()?.len() < SMALLEST_TRANSFORMER_BYTES;
    let named = of_name(stem);
    if named.is_none() && is_small {
        return None;
    }
    let header = match (Header::read(path), named) {
        (Ok(header), _) => header,
        (Err(_), None) => return None,
        (Err((_, reason)), Some(component)) => {
            return Some(Err(unusable(component, path, format!("it {reason}"))));
        }
    };
    let is_transformer = header.tensors.keys().any(|name| name.ends_with(MARK));
    // What goes with a transformer, as a LoRA, has its name.
    let is_its = named.is_some_and(|it| it == transformer(stem));
    if is_its && is_small && !is_transformer {
        return None;
    }
    let component = match named {
        Some(component) => component,
        None if is_transformer => transformer(stem),
        None => return None,
    };
    Some(match published::compare(component, &header) {
        Ok(()) => Ok(Found {
            component,
            source: Source::File(path.to_owned()),
            is_of_size: true,
            findings: Vec::new(),
        }),
        Err(reason) => Err(unusable(component, path, reason)),
    })
}

fn unusable(component: Component, path: &Path, reason: String) -> Unusable {
    Unusable {
        component,
        path: path.to_owned(),
        reason,
    }
}

/// The part whose weights are commonly named so, in lower case: another CLIP or Llama may have the same tensors.
fn of_name(stem: &str) -> Option<Component> {
    let begins = |names: &[&str]| names.iter().any(|name| stem.starts_with(name));
    if stem.starts_with("framepack") {
        Some(transformer(stem))
    } else if begins(&["llava_llama3", "llava-llama-3"]) {
        Some(Component::TextEncoder)
    } else if stem == "clip_l" {
        Some(Component::TextEncoder2)
    } else if begins(&["sigclip_vision_patch14_384"]) {
        Some(Component::ImageEncoder)
    } else if begins(&["hunyuan_video_vae"]) {
        Some(Component::Vae)
    } else {
        None
    }
}

/// The two transformers have the same tensors: the name tells which of them it is.
fn transformer(stem: &str) -> Component {
    let mut words = stem.split(|char: char| !char.is_ascii_alphanumeric());
    let is_f1 = words.any(|word| word == "f1" || word.starts_with("framepackf1"));
    if is_f1 {
        Component::TransformerF1
    } else {
        Component::Transformer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_by_their_names() {
        for (stem, component) in [
            ("framepacki2v_hy_bf16", Some(Component::Transformer)),
            (
                "framepack_f1_i2v_hy_20250503_bf16",
                Some(Component::TransformerF1),
            ),
            ("framepackf1_fp8", Some(Component::TransformerF1)),
            ("clip_l", Some(Component::TextEncoder2)),
            ("clip_large", None),
            ("llava_llama3_fp8_scaled", Some(Component::TextEncoder)),
            ("flux1-dev", None),
        ] {
            assert_eq!(of_name(stem), component, "{stem}");
        }
    }
}
