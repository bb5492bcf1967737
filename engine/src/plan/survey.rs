//! What a bundle's models need: from their configurations and the names and shapes of their tensors.
//!
//! No weight is read. The sizes are those of the type that a model computes in, not of the files.

use std::{collections::BTreeMap, path::Path};

use tch::{Device, Kind};

use super::phases::{Decoding, EncoderNeeds};
use crate::{
    offload::{Memory, MemoryOptions},
    text::{Clip, Llama, clip, llama},
    transformer::{self, PackedTransformer, Run, TransformerNeeds},
    vae::{self, Vae},
    vision::{Siglip, siglip},
    weights::{Layout, Loading, WeightsError, stored_elements},
};

/// What a job's bundle and request say.
pub(super) struct Survey {
    pub(super) transformer: TransformerNeeds,
    pub(super) tokens: u64,
    pub(super) hoisted_away_bytes: u64,
    pub(super) text: EncoderNeeds,
    pub(super) vision: EncoderNeeds,
    pub(super) vae_bytes: u64,
    pub(super) encoding: Decoding,
    pub(super) decoding: Decoding,
    /// Weights of other models that are on the device while the transformer samples.
    pub(super) kept_bytes: u64,
    /// Whether the encoders are among them.
    pub(super) is_roomy: bool,
}

/// A model whose tensors can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    /// HunyuanVideo's autoencoder.
    Vae,
    /// Llama.
    Llama,
    /// CLIP's text encoder.
    Clip,
    /// SigLIP's image encoder.
    Siglip,
}

impl Counted {
    fn layout(self) -> Layout {
        match self {
            Self::Vae => Layout::DIFFUSERS,
            Self::Llama => llama::LAYOUT,
            Self::Clip => clip::LAYOUT,
            Self::Siglip => siglip::LAYOUT,
        }
    }
}

/// Elements of each tensor, by name.
pub(super) type Elements = BTreeMap<String, u64>;

/// Names and sizes of the tensors in a component's folder, from the headers of its files.
pub(super) fn read_elements(model: Counted, dir: &Path) -> Result<Elements, WeightsError> {
    stored_elements(dir, &model.layout())
}

/// Names and sizes of the tensors that a model asks for whose `config.json` is in `dir`.
pub(super) fn configured_elements(model: Counted, dir: &Path) -> Result<Elements, WeightsError> {
    let shapes = Loading::shapes();
    let w = shapes.weights(Device::Cpu, Kind::Half);
    let memory = Memory::new(Device::Cpu, MemoryOptions::default());
    match model {
        Counted::Vae => drop(Vae::load(&w, &vae::Config::read(dir)?)?),
        Counted::Llama => drop(Llama::load(&w, &llama::Config::read(dir)?, &memory)?),
        Counted::Clip => drop(Clip::load(&w, &clip::Config::read(dir)?)?),
        Counted::Siglip => drop(Siglip::load(&w, &siglip::Config::read(dir)?, &memory)?),
    }
    let taken = shapes.taken().into_iter();
    let count = |shape: Vec<i64>| shape.iter().product::<i64>().unsigned_abs();
    Ok(taken.map(|(name, shape)| (name, count(shape))).collect())
}

/// What a transformer of `config` needs for a run, and the bytes of its weights that leave the device once they are
/// evaluated.
pub(super) fn transformer_needs(
    config: &transformer::Config,
    run: &Run,
    kind: Kind,
) -> Result<(TransformerNeeds, u64), WeightsError> {
    let shapes = Loading::shapes();
    let memory = Memory::new(Device::Cpu, MemoryOptions::default());
    let model = PackedTransformer::load(&shapes.weights(Device::Cpu, kind), config, &memory)?;
    Ok((model.needs(run), model.hoisted_away_bytes()))
}

/// What Llama needs to encode `tokens` tokens.
pub(super) fn llama_needs(
    elements: &Elements,
    config: &llama::Config,
    (tokens, kind_bytes): (u64, u64),
) -> EncoderNeeds {
    let mut layers: BTreeMap<usize, u64> = BTreeMap::new();
    let mut fixed = 0;
    for (name, count) in elements {
        let layer = name
            .strip_prefix("layers.")
            .and_then(|rest| rest.split_once('.')?.0.parse::<usize>().ok());
        match layer {
            Some(layer) if layer < config.used_layers() => {
                *layers.entry(layer).or_default() += count;
            }
            Some(_) => {}
            None => fixed += count,
        }
    }
    // Stream, normalised stream, q, k, v and the attention's output; the gated MLP's three.
    let widths = 6 * config.hidden_size + 3 * config.intermediate_size;
    EncoderNeeds {
        fixed_bytes: kind_bytes * fixed,
        layers_bytes: kind_bytes * layers.values().sum::<u64>(),
        layer_bytes: kind_bytes * layers.values().max().copied().unwrap_or(0),
        activation_bytes: kind_bytes * tokens * widths.unsigned_abs(),
    }
}

/// An encoder that is not streamed.
pub(super) fn whole(weights_bytes: u64) -> EncoderNeeds {
    EncoderNeeds {
        fixed_bytes: weights_bytes,
        ..EncoderNeeds::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUNDLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/bundle");

    #[test]
    fn the_published_transformer_has_its_published_sizes() {
        let dir = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../bench/full-size/transformer"
        );
        let config = transformer::Config::read(Path::new(dir)).unwrap();
        let run = Run {
            tokens: 18_289,
            context_tokens: 789,
            evaluations: 25,
        };
        let (needs, hoisted_away_bytes) = transformer_needs(&config, &run, Kind::BFloat16).unwrap();
        let about = |found: u64, expected: f64| {
            assert!(
                (found as f64 / expected - 1.0).abs() < 0.01,
                "{found} {expected}"
            );
        };
        about(needs.block_bytes[0], 453.0e6);
        about(needs.block_bytes[59], 226.5e6);
        about(hoisted_away_bytes, (6.80 + 0.62 + 0.08 + 0.06) * 1e9);
        assert!(needs.fixed_bytes < 110_000_000, "{}", needs.fixed_bytes);
    }

    #[test]
    fn configurations_say_what_the_files_hold() {
        for (model, folder) in [
            (Counted::Vae, "vae"),
            (Counted::Llama, "text_encoder"),
            (Counted::Clip, "text_encoder_2"),
        ] {
            let dir = Path::new(BUNDLE).join(folder);
            let configured = configured_elements(model, &dir).unwrap();
            let stored = read_elements(model, &dir).unwrap();
            for (name, elements) in &configured {
                assert_eq!(stored.get(name), Some(elements), "{model:?} {name}");
            }
            assert!(!configured.is_empty());
        }
    }

    #[test]
    fn llamas_last_layers_are_not_counted() {
        let dir = Path::new(BUNDLE).join("text_encoder");
        let config = llama::Config::read(&dir).unwrap();
        let elements = read_elements(Counted::Llama, &dir).unwrap();
        let needs = llama_needs(&elements, &config, (10, 2));
        assert_eq!(
            needs.layers_bytes,
            needs.layer_bytes * config.used_layers() as u64
        );
        let embedding = config.vocab_size * config.hidden_size;
        assert_eq!(needs.fixed_bytes, 2 * embedding as u64);
    }
}
