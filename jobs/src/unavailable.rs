//! Keys of the full `framepack/v1` schema that this version does not carry out.
//!
//! They are no typing errors, and ignoring them would make a job lie: they are refused with a reason.

use framepack_yaml::{Problem, ProblemKind};

use crate::settings::{Row, Scope, TABLE};

/// Paths and why they are refused.
const UNAVAILABLE: [(&str, &str); 34] = [
    (
        "caches",
        "one step cache is active at a time: `cache.kind` names it",
    ),
    ("draft", "every job is rendered in full"),
    ("end", "a video starts from one image and has no end frame"),
    ("fit", "the image is cropped to the bucket's shape"),
    (
        "guidance.shift",
        "the time shift is computed from the video's size",
    ),
    ("hooks", "no commands are run when a job ends"),
    ("include", "a job file can't include another"),
    (
        "keyframes",
        "a video starts from one image and has no keyframes",
    ),
    ("labels", "jobs have no labels"),
    (
        "length.fit",
        "the length is the nearest whole number of sections",
    ),
    ("length.sections", "the length is given in seconds"),
    ("limits", "jobs have no limits of their own"),
    ("loras", "LoRA weights are not loaded"),
    (
        "metadata",
        "prompt, seed and settings are always in the video's metadata",
    ),
    ("output.codec", "videos are H.264"),
    (
        "output.collision",
        "an existing video is never replaced; the new one gets a number",
    ),
    ("output.container", "videos are mp4"),
    ("output.fps", "videos have 30 frames a second"),
    ("output.frames", "single frames are not written"),
    ("output.keep", "intermediate files are not kept"),
    ("output.pix_fmt", "videos are yuv420p"),
    (
        "overrides",
        "environment variables are not applied to a job",
    ),
    ("prompt_blend", "a video has one prompt"),
    ("quality_mode", "quality mode is `vae.quality`"),
    (
        "quant",
        "weights are stored as `storage` says, and are not quantized yet",
    ),
    ("size.h", "the size is a bucket"),
    ("size.long_edge", "the size is a bucket"),
    ("size.w", "the size is a bucket"),
    ("start.context_frames", "a video starts from an image"),
    ("start.job", "a video starts from an image"),
    ("start.latent", "a video starts from an image"),
    ("start.video", "a video starts from an image"),
    (
        "vae.dtype",
        "the VAE computes in the type that it was made for; `vae.quality` takes f32 where it counts",
    ),
    (
        "vae.tiling",
        "`vae.mode` says how the VAE decodes; spatial tiles are taken where memory asks for them",
    ),
];

/// Turns "unknown key" into "not available in this version" where the full schema has the key.
pub(crate) fn explain(problem: Problem) -> Problem {
    let is_the_farms = |row: &Row| {
        let below = row.key.strip_prefix(problem.path.as_str());
        row.scope == Scope::Farm
            && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    if problem.kind == ProblemKind::UnknownKey && TABLE.into_iter().any(is_the_farms) {
        let message = "the farm's, not a job's: a worker is started with it";
        let problem = Problem::new(ProblemKind::UnknownKey, problem.path, message);
        return problem.hint("set it in the daemon's configuration");
    }
    let reason = UNAVAILABLE
        .iter()
        .find(|(path, _)| problem.kind == ProblemKind::UnknownKey && *path == problem.path);
    match reason {
        Some((path, reason)) => not_available(*path, reason),
        None => problem,
    }
}

/// Something that the farm's devices can't do.
pub(crate) fn not_possible(path: impl Into<String>, reason: &str) -> Problem {
    let message = format!("not possible here: {reason}");
    let problem = Problem::new(ProblemKind::NotAvailable, path, message);
    problem.hint("remove it, or take another value")
}

/// Something of the full schema that is not carried out.
pub(crate) fn not_available(path: impl Into<String>, reason: &str) -> Problem {
    let message = format!("not available in this version: {reason}");
    Problem::new(ProblemKind::NotAvailable, path, message).hint("remove it")
}
