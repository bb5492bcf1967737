//! The models as they are published: the tensors of each part, and its configuration. Programs like `ComfyUI` have a part's
//! weights as one file without a configuration; its header tells whether the weights are these.
//!
//! - `tensors`: names and sizes
//! - `configuration`: what `config.json` says

mod configuration;
mod tensors;

use std::collections::BTreeMap;

use framepack_bundle::{Component, Header, Tensor};
use serde_json::Value;

pub(crate) use self::configuration::configuration;
use self::tensors::{names, prefix, sizes};

/// The types of values that are read.
const TYPES: [&str; 3] = ["BF16", "F16", "F32"];

/// What a configuration says of sizes.
const SIZES: [&str; 7] = [
    "attention_head_dim",
    "block_out_channels",
    "hidden_size",
    "num_attention_heads",
    "num_hidden_layers",
    "num_layers",
    "num_single_layers",
];

/// Whether a part with this configuration is as large as the published one: a smaller one, as of a demonstration, does not
/// go with the published others.
pub(crate) fn is_of_size(component: Component, said: &Value) -> bool {
    let known = configuration(component).unwrap_or_default();
    SIZES.iter().all(|key| {
        let both = known.get(key).zip(said.get(key));
        both.is_none_or(|(known, said)| known == said)
    })
}

/// Whether a file of this header has the weights of a part; the error says why they can't be used.
pub(crate) fn compare(component: Component, header: &Header) -> Result<(), String> {
    let prefix = prefix(component);
    let stored = header.tensors.iter().map(|(name, tensor)| {
        let short = name.strip_prefix(prefix).unwrap_or(name);
        (short, tensor)
    });
    let stored: BTreeMap<&str, &Tensor> = stored.collect();
    let names = names(component);
    let lacks = names.iter().find(|name| !stored.contains_key(&***name));
    let other = stored.values().find(|it| !TYPES.contains(&&*it.dtype));
    match (lacks, other) {
        (_, Some(tensor)) if tensor.dtype.starts_with("F8") => {
            let dtype = &tensor.dtype;
            return Err(format!("float8 values ({dtype}), which are not read"));
        }
        (Some(name), _) => return Err(format!("other names of tensors: no {name}")),
        (None, _) => {}
    }
    for name in &names {
        let dtype = &stored[&**name].dtype;
        if !TYPES.contains(&&**dtype) {
            return Err(format!("{name} has values of type {dtype}"));
        }
    }
    for (name, shape) in sizes(component) {
        let found = &stored[name].shape;
        if found != shape {
            return Err(format!(
                "another size: {name} has {found:?}, expected {shape:?}"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(component: Component, dtype: &str) -> Header {
        let tensor = |name: &str| {
            let mut sizes = sizes(component).iter();
            let shape = sizes.find(|(of, _)| *of == name);
            Tensor {
                dtype: dtype.to_owned(),
                shape: shape.map_or_else(|| vec![1], |(_, shape)| shape.to_vec()),
            }
        };
        let names = names(component).into_iter();
        let tensors = names.map(|name| (format!("{}{name}", prefix(component)), tensor(&name)));
        Header {
            tensors: tensors.collect(),
        }
    }

    #[test]
    fn file_is_known_by_names_types_and_sizes() {
        for component in Component::ALL
            .into_iter()
            .filter(|it| it.weights().is_some())
        {
            for dtype in TYPES {
                assert_eq!(compare(component, &header(component, dtype)), Ok(()));
            }
            let mut spoilt = header(component, "F8_E4M3");
            let says = |header: &Header| compare(component, header).unwrap_err();
            assert!(says(&spoilt).contains("float8"), "{component:?}");
            spoilt = header(component, "F16");
            let (name, shape) = sizes(component)[0];
            let name = format!("{}{name}", prefix(component));
            spoilt.tensors.get_mut(&name).unwrap().shape = vec![shape[0] + 1];
            assert!(says(&spoilt).contains("another size"), "{component:?}");
            spoilt.tensors.remove(&name);
            assert!(says(&spoilt).contains("other names"), "{component:?}");
        }
    }
}
