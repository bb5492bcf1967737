//! A job's memory in words.

use framepack_jobs::{
    Bytes, DecodeOverlap, EncoderPlacement, MemoryPlan, Phase, RenderOutput, TransformerMemory,
    VaeDecoding, VaeMode, VaeTiles, WorkingSizes,
};

/// Room for a label of a plan.
const LABEL_WIDTH: usize = 11;

/// What a plan says, a line for each thing.
pub(crate) fn lines(facts: Vec<(&'static str, String)>) -> Vec<String> {
    let line = |(label, value)| format!("{label:<LABEL_WIDTH$} {value}");
    facts.into_iter().map(line).collect()
}

/// What a plan says, each thing with its label; what continues a line has an empty one.
pub(crate) fn facts(plan: &MemoryPlan) -> Vec<(&'static str, String)> {
    let device = &plan.device;
    let mut lines = vec![
        ("device", format!("{} ({})", device.label, device.name)),
        (
            "memory",
            format!(
                "{}: {} used by others, {} for the worker",
                Bytes(device.total_bytes),
                Bytes(device.foreign_bytes),
                Bytes(device.free_bytes)
            ),
        ),
    ];
    if device.context_bytes > 0 {
        let context = Bytes(device.context_bytes);
        lines.push((
            "",
            format!("{context} of CUDA context, kernels and workspaces, before the first tensor"),
        ));
    }
    lines.extend(transformer(&plan.transformer));
    let encoder = match plan.text_encoder {
        EncoderPlacement::Resident => "resident",
        EncoderPlacement::Streamed => "streamed layer by layer",
        EncoderPlacement::Unknown => "unknown",
    };
    lines.push(("encoder", encoder.to_owned()));
    let decoding = match &plan.vae {
        Some(vae) => decoding(vae),
        None => vec![tiles(plan.vae_tiles).to_owned()],
    };
    let labels = std::iter::once("vae").chain(std::iter::repeat(""));
    lines.extend(labels.zip(decoding));
    if let Some(overlap) = &plan.overlap {
        lines.push(("", beside(overlap)));
    }
    if plan.evicted_bytes > 0 {
        let evicted = Bytes(plan.evicted_bytes);
        lines.push((
            "",
            format!("{evicted} of the transformer's weights leave the device meanwhile"),
        ));
    }
    let peaks = plan.phases.iter().enumerate().map(|(i, peak)| {
        let label = if i == 0 { "peak" } else { "" };
        (
            label,
            format!("{:<7} {:>10}", phase(peak.phase), Bytes(peak.bytes)),
        )
    });
    lines.extend(peaks);
    lines.push((
        "",
        format!("{:<7} {:>10}", "largest", Bytes(plan.peak_bytes)),
    ));
    lines.extend(
        plan.warnings
            .iter()
            .map(|warning| ("warning", warning.clone())),
    );
    lines
}

/// How the VAE decodes, a line for each thing.
pub(crate) fn decoding(vae: &VaeDecoding) -> Vec<String> {
    let space = vae.tile_px.map_or_else(
        || "whole frames".to_owned(),
        |side| format!("spatial tiles of {side} pixels"),
    );
    let quality = if vae.quality {
        "quality on: norms and sums in f32"
    } else {
        "quality off"
    };
    let mut lines = vec![
        pieces(vae),
        format!("{space}; {quality}"),
        format!(
            "{}; {} of working memory{}",
            more(vae.work),
            Bytes(vae.working_bytes),
            match vae.sizes {
                WorkingSizes::Measured => " (measured on this device)",
                WorkingSizes::Assumed | WorkingSizes::Unknown => "",
            }
        ),
    ];
    if vae.recurring_bytes > 0 {
        let waiting = Bytes(vae.recurring_bytes);
        lines.push(format!(
            "{waiting} of it for frames of tiles that the next section has, too, and does not decode again"
        ));
    }
    lines.push(format!("reason: {}", vae.reason));
    lines
}

/// Whether a section is decoded while the next one is sampled.
pub(crate) fn beside(DecodeOverlap { is_planned, reason }: &DecodeOverlap) -> String {
    if *is_planned {
        format!("decodes a section while the next one is sampled: {reason}")
    } else {
        format!("decodes no section while another one is sampled: {reason}")
    }
}

fn pieces(vae: &VaeDecoding) -> String {
    let pieces = match vae.mode {
        VaeMode::Reference => "decodes in the reference's tiles",
        VaeMode::Chunked if vae.context_latent_frames == 0 => "decodes a section in one piece",
        VaeMode::Chunked => "decodes in chunks",
        VaeMode::Unknown => "decodes in an unknown way",
    };
    let overlap = (vae.context_latent_frames > 0).then(|| {
        format!(
            "{} at a time, {} before them decoded again, blended over {}",
            counted(vae.chunk_latent_frames, "latent frame"),
            vae.context_latent_frames,
            counted(vae.blend_frames, "frame")
        )
    });
    let steps = vae.step_latent_frames.map(|step| {
        format!(
            "{} at a time in the finest level, in two passes",
            counted(step, "latent frame")
        )
    });
    let facts: Vec<_> = overlap.into_iter().chain(steps).collect();
    if facts.is_empty() {
        return pieces.to_owned();
    }
    format!("{pieces}: {}", facts.join("; "))
}

fn tiles(tiles: VaeTiles) -> &'static str {
    match tiles {
        VaeTiles::Time => "decodes in temporal tiles",
        VaeTiles::TimeAndSpace => "decodes in temporal and spatial tiles",
        VaeTiles::Unknown => "unknown",
    }
}

fn counted(number: u32, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// How much more is computed than the reference does, which is 1.
fn more(work: f64) -> String {
    let percent = (work - 1.0) * 100.0;
    if percent.abs() < 0.5 {
        return "as much is computed as in the reference's tiles".to_owned();
    }
    let word = if percent > 0.0 { "more" } else { "less" };
    let percent = percent.abs();
    format!("{percent:.0} % {word} is computed than in the reference's tiles")
}

fn transformer(memory: &TransformerMemory) -> Vec<(&'static str, String)> {
    let mut lines = vec![(
        "transformer",
        format!(
            "{} of {} blocks resident: {}",
            memory.resident_blocks,
            memory.blocks,
            Bytes(memory.resident_bytes)
        ),
    )];
    if memory.streamed_bytes > 0 {
        let streamed = format!(
            "{} streamed in every step, through {} slots ({} in all)",
            Bytes(memory.streamed_bytes),
            memory.slots,
            Bytes(memory.slots_bytes)
        );
        lines.push(("", streamed));
        let pinned = format!(
            "{} of page-locked host memory for them",
            Bytes(memory.arena_bytes)
        );
        lines.push(("", pinned));
    }
    if memory.staged_bytes > 0 {
        let staged = Bytes(memory.staged_bytes);
        lines.push((
            "",
            format!("{staged} read from their files in every step, for want of host memory"),
        ));
    }
    let fixed = Bytes(memory.fixed_bytes);
    lines.push(("", format!("{fixed} of other weights resident")));
    if memory.hoisted_away_bytes > 0 {
        let hoisted = Bytes(memory.hoisted_away_bytes);
        lines.push((
            "",
            format!("{hoisted} evaluated once for all steps, then dropped"),
        ));
    }
    if memory.step_cache_bytes > 0 {
        let kept = Bytes(memory.step_cache_bytes);
        lines.push(("", format!("{kept} for what steps reuse of earlier ones")));
    }
    // A processor keeps nothing free.
    let kept_free = match memory.preserve_bytes {
        0 => String::new(),
        bytes => format!("; {} kept free", Bytes(bytes)),
    };
    let working = format!(
        "{} of working memory for {} tokens{kept_free}",
        Bytes(memory.activation_bytes),
        memory.tokens
    );
    lines.push(("", working));
    lines
}

/// Planned and measured peak of a finished job, where either is known.
pub(crate) fn peaks(output: &RenderOutput) -> Option<String> {
    let planned = output.memory_plan.as_ref().map(|plan| plan.peak_bytes);
    match (planned, output.peak_device_bytes) {
        (Some(planned), Some(measured)) => Some(format!(
            "{} planned, {} measured",
            Bytes(planned),
            Bytes(measured)
        )),
        (Some(planned), None) => Some(format!("{} planned, not measured", Bytes(planned))),
        (None, Some(measured)) => Some(format!("{} measured", Bytes(measured))),
        (None, None) => None,
    }
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Text => "text",
        Phase::Image => "image",
        Phase::Sample => "sample",
        Phase::Decode => "decode",
        _ => "other",
    }
}
