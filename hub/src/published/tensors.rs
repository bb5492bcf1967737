//! Names of the parts' tensors, and the sizes by which another model with the same names is told apart.

use framepack_bundle::Component;

/// `{a,b}` stands for each of them, `{0..20}` for each number below 20.
const TRANSFORMER: [&str; 8] = [
    "{x_embedder.proj,context_embedder.proj_in,image_projection.up,image_projection.down,norm_out.linear,proj_out}.{weight,bias}",
    "clean_x_embedder.{proj,proj_2x,proj_4x}.{weight,bias}",
    "context_embedder.time_text_embed.{timestep,text}_embedder.linear_{1,2}.{weight,bias}",
    "context_embedder.token_refiner.refiner_blocks.{0..2}.{norm1,norm2,attn.to_q,attn.to_k,attn.to_v,attn.to_out.0,ff.net.0.proj,ff.net.2,norm_out.linear}.{weight,bias}",
    "time_text_embed.{timestep,guidance,text}_embedder.linear_{1,2}.{weight,bias}",
    "transformer_blocks.{0..20}.{norm1.linear,norm1_context.linear,attn.to_q,attn.to_k,attn.to_v,attn.add_q_proj,attn.add_k_proj,attn.add_v_proj,attn.to_out.0,attn.to_add_out,ff.net.0.proj,ff.net.2,ff_context.net.0.proj,ff_context.net.2}.{weight,bias}",
    "{transformer_blocks.{0..20}.attn.norm_{q,k,added_q,added_k},single_transformer_blocks.{0..40}.attn.norm_{q,k}}.weight",
    "single_transformer_blocks.{0..40}.{attn.to_q,attn.to_k,attn.to_v,norm.linear,proj_mlp,proj_out}.{weight,bias}",
];
const VAE: [&str; 8] = [
    "{encoder,decoder}.{conv_in.conv,conv_norm_out,conv_out.conv}.{weight,bias}",
    "{encoder,decoder}.mid_block.attentions.0.{group_norm,to_q,to_k,to_v,to_out.0}.{weight,bias}",
    "{encoder.mid_block.resnets.{0..2},encoder.down_blocks.{0..4}.resnets.{0..2}}.{norm1,conv1.conv,norm2,conv2.conv}.{weight,bias}",
    "{decoder.mid_block.resnets.{0..2},decoder.up_blocks.{0..4}.resnets.{0..3}}.{norm1,conv1.conv,norm2,conv2.conv}.{weight,bias}",
    "{encoder.down_blocks.{1,2},decoder.up_blocks.{2,3}}.resnets.0.conv_shortcut.conv.{weight,bias}",
    "encoder.down_blocks.{0..3}.downsamplers.0.conv.conv.{weight,bias}",
    "decoder.up_blocks.{0..3}.upsamplers.0.conv.conv.{weight,bias}",
    "{quant_conv,post_quant_conv}.{weight,bias}",
];
const TEXT_ENCODER: [&str; 4] = [
    "{embed_tokens,norm}.weight",
    "layers.{0..32}.self_attn.{q,k,v,o}_proj.weight",
    "layers.{0..32}.mlp.{gate,up,down}_proj.weight",
    "layers.{0..32}.{input,post_attention}_layernorm.weight",
];
const TEXT_ENCODER_2: [&str; 4] = [
    "embeddings.{token,position}_embedding.weight",
    "encoder.layers.{0..12}.self_attn.{q,k,v,out}_proj.{weight,bias}",
    "encoder.layers.{0..12}.{layer_norm1,layer_norm2,mlp.fc1,mlp.fc2}.{weight,bias}",
    "final_layer_norm.{weight,bias}",
];
const IMAGE_ENCODER: [&str; 4] = [
    "embeddings.{patch_embedding.weight,patch_embedding.bias,position_embedding.weight}",
    "encoder.layers.{0..27}.self_attn.{q,k,v,out}_proj.{weight,bias}",
    "encoder.layers.{0..27}.{layer_norm1,layer_norm2,mlp.fc1,mlp.fc2}.{weight,bias}",
    "post_layernorm.{weight,bias}",
];

/// Names of all tensors that a part needs, without its prefix.
pub(super) fn names(component: Component) -> Vec<String> {
    let patterns: &[&str] = match component {
        Component::Transformer | Component::TransformerF1 => &TRANSFORMER,
        Component::Vae => &VAE,
        Component::TextEncoder => &TEXT_ENCODER,
        Component::TextEncoder2 => &TEXT_ENCODER_2,
        Component::ImageEncoder => &IMAGE_ENCODER,
        Component::Tokenizer | Component::Tokenizer2 | Component::FeatureExtractor => &[],
    };
    let patterns = patterns.iter();
    patterns.flat_map(|pattern| expanded(pattern)).collect()
}

/// What may be before all names.
pub(super) fn prefix(component: Component) -> &'static str {
    match component {
        Component::TextEncoder => "model.",
        Component::TextEncoder2 => "text_model.",
        Component::ImageEncoder => "vision_model.",
        _ => "",
    }
}

/// Sizes of some of them.
pub(super) fn sizes(component: Component) -> &'static [(&'static str, &'static [u64])] {
    match component {
        Component::Transformer | Component::TransformerF1 => &[
            ("x_embedder.proj.weight", &[3072, 16, 1, 2, 2]),
            ("context_embedder.proj_in.weight", &[3072, 4096]),
            ("image_projection.up.weight", &[9216, 1152]),
            ("transformer_blocks.0.attn.norm_q.weight", &[128]),
            (
                "single_transformer_blocks.0.proj_mlp.weight",
                &[12288, 3072],
            ),
        ],
        Component::Vae => &[
            ("encoder.conv_in.conv.weight", &[128, 3, 3, 3, 3]),
            ("decoder.conv_in.conv.weight", &[512, 16, 3, 3, 3]),
        ],
        Component::TextEncoder => &[
            ("embed_tokens.weight", &[128_320, 4096]),
            ("layers.0.self_attn.k_proj.weight", &[1024, 4096]),
            ("layers.0.mlp.up_proj.weight", &[14_336, 4096]),
        ],
        Component::TextEncoder2 => &[
            ("embeddings.token_embedding.weight", &[49_408, 768]),
            ("embeddings.position_embedding.weight", &[77, 768]),
            ("encoder.layers.0.mlp.fc1.weight", &[3072, 768]),
        ],
        Component::ImageEncoder => &[
            ("embeddings.patch_embedding.weight", &[1152, 3, 14, 14]),
            ("embeddings.position_embedding.weight", &[729, 1152]),
            ("encoder.layers.0.mlp.fc1.weight", &[4304, 1152]),
        ],
        Component::Tokenizer | Component::Tokenizer2 | Component::FeatureExtractor => &[],
    }
}

/// All that a pattern stands for.
fn expanded(pattern: &str) -> Vec<String> {
    let Some(start) = pattern.find('{') else {
        return vec![pattern.to_owned()];
    };
    let (before, rest) = pattern.split_at(start);
    let end = closing(rest);
    let after = expanded(&rest[end + 1..]);
    let inner = alternatives(&rest[1..end]).into_iter();
    let inner = inner.flat_map(|alternative| expanded(&alternative));
    let joined = inner.flat_map(|inner| {
        let after = after.iter();
        after.map(move |after| format!("{before}{inner}{after}"))
    });
    joined.collect()
}

/// Where the brace is that closes the first.
fn closing(text: &str) -> usize {
    let mut depth = 0;
    let is_last = |char: char| {
        match char {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        depth == 0
    };
    text.find(is_last).expect("every brace is closed")
}

/// What is between two braces, one by one.
fn alternatives(text: &str) -> Vec<String> {
    let range = text.split_once("..").and_then(|(from, to)| {
        let [from, to] = [from, to].map(str::parse::<usize>);
        Some(from.ok()?..to.ok()?)
    });
    if let Some(range) = range {
        return range.map(|number| number.to_string()).collect();
    }
    let mut depth = 0;
    let is_between = |char: char| {
        match char {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        depth == 0 && char == ','
    };
    text.split(is_between).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use framepack_bundle::Header;

    use super::*;

    #[test]
    fn there_are_as_many_tensors_as_are_published() {
        for (component, count) in [
            (Component::Transformer, 1274),
            (Component::Vae, 248),
            (Component::TextEncoder, 2 + 32 * 9),
            (Component::TextEncoder2, 4 + 12 * 16),
            (Component::ImageEncoder, 5 + 27 * 16),
        ] {
            let names = names(component);
            assert_eq!(names.len(), count, "{component:?}");
            let sizes = sizes(component).iter();
            for (name, _) in sizes {
                assert!(names.iter().any(|known| known == name), "{name}");
            }
            let different: BTreeSet<_> = names.into_iter().collect();
            assert_eq!(different.len(), count, "{component:?}");
        }
    }

    /// The tests' models have the same names, with fewer layers.
    #[test]
    fn names_are_those_of_the_tests_models() {
        let numberless = |name: &str| {
            let parts = name.split('.');
            let parts = parts.map(|it| it.parse::<u32>().map_or(it, |_| "N"));
            parts.collect::<Vec<_>>().join(".")
        };
        for component in [
            Component::Transformer,
            Component::TextEncoder,
            Component::TextEncoder2,
            Component::ImageEncoder,
        ] {
            let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/bundle");
            let name = format!("{}.safetensors", component.weights().unwrap());
            let file = bundle.join(component.folder()).join(name);
            let stored = Header::read(&file).unwrap().tensors.into_keys();
            let unused = |name: &String| name.contains("head.") || name.ends_with("position_ids");
            let stored = stored.filter(|name| !unused(name));
            let stored: BTreeSet<_> = stored
                .map(|name| numberless(name.strip_prefix(prefix(component)).unwrap_or(&name)))
                .collect();
            let known: BTreeSet<_> = names(component).iter().map(|it| numberless(it)).collect();
            assert_eq!(stored, known, "{component:?}");
        }
    }
}
