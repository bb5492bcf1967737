//! What memory a job would take.

use std::process;

use framepack_ipc::worker::{MemoryPlan, Phase, PlanOutcome, RenderRequest};
use framepack_jobs::{
    Code, DeviceMemory, EncoderPlacement, Failure, PhasePeak, TransformerMemory, VaeDecoding,
    VaeMode, VaeTiles, WorkingSizes, settings::PRESERVE_GB,
};

pub(crate) fn outcome(request: &RenderRequest) -> PlanOutcome {
    assert!(request.image.is_file(), "{request:?}");
    if request.prompt.starts_with("unplanned") {
        process::abort();
    }
    if request.prompt.starts_with("large") {
        let message =
            "sampling needs at least 9.00 GiB of device memory, but only 7.00 GiB are available";
        return PlanOutcome::Refused(Failure::new(Code::DOES_NOT_FIT, message));
    }
    PlanOutcome::Plan(Box::new(memory_plan(preserve_gb(request))))
}

fn preserve_gb(request: &RenderRequest) -> Option<u64> {
    let gb = request.settings.get(&PRESERVE_GB)?.number()?;
    Some(gb as u64)
}

/// What every job takes.
pub(crate) fn memory_plan(preserve_gb: Option<u64>) -> MemoryPlan {
    MemoryPlan {
        device: DeviceMemory {
            label: "cpu".to_owned(),
            name: "a fake".to_owned(),
            total_bytes: 8 << 30,
            free_bytes: 7 << 30,
            foreign_bytes: 1 << 30,
            context_bytes: 1 << 29,
        },
        transformer: TransformerMemory {
            tokens: 18_289,
            activation_bytes: 1 << 30,
            preserve_bytes: preserve_gb.map_or(1 << 30, |gb| gb << 30),
            step_cache_bytes: 0,
            fixed_bytes: 1 << 28,
            hoisted_away_bytes: 7 << 30,
            blocks: 60,
            resident_blocks: 20,
            resident_bytes: 2 << 30,
            slots: 3,
            slots_bytes: 1 << 30,
            streamed_bytes: 4 << 30,
            arena_bytes: 3 << 30,
            staged_bytes: 1 << 30,
        },
        text_encoder: EncoderPlacement::Streamed,
        vae_tiles: VaeTiles::TimeAndSpace,
        vae: Some(VaeDecoding {
            mode: VaeMode::Chunked,
            quality: false,
            chunk_latent_frames: 2,
            step_latent_frames: None,
            context_latent_frames: 3,
            blend_frames: 4,
            tile_px: None,
            work: 1.5,
            working_bytes: 1 << 30,
            recurring_bytes: 0,
            sizes: WorkingSizes::Assumed,
            reason: "no frame of it is real".to_owned(),
        }),
        overlap: None,
        evicted_bytes: 1 << 28,
        phases: vec![PhasePeak {
            phase: Phase::Sample,
            bytes: 4 << 30,
        }],
        peak_bytes: 4 << 30,
        warnings: vec!["no byte of it is real".to_owned()],
    }
}
