//! Sizes of models that are known.

use std::path::Path;

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
        padded_text_tokens: 512,
        latent_tokens: 13_680,
        branches: 1,
        steps: 25,
        step_cache: StepCacheRule::Off,
        attention: AttentionMemory::Fused,
        kernels: KernelUse::On,
    };
    let cost = transformer_cost(&config, &run, Kind::BFloat16).unwrap();
    let about = |found: u64, expected: f64| {
        assert!(
            (found as f64 / expected - 1.0).abs() < 0.01,
            "{found} {expected}"
        );
    };
    about(cost.block_bytes[0], 453.0e6);
    about(cost.block_bytes[59], 226.5e6);
    about(cost.hoisted_away_bytes, (6.80 + 0.62 + 0.08 + 0.06) * 1e9);
    assert!(cost.fixed_bytes < 110_000_000, "{}", cost.fixed_bytes);
}

#[test]
fn configurations_say_what_the_files_hold() {
    let same = |folder: &str, layout: &Layout, configured: Elements| {
        let stored = Elements::stored(&Path::new(BUNDLE).join(folder), layout).unwrap();
        let stored: Vec<_> = stored.iter().collect();
        assert!(configured.iter().next().is_some());
        for tensor in configured.iter() {
            assert!(stored.contains(&tensor), "{folder}: {tensor:?}");
        }
    };
    let dir = |folder: &str| Path::new(BUNDLE).join(folder);
    let config = vae::Config::read(&dir("vae")).unwrap();
    let asked_for = Elements::asked_for(|w| Vae::load(w, &config)).unwrap();
    same("vae", &Layout::DIFFUSERS, asked_for);
    let config = llama::Config::read(&dir("text_encoder")).unwrap();
    let asked_for = Elements::asked_for(|w| Llama::load(w, &config, &no_memory())).unwrap();
    same("text_encoder", &llama::LAYOUT, asked_for);
    let config = clip::Config::read(&dir("text_encoder_2")).unwrap();
    let asked_for = Elements::asked_for(|w| Clip::load(w, &config)).unwrap();
    same("text_encoder_2", &clip::LAYOUT, asked_for);
}
