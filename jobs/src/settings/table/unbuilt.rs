//! What the Python application has and this version does not carry out yet: rows without machinery.

use crate::settings::{
    row::{Counts, Fallback, Kind, Row, Scope},
    standing::Standing,
};

const STORAGE: Standing =
    Standing::Unbuilt("weights are not quantized yet: they are used as they are in their files");
const STORAGE_TYPES: Kind = Kind::Word {
    noun: "a storage type",
    words: &["auto", "bf16", "f16", "fp8_e4m3", "int8", "nf4", "fp4"],
};

/// The VAE on another engine.
pub static VAE_TENSORRT: Row = Row {
    key: "vae.tensorrt",
    kind: Kind::Switch,
    default: Fallback::Text("off"),
    scope: Scope::Both,
    counts: Counts::AtSubmission,
    standing: Standing::FallsBack("there is no TensorRT in this build: the VAE decodes with torch"),
    original: &["--enable-tensorrt", "FRAMEPACK_ENABLE_TENSORRT"],
    about: "decodes with TensorRT; where that is not possible, with torch, as the application does",
};

/// How the weights of the transformer are stored.
pub static STORAGE_TRANSFORMER: Row = Row {
    key: "storage.transformer",
    kind: STORAGE_TYPES,
    default: Fallback::Text("auto"),
    scope: Scope::Both,
    counts: Counts::AtSubmission,
    standing: STORAGE,
    original: &[
        "FRAMEPACK_USE_BNB",
        "FRAMEPACK_BNB_LOAD_IN_4BIT",
        "FRAMEPACK_ENABLE_FP8",
        "FRAMEPACK_ENABLE_QUANT",
        "FRAMEPACK_QUANT_BITS",
    ],
    about: "how the weights of the transformer are stored in memory; `auto` as in their files",
};

/// How the weights of Llama are stored.
pub static STORAGE_TEXT_ENCODER: Row = Row {
    key: "storage.text_encoder",
    kind: STORAGE_TYPES,
    default: Fallback::Text("auto"),
    scope: Scope::Both,
    counts: Counts::AtSubmission,
    standing: STORAGE,
    original: &[
        "FRAMEPACK_USE_BNB",
        "FRAMEPACK_BNB_LOAD_IN_4BIT",
        "FRAMEPACK_ENABLE_QUANT",
        "FRAMEPACK_QUANT_BITS",
    ],
    about: "how the weights of Llama are stored in memory; `auto` as in their files",
};

/// How the weights of CLIP are stored.
pub static STORAGE_TEXT_ENCODER_2: Row = Row {
    key: "storage.text_encoder_2",
    kind: STORAGE_TYPES,
    default: Fallback::Text("auto"),
    scope: Scope::Both,
    counts: Counts::AtSubmission,
    standing: STORAGE,
    original: &[],
    about: "how the weights of CLIP are stored in memory; `auto` as in their files",
};

/// How the weights of SigLIP are stored.
pub static STORAGE_IMAGE_ENCODER: Row = Row {
    key: "storage.image_encoder",
    kind: STORAGE_TYPES,
    default: Fallback::Text("auto"),
    scope: Scope::Both,
    counts: Counts::AtSubmission,
    standing: STORAGE,
    original: &[],
    about: "how the weights of SigLIP are stored in memory; `auto` as in their files",
};
