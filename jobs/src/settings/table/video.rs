//! What a video shows, how long and how large it is, and how it is written: FramePack's interface.

use crate::settings::{
    row::{Counts, Fallback, Kind, Row, Scope},
    standing::Standing,
};

/// Sides in pixels of the squares for which there are tables of shapes.
pub const BUCKETS_PX: [u32; 6] = [128, 256, 384, 512, 640, 768];
/// `size.bucket` of a bundle that does not say.
pub const DEFAULT_BUCKET_PX: u32 = 640;
/// The largest CRF that x264 knows for 8-bit video.
pub const MAX_CRF: u8 = 51;
const MAX_PROMPT_BYTES: usize = 8 << 10;

/// Checkpoint and section order.
pub static MODEL: Row = Row {
    key: "model",
    kind: Kind::Word {
        noun: "a model",
        words: &["original", "f1"],
    },
    default: Fallback::Text("original"),
    scope: Scope::Both,
    counts: Counts::AtSubmission,
    standing: Standing::Built,
    original: &["demo_gradio.py", "demo_gradio_f1.py"],
    about: "FramePack, which generates the end of the video first, or FramePack-F1, which goes forward in time",
};

/// The start image.
pub static IMAGE: Row = Row {
    key: "start.image",
    kind: Kind::Path,
    default: Fallback::Required,
    scope: Scope::Job,
    counts: Counts::AtSubmission,
    standing: Standing::Built,
    original: &["Image"],
    about: "the start image: JPEG, PNG, WebP, TIFF, GIF, BMP, PNM or QOI; a relative path is relative to the job file's folder",
};

/// What shows where the start image is transparent.
pub static BACKGROUND: Row = Row {
    key: "start.background",
    kind: Kind::Colour,
    default: Fallback::Text("#ffffff"),
    scope: Scope::Both,
    counts: Counts::AtSubmission,
    standing: Standing::Built,
    original: &[],
    about: "the colour behind the transparent parts of the start image, in quotes: `\"#ffffff\"` is white, `\"#000000\"` black",
};

/// What should happen.
pub static PROMPT: Row = Row {
    key: "prompt",
    kind: Kind::Text {
        max_bytes: MAX_PROMPT_BYTES,
    },
    default: Fallback::Text(""),
    scope: Scope::Job,
    counts: Counts::AtSubmission,
    standing: Standing::Built,
    original: &["Prompt"],
    about: "what should happen in the video",
};

/// What should not happen.
pub static NEGATIVE_PROMPT: Row = Row {
    key: "negative_prompt",
    kind: Kind::Text {
        max_bytes: MAX_PROMPT_BYTES,
    },
    default: Fallback::Text(""),
    scope: Scope::Both,
    counts: Counts::AtSubmission,
    standing: Standing::Built,
    original: &["Negative Prompt"],
    about: "what should not happen in the video; used only when `guidance.cfg` is above 1",
};

/// Where the noise comes from.
pub static SEED: Row = Row {
    key: "seed",
    kind: Kind::Seed,
    default: Fallback::Text("auto"),
    scope: Scope::Job,
    counts: Counts::AtSubmission,
    standing: Standing::Built,
    original: &["Seed"],
    about: "the noise: `auto` follows from the job's key, so that the same job has the same seed; `random` draws a new one for each submission",
};

/// Wanted length of the video.
pub static LENGTH_SECS: Row = Row {
    key: "length.seconds",
    kind: Kind::Number {
        range: 1.0..=120.0,
        or: None,
    },
    default: Fallback::Number(5.0),
    scope: Scope::Both,
    counts: Counts::AtSubmission,
    standing: Standing::Built,
    original: &["Total Video Length (Seconds)"],
    about: "requested length; the video has the nearest whole number of sections",
};

/// Denoising steps.
pub static STEPS: Row = Row {
    key: "steps",
    kind: Kind::Integer {
        range: 1..=100,
        or: None,
    },
    default: Fallback::Bundle,
    scope: Scope::Both,
    counts: Counts::AtSubmission,
    standing: Standing::Built,
    original: &["Steps"],
    about: "denoising steps in each section; 25 if the model bundle does not say",
};

/// Distilled guidance scale.
pub static GUIDANCE_DISTILLED: Row = Row {
    key: "guidance.distilled",
    kind: Kind::Number {
        range: 1.0..=32.0,
        or: None,
    },
    default: Fallback::Number(10.0),
    scope: Scope::Both,
    counts: Counts::AtSubmission,
    standing: Standing::Built,
    original: &["Distilled CFG Scale"],
    about: "distilled guidance scale, an input of the transformer",
};

/// Real classifier-free guidance scale.
pub static GUIDANCE_CFG: Row = Row {
    key: "guidance.cfg",
    kind: Kind::Number {
        range: 1.0..=32.0,
        or: None,
    },
    default: Fallback::Number(1.0),
    scope: Scope::Both,
    counts: Counts::AtSubmission,
    standing: Standing::Built,
    original: &["CFG Scale"],
    about: "classifier-free guidance scale; 1 is off, anything above doubles the time of a step",
};

/// Rescale of the guided velocity.
pub static GUIDANCE_RESCALE: Row = Row {
    key: "guidance.rescale",
    kind: Kind::Number {
        range: 0.0..=1.0,
        or: None,
    },
    default: Fallback::Number(0.0),
    scope: Scope::Both,
    counts: Counts::AtSubmission,
    standing: Standing::Built,
    original: &["CFG Re-Scale"],
    about: "rescales the guided velocity to the standard deviation of the unguided one; 0 is off; used only when `guidance.cfg` is above 1",
};

/// Size of the video.
pub static BUCKET: Row = Row {
    key: "size.bucket",
    kind: Kind::OneOf {
        noun: "a bucket",
        values: &BUCKETS_PX,
    },
    default: Fallback::Bundle,
    scope: Scope::Both,
    counts: Counts::AtSubmission,
    standing: Standing::Built,
    original: &["resolution (fixed at 640)"],
    about: "side in pixels of the square with about the video's area; the image decides the aspect ratio; 640 if the model bundle does not say",
};

/// Latent frames a section.
pub static LATENT_WINDOW: Row = Row {
    key: "latent_window",
    kind: Kind::Integer {
        range: 1..=33,
        or: None,
    },
    default: Fallback::Bundle,
    scope: Scope::Both,
    counts: Counts::AtSubmission,
    standing: Standing::Built,
    original: &["Latent Window Size"],
    about: "latent frames in each section; a model is trained for one value (9), which its bundle names",
};

/// H.264 constant rate factor.
pub static OUTPUT_CRF: Row = Row {
    key: "output.crf",
    kind: Kind::Integer {
        range: 0..=100,
        or: None,
    },
    default: Fallback::Integer(16),
    scope: Scope::Both,
    counts: Counts::AtSubmission,
    standing: Standing::Built,
    original: &["MP4 Compression"],
    about: "H.264 constant rate factor: 0 is lossless, lower is better; values above 51, the maximum of x264, are encoded as 51",
};
