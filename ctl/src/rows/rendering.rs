//! How a finished job was rendered, in words.

use framepack_jobs::{Attention, ChosenBy, DecodedTiles, DeviceIdle, RenderOutput};

use crate::memory;

/// What the device did besides sampling, and when it did nothing.
pub(super) fn idle(idle: DeviceIdle) -> String {
    let DeviceIdle {
        idle_secs,
        decoding_alone_secs,
        hidden_secs,
        total_secs,
    } = idle;
    let waited = format!("{idle_secs:.2} s of {total_secs:.1} s between sampling and decoding");
    // Earlier versions did not tell.
    if decoding_alone_secs + hidden_secs == 0.0 {
        return waited;
    }
    format!(
        "{waited}\ndecoded {decoding_alone_secs:.1} s by itself, {hidden_secs:.1} s beside sampling"
    )
}

/// How a finished job's frames were decoded, a line for each thing.
pub(super) fn decoding(output: &RenderOutput) -> Vec<String> {
    let plan = output.memory_plan.as_ref();
    let vae = plan.and_then(|plan| plan.vae.as_ref());
    let overlap = plan.and_then(|plan| plan.overlap.as_ref());
    let tiles = output.decoded_tiles.filter(|tiles| tiles.reused > 0);
    let tiles = tiles.map(|DecodedTiles { all, reused }| {
        format!("{reused} of {all} tiles decoded with the section before")
    });
    let vae = vae.map(memory::decoding).unwrap_or_default();
    let others = tiles.into_iter().chain(overlap.map(memory::beside));
    vae.into_iter().chain(others).collect()
}

/// What computed the attention, and who chose it.
pub(super) fn attention(result: &RenderOutput) -> Option<String> {
    let Attention {
        backend,
        chosen_by,
        mode,
        reason,
    } = result.attention.as_ref()?;
    let mode = mode.as_deref().filter(|mode| *mode != "auto");
    let asked = mode.map(|mode| format!("attention: {mode}"));
    let chosen = match chosen_by {
        ChosenBy::Device => "chosen for the device",
        ChosenBy::Flag => "set for the worker",
        ChosenBy::Setting => "set for the job",
        ChosenBy::Checkpoint => "as in the run that was continued",
        ChosenBy::Precaution => "since the last attempt produced NaN",
        ChosenBy::Unknown(other) => other,
    };
    let parts = [Some(chosen), asked.as_deref(), reason.as_deref()];
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    Some(format!("{backend} ({})", parts.join("; ")))
}
