//! Whole jobs of the published models on cards of several sizes.

use framepack_ipc::worker::Phase;
use framepack_jobs::{EncoderPlacement, MemoryAmount};

use super::*;
use crate::{options::Limits, transformer::Sequence};

const GIB: u64 = 1 << 30;

/// 608x640, original order, bf16 and f16.
fn published(total_bytes: u64) -> (Survey, AvailableMemory) {
    let memory = AvailableMemory {
        total_bytes,
        free_bytes: total_bytes,
        foreign_bytes: 0,
        context_bytes: 600 << 20,
        host_available_bytes: 64 * GIB,
    };
    let text = EncoderNeeds {
        fixed_bytes: 1_050_000_000 + 250_000_000,
        layers_bytes: 30 * 436_000_000,
        layer_bytes: 436_000_000,
        activation_bytes: 60_000_000,
    };
    let vision = whole(860_000_000);
    let vae_bytes = 493_000_000;
    let encoders_bytes = text.fixed_bytes + text.layers_bytes + vision.fixed_bytes;
    let is_roomy = Planner::new(Device::Cuda(0), ModelOptions::default()).is_roomy(&memory, 0);
    let kept_bytes = vae_bytes + if is_roomy { encoders_bytes } else { 0 };
    let decoding = Decoding {
        size_px: [608, 640],
        latent_frames: 19,
        channels: 256,
        kind_bytes: 2,
        tiling: ModelOptions::default().tiling(Device::Cuda(0), total_bytes),
    };
    let sequence = Sequence {
        tokens: 18_485,
        hidden_size: 3072,
        mlp_size: 12_288,
        head_dim: 128,
        kind_bytes: 2,
    };
    let survey = Survey {
        transformer: TransformerNeeds {
            block_bytes: [vec![453_000_000; 20], vec![226_500_000; 40]].concat(),
            fixed_bytes: 100_000_000 + kept_bytes,
            hoist_peak_bytes: 850_000_000,
            hoisted_bytes: 200_000_000,
            activation_bytes: sequence.working_bytes(),
        },
        tokens: sequence.tokens,
        hoisted_away_bytes: 7_560_000_000,
        text,
        vision,
        vae_bytes,
        encoding: Decoding {
            latent_frames: 1,
            tiling: Tiling::Time,
            ..decoding
        },
        decoding,
        kept_bytes,
        is_roomy,
    };
    (survey, memory)
}

fn peak(placed: &Placed, phase: Phase) -> u64 {
    let found = placed.phases.iter().find(|peak| peak.phase == phase);
    found.expect("every phase has a peak").bytes
}

#[test]
fn every_phase_fits_cards_from_6_gib() {
    for gib in [6, 8, 12, 16, 24, 80] {
        let (survey, memory) = published(gib * GIB);
        let placed = Placed::new(&survey, &memory, &ModelOptions::default()).unwrap();
        assert_eq!(placed.phases.len(), 4);
        for peak in &placed.phases {
            assert!(peak.bytes <= memory.budget_bytes(), "{gib}: {peak:?}");
        }
        let is_streamed = placed.text_encoder == EncoderPlacement::Streamed;
        assert_eq!(is_streamed, gib < 16, "{gib}");
    }
}

/// README's table.
#[test]
fn blocks_that_stay_on_common_cards() {
    for (gib, blocks) in [
        (24, 60..=60),
        (16, 38..=41),
        (12, 23..=26),
        (8, 9..=12),
        (6, 3..=6),
    ] {
        let (survey, memory) = published(gib * GIB);
        let placed = Placed::new(&survey, &memory, &ModelOptions::default()).unwrap();
        let residents = placed.plan.residency.residents();
        assert!(blocks.contains(&residents), "{gib}: {residents}");
    }
}

#[test]
fn blocks_leave_for_the_decoder_only_where_they_must() {
    let placed = |gib| {
        let (survey, memory) = published(gib * GIB);
        Placed::new(&survey, &memory, &ModelOptions::default()).unwrap()
    };
    assert_eq!(placed(80).evicted_bytes, 0);
    let tight = placed(8);
    assert!(tight.evicted_bytes > 0);
    let (_, memory) = published(8 * GIB);
    assert_eq!(peak(&tight, Phase::Decode), memory.budget_bytes());
}

#[test]
fn a_card_that_is_too_small_for_the_decoder_is_refused() {
    // Without spatial tiles, which only a setting asks for on such a card.
    let (mut survey, memory) = published(16 * GIB);
    survey.decoding.tiling = Tiling::Time;
    let error = Placed::new(&survey, &memory, &ModelOptions::default()).err();
    let message = error.expect("21 GiB do not fit").to_string();
    assert!(message.starts_with("decoding needs at least"), "{message}");
}

#[test]
fn the_next_jobs_plan_is_the_same_although_the_host_holds_blocks_now() {
    let (survey, memory) = published(8 * GIB);
    let empty = AvailableMemory {
        host_available_bytes: 20 * GIB,
        ..memory
    };
    let planner = Planner::new(Device::Cuda(0), ModelOptions::default());
    let plan = |planner: &Planner, now| {
        let placed = Placed::new(&survey, &planner.memory(now), &ModelOptions::default());
        placed.unwrap().plan
    };
    let first = plan(&planner, empty);
    assert!(first.arena_bytes > 8 * GIB, "{first:?}");
    let filled = AvailableMemory {
        host_available_bytes: empty.host_available_bytes - first.arena_bytes,
        ..empty
    };
    assert_ne!(plan(&planner, filled), first);
    assert_eq!(plan(&planner.beside(first.arena_bytes), filled), first);
}

#[test]
fn settings_reach_the_plan() {
    let (survey, memory) = published(16 * GIB);
    let preserve = MemoryAmount::of(&framepack_jobs::Value::Number(6.0));
    let options = ModelOptions {
        limits: Limits {
            preserve_bytes: preserve.bytes(),
            ..Limits::default()
        },
        ..ModelOptions::default()
    };
    let placed = Placed::new(&survey, &memory, &options).unwrap();
    assert_eq!(placed.plan.preserve_bytes, 6 * GIB);
    let by_default = Placed::new(&survey, &memory, &ModelOptions::default()).unwrap();
    assert!(placed.plan.resident_bytes < by_default.plan.resident_bytes);
}

#[test]
fn the_cpu_keeps_all_models_where_they_fit_and_a_card_from_60_gb() {
    let (_, memory) = published(24 * GIB);
    let is_roomy = |device, all_bytes| {
        let planner = Planner::new(device, ModelOptions::default());
        planner.is_roomy(&memory, all_bytes)
    };
    assert!(is_roomy(Device::Cpu, 24 * GIB));
    assert!(!is_roomy(Device::Cpu, 24 * GIB + 1));
    assert!(!is_roomy(Device::Cuda(0), GIB));
}
