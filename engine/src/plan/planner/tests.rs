//! Whole jobs of the published models on cards of several sizes.

mod frames;
mod preserve;

use std::path::Path;

use framepack_ipc::worker::Phase;
use framepack_jobs::{MemoryAmount, Model, Value, WorkingSizes};
use tch::Kind;

use super::*;
use crate::{
    bundle::Component,
    job::usual_request,
    kernels::KernelUse,
    nn::EncoderCost,
    plan::{ChosenScheme, DecodeKind, SchemeReason},
    plan::{limits::Limits, survey::is_roomy},
    transformer::{Sequence, TransformerCost},
    vae::{Config, DecodeCost},
};

const GIB: u64 = 1 << 30;

/// 608x640, original order, bf16 and f16.
fn published(total_bytes: u64) -> (Survey, Budget) {
    let memory = Budget {
        total_bytes,
        free_bytes: total_bytes,
        foreign_bytes: 0,
        context_bytes: 600 << 20,
        host_available_bytes: 64 * GIB,
    };
    let text = EncoderCost {
        fixed_bytes: 1_050_000_000 + 250_000_000,
        layers_bytes: 30 * 436_000_000,
        layer_bytes: 436_000_000,
        activation_bytes: 60_000_000,
    };
    let vision = EncoderCost::whole(860_000_000);
    let vae_bytes = 493_000_000;
    let encoders_bytes = text.fixed_bytes + text.layers_bytes + vision.fixed_bytes;
    let is_roomy = is_roomy(Device::Cuda(0), &memory, 0);
    let kept_bytes = vae_bytes + if is_roomy { encoders_bytes } else { 0 };
    let space = ModelOptions::default().space(Device::Cuda(0), total_bytes);
    let sequence = Sequence {
        tokens: 18_485,
        hidden_size: 3072,
        mlp_size: 12_288,
        head_dim: 128,
        kind_bytes: 2,
        attention_bytes: 0,
        kernels: KernelUse::On,
    };
    let survey = Survey {
        step_cache: StepCacheRule::Off,
        transformer: TransformerCost {
            step_cache_bytes: 0,
            block_bytes: [vec![453_000_000; 20], vec![226_500_000; 40]].concat(),
            fixed_bytes: 100_000_000 + kept_bytes,
            conditioner_bytes: 850_000_000,
            modulation_bytes: 226_500_000,
            hoisted_bytes: 200_000_000,
            hoisted_away_bytes: 7_560_000_000,
            activation_bytes: sequence.working_bytes(),
        },
        tokens: sequence.tokens,
        text,
        vision,
        vae_bytes,
        vae_kind: Kind::Half,
        encoding_bytes: decoding(1, SpaceTiling::Whole),
        decoding_bytes: decoding(19, space),
        recurring_bytes: 0,
        overlap: Ok(()),
        decoding_sizes: WorkingSizes::Assumed,
        section_latent_frames: 19,
        decoding: ChosenScheme {
            scheme: space.into(),
            reason: SchemeReason::Default,
        },
        decoding_work: 1.0,
        kept_bytes,
        is_roomy,
    };
    (survey, memory)
}

/// Working memory of the published VAE.
fn decoding(latent_frames: u64, space: SpaceTiling) -> u64 {
    let decoding = DecodeCost {
        config: &Config::published(),
        kind: Kind::Half,
        size_px: [608, 640],
        latent_frames,
        scheme: space.into(),
        kernels: KernelUse::Off,
    };
    decoding.working_bytes()
}

fn peak(placed: &Planned, phase: Phase) -> u64 {
    let found = placed.phases.iter().find(|peak| peak.phase == phase);
    found.expect("every phase has a peak").bytes
}

#[test]
fn every_phase_fits_cards_from_6_gib() {
    for gib in [6, 8, 12, 16, 24, 80] {
        let (survey, memory) = published(gib * GIB);
        let placed = Planned::new(&survey, &memory, &ModelOptions::default()).unwrap();
        assert_eq!(placed.phases.len(), 4);
        for peak in &placed.phases {
            assert!(peak.bytes <= memory.usable_bytes(), "{gib}: {peak:?}");
        }
        let is_streamed = placed.placement.text_slots.is_some();
        assert_eq!(is_streamed, gib < 16, "{gib}");
    }
}

/// The table of docs/MEMORY.md.
#[test]
fn blocks_that_stay_on_common_cards() {
    for (gib, blocks) in [
        (24, 60..=60),
        (16, 41..=44),
        (12, 26..=30),
        (8, 12..=16),
        (6, 6..=9),
    ] {
        let (survey, memory) = published(gib * GIB);
        let placed = Planned::new(&survey, &memory, &ModelOptions::default()).unwrap();
        let residents = placed.placement.transformer.residency.residents();
        assert!(blocks.contains(&residents), "{gib}: {residents}");
    }
}

#[test]
fn blocks_leave_for_the_decoder_only_where_they_must() {
    let placed = |gib| {
        let (survey, memory) = published(gib * GIB);
        Planned::new(&survey, &memory, &ModelOptions::default()).unwrap()
    };
    assert_eq!(placed(80).evicted_bytes, 0);
    let tight = placed(8);
    assert!(tight.evicted_bytes > 0);
    let (_, memory) = published(8 * GIB);
    assert_eq!(peak(&tight, Phase::Decode), memory.usable_bytes());
}

#[test]
fn a_card_that_is_too_small_for_the_decoder_is_refused() {
    // Without spatial tiles, which only a setting asks for on such a card.
    let (mut survey, memory) = published(16 * GIB);
    survey.decoding_bytes = decoding(19, SpaceTiling::Whole);
    let error = Planned::new(&survey, &memory, &ModelOptions::default()).err();
    let message = error.expect("21 GiB do not fit").to_string();
    assert!(message.starts_with("decoding needs at least"), "{message}");
}

#[test]
fn the_next_jobs_plan_is_the_same_although_the_host_holds_blocks_now() {
    let (survey, memory) = published(8 * GIB);
    let empty = Budget {
        host_available_bytes: 20 * GIB,
        ..memory
    };
    let planner = Planner::new(Device::Cuda(0), ModelOptions::default());
    let plan = |planner: &Planner, now| {
        let placed = Planned::new(&survey, &planner.budget(now), &ModelOptions::default());
        placed.unwrap().placement.transformer
    };
    let first = plan(&planner, empty);
    assert!(first.arena_bytes > 8 * GIB, "{first:?}");
    let filled = Budget {
        host_available_bytes: empty.host_available_bytes - first.arena_bytes,
        ..empty
    };
    assert_ne!(plan(&planner, filled), first);
    assert_eq!(
        plan(&planner.clone().beside(first.arena_bytes), filled),
        first
    );
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
    let placed = Planned::new(&survey, &memory, &options).unwrap();
    assert_eq!(placed.placement.transformer.preserve_bytes, 6 * GIB);
    let by_default = Planned::new(&survey, &memory, &ModelOptions::default()).unwrap();
    assert!(
        placed.placement.transformer.resident_bytes
            < by_default.placement.transformer.resident_bytes
    );
}

/// A job of the tiny bundle with these settings.
fn job(settings: &[(&str, Value)]) -> Job {
    job_that_asks(settings, &[])
}

/// The same of which these keys are its own.
fn job_that_asks(settings: &[(&str, Value)], own: &[&str]) -> Job {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/bundle");
    let mut request = usual_request(Path::new(fixtures), None, Model::Original);
    for (key, value) in settings {
        request.settings.set(*key, value.clone());
    }
    request.own = own.iter().map(ToString::to_string).collect();
    Job::with_blank_picture(&request).unwrap()
}

#[test]
fn a_plan_has_what_was_measured_and_says_so() {
    let config = Config::read(&job(&[]).bundle.component(Component::Vae).unwrap()).unwrap();
    let plan = |factors| {
        let planner = Planner::new(Device::Cpu, ModelOptions::default()).measured(factors);
        let (plan, placement) = planner.plan_job(&job(&[]), Relief::default()).unwrap();
        let decode = plan.phases.iter().find(|peak| peak.phase == Phase::Decode);
        let peak_bytes = decode.expect("every phase has a peak").bytes;
        (plan.vae.unwrap(), placement, peak_bytes)
    };
    let kind = |kind| {
        DecodeKind::of(&DecodeCost {
            config: &config,
            kind,
            size_px: [64, 64],
            latent_frames: 5,
            scheme: SpaceTiling::Whole.into(),
            kernels: KernelUse::On,
        })
    };
    let (assumed, placement, assumed_peak) = plan(DecodeFactors::default());
    let assumed_bytes = placement.decoding_bytes;
    assert_eq!(assumed.sizes, WorkingSizes::Assumed);
    assert_eq!(assumed.working_bytes, assumed_bytes);
    let of_another_dtype = DecodeFactors::default().with(kind(Kind::Half), 200);
    assert_eq!(plan(of_another_dtype).0, assumed);
    let factors = DecodeFactors::default().with(kind(Kind::Float), 200);
    let (measured, learnt, peak) = plan(factors);
    assert_eq!(measured.sizes, WorkingSizes::Measured);
    assert_eq!(measured.working_bytes, 2 * assumed_bytes);
    assert_eq!(learnt.decoding_bytes, 2 * assumed_bytes);
    assert!(
        learnt.does_as(&placement),
        "a rung must change more than this"
    );
    let relieved = Placement {
        decoding: ChosenScheme {
            reason: SchemeReason::Relief,
            ..placement.decoding
        },
        has_relief: true,
        ..learnt.clone()
    };
    assert!(relieved.does_as(&placement), "nor a reason");
    let tiled = Placement {
        decoding: ChosenScheme {
            scheme: SpaceTiling::Reference.into(),
            ..placement.decoding
        },
        ..learnt
    };
    assert!(!tiled.does_as(&placement));
    assert_eq!(peak - assumed_peak, assumed_bytes);
}

#[test]
fn a_jobs_chunk_is_what_the_host_keeps_for_transit() {
    let (survey, memory) = published(8 * GIB);
    let planned = |settings: &[(&str, Value)]| {
        let options = ModelOptions {
            limits: Limits {
                host_budget_bytes: Some(8 * GIB),
                ..Limits::default()
            },
            ..ModelOptions::default()
        };
        let options = options.for_job(&job(settings), Relief::default());
        let planned = Planned::new(&survey, &memory, &options).unwrap();
        planned.placement.transformer
    };
    let by_default = planned(&[]);
    assert_eq!(by_default.staging_bytes, 256 << 20);
    let large = planned(&[("memory.load_chunk_mb", Value::Integer(1024))]);
    assert_eq!(large.staging_bytes, GIB);
    assert!(large.arena_bytes < by_default.arena_bytes);
    assert!(large.arena_bytes + large.staging_bytes <= 8 * GIB);
    assert_eq!(large.residency, by_default.residency);
}

#[test]
fn the_cpu_keeps_all_models_where_they_fit_and_a_card_from_60_gb() {
    let (_, memory) = published(24 * GIB);
    let is_roomy = |device, all_bytes| is_roomy(device, &memory, all_bytes);
    assert!(is_roomy(Device::Cpu, 24 * GIB));
    assert!(!is_roomy(Device::Cpu, 24 * GIB + 1));
    assert!(!is_roomy(Device::Cuda(0), GIB));
}
