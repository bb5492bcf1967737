//! How the VAE decodes: in the reference's tiles, or a section as one.

use crate::settings::{
    row::{Counts, Fallback, Kind, Row, Scope},
    standing::Standing,
};

/// In which pieces the VAE decodes.
pub static VAE_MODE: Row = Row {
    key: "vae.mode",
    kind: Kind::Word {
        noun: "a way of decoding",
        words: &["auto", "reference", "chunked"],
    },
    default: Fallback::Text("auto"),
    scope: Scope::Both,
    counts: Counts::AtSubmission,
    standing: Standing::Built,
    original: &[],
    about: "how the VAE decodes: `reference` in the original FramePack's temporal tiles, `chunked` a section as one, `vae.chunk` latent frames at a time; `auto` as `reference`, bit for bit, unless a chunk, a blend or quality is given or memory asks for less. A job that says `reference` and one of them is refused",
};

/// Latent frames that the VAE decodes at a time.
pub static VAE_CHUNK: Row = Row {
    key: "vae.chunk",
    kind: Kind::Integer {
        range: 1..=8,
        or: Some("auto"),
    },
    default: Fallback::Text("auto"),
    scope: Scope::Both,
    counts: Counts::AtSubmission,
    standing: Standing::Built,
    original: &["FRAMEPACK_VAE_CHUNK_SIZE"],
    about: "latent frames that the VAE decodes at a time; each goes on from those before it, so that no frame is lost and no border shows. Fewer take less memory and a little more time. `auto` gives no chunk: with `vae.mode: chunked` it is the largest that the device holds",
};

/// Larger tiles with more overlap.
pub static VAE_QUALITY: Row = Row {
    key: "vae.quality",
    kind: Kind::Switch,
    default: Fallback::Text("off"),
    scope: Scope::Both,
    counts: Counts::AtSubmission,
    standing: Standing::Built,
    original: &["Quality Mode"],
    about: "decodes a section as one, in tiles as large as the device holds, with norms and sums in f32; it wins over any chunk and blend, and `plan` says what it takes",
};

/// Frames over which neighbouring chunks fade.
pub static VAE_BLEND: Row = Row {
    key: "vae.blend",
    kind: Kind::Integer {
        range: 0..=16,
        or: Some("auto"),
    },
    default: Fallback::Text("auto"),
    scope: Scope::Both,
    counts: Counts::AtSubmission,
    standing: Standing::Built,
    original: &[],
    about: "frames over which chunks fade into each other, each decoded by itself behind latent frames before it; 0 joins them without a fade. With `auto` chunks go on from one another, and fade over 4 frames only where the device is too small for a section",
};

/// Whether a section is decoded while the next one is sampled.
pub static VAE_OVERLAP: Row = Row {
    key: "vae.overlap",
    kind: Kind::Word {
        noun: "a way of overlapping",
        words: &["auto", "off"],
    },
    default: Fallback::Text("auto"),
    scope: Scope::Both,
    counts: Counts::AtStart,
    standing: Standing::Built,
    original: &[],
    about: "whether a section is decoded while the next one is sampled: `auto` on a GPU with memory for both at once, `off` never. The result is the same, bit for bit; `plan` says whether, and why not",
};
