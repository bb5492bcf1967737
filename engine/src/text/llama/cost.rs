//! What the language model takes to encode a prompt.

use std::collections::BTreeMap;

use tch::Kind;

use super::config::Config;
use crate::{nn::EncoderCost, text::prompt::MAX_TOKENS, weights::Elements};

/// Tensors of the residual stream's width that live in a layer: the stream, the normalised stream, queries, keys,
/// values, and the attention's output.
const PEAK_HIDDEN: i64 = 6;
/// Tensors of the MLP's width: the gate, what it gates, and their product.
const PEAK_MLP: i64 = 3;

/// For the longest prompt, by the sizes of the tensors that there are. Layers that are not run are not counted.
pub fn cost(elements: &Elements, config: &Config, kind: Kind) -> EncoderCost {
    let mut layers: BTreeMap<usize, u64> = BTreeMap::new();
    let mut fixed = 0;
    for (name, count) in elements.iter() {
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
    let kind_bytes = kind.elt_size_in_bytes() as u64;
    let widths = PEAK_HIDDEN * config.hidden_size + PEAK_MLP * config.intermediate_size;
    EncoderCost {
        fixed_bytes: kind_bytes * fixed,
        layers_bytes: kind_bytes * layers.values().sum::<u64>(),
        layer_bytes: kind_bytes * layers.values().max().copied().unwrap_or(0),
        activation_bytes: kind_bytes * MAX_TOKENS as u64 * widths.unsigned_abs(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::text::llama::LAYOUT;

    #[test]
    fn llamas_last_layers_are_not_counted() {
        let dir = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../tests/fixtures/bundle/text_encoder"
        );
        let dir = Path::new(dir);
        let config = Config::read(dir).unwrap();
        let elements = Elements::stored(dir, &LAYOUT).unwrap();
        let cost = cost(&elements, &config, Kind::Half);
        assert_eq!(
            cost.layers_bytes,
            cost.layer_bytes * config.used_layers() as u64
        );
        let embedding = config.vocab_size * config.hidden_size;
        assert_eq!(cost.fixed_bytes, 2 * embedding as u64);
    }
}
