//! Variables of `TensorRT` and ONNX.

use crate::original::name::{
    Meaning::{Inactive, Sets},
    Name, Rule,
    Values::{Integer, Switch, Text},
};

const NO_ENGINE: &str = "there are no TensorRT engines here; see `vae.tensorrt`";

pub(super) static VARIABLES: [Name; 15] = [
    Name::new(
        "FRAMEPACK_ENABLE_TENSORRT",
        Switch,
        "0",
        Sets {
            keys: &["vae.tensorrt"],
            rule: Rule::OnOff,
            how: "`vae.tensorrt`: 1 is `on`, 0 is `off`; the VAE always falls back to its own decoder, and says so",
        },
        "always failed to compile and fell back, having changed the VAE to another type",
    ),
    Name::new(
        "FRAMEPACK_TRT_WORKSPACE_MB",
        Integer(256..=i64::MAX),
        "4096",
        Inactive(NO_ENGINE),
        "the workspace of a compilation that always failed",
    ),
    Name::new(
        "FRAMEPACK_TRT_MAX_AUX_STREAMS",
        Integer(1..=i64::MAX),
        "2",
        Inactive(NO_ENGINE),
        "streams of engines that were never made",
    ),
    Name::new(
        "FRAMEPACK_TRT_TRANSFORMER",
        Switch,
        "0",
        Inactive(NO_ENGINE),
        "an engine for the transformer; its own help says that it does not work; only in later versions",
    ),
    Name::new(
        "FRAMEPACK_TRT_TEXT_ENCODERS",
        Switch,
        "0",
        Inactive(NO_ENGINE),
        "engines for the text encoders; its own help says that it does not work; only in later versions",
    ),
    Name::new(
        "FRAMEPACK_TRT_MAX_CACHED_SHAPES",
        Integer(1..=i64::MAX),
        "8",
        Inactive(NO_ENGINE),
        "how many engines of the transformer were to be kept; only in later versions",
    ),
    Name::new(
        "FRAMEPACK_TENSORRT_CACHE_DIR",
        Text("a folder"),
        "`Cache/tensorrt_engines`",
        Inactive(NO_ENGINE),
        "a folder for engines, which could not be written; only in later versions",
    ),
    Name::new(
        "FRAMEPACK_USE_ONNX_ENGINES",
        Switch,
        "0",
        Inactive(NO_ENGINE),
        "engines made from ONNX files, for the image encoder alone; its own help says that it does not work; only in later versions",
    ),
    Name::new(
        "FRAMEPACK_ONNX_CACHE_DIR",
        Text("a folder"),
        "unset",
        Inactive(NO_ENGINE),
        "a folder for ONNX files; only in later versions",
    ),
    Name::new(
        "FRAMEPACK_ONNX_TRT_ENABLE",
        Switch,
        "1 with TensorRT or ONNX engines",
        Inactive(NO_ENGINE),
        "ran TensorRT inside ONNX Runtime; only in later versions",
    ),
    Name::new(
        "FRAMEPACK_ONNX_TRT_FP16",
        Switch,
        "1",
        Inactive(NO_ENGINE),
        "its precision; only in later versions",
    ),
    Name::new(
        "FRAMEPACK_ONNX_TRT_INT8",
        Switch,
        "0",
        Inactive(NO_ENGINE),
        "its precision; only in later versions",
    ),
    Name::new(
        "FRAMEPACK_ONNX_TRT_DEVICE_ID",
        Integer(0..=i64::MAX),
        "0",
        Inactive(NO_ENGINE),
        "its GPU; only in later versions",
    ),
    Name::new(
        "FRAMEPACK_ONNX_TRT_WORKSPACE_MB",
        Integer(0..=i64::MAX),
        "FRAMEPACK_TRT_WORKSPACE_MB",
        Inactive(NO_ENGINE),
        "its workspace; only in later versions",
    ),
    Name::new(
        "FRAMEPACK_ONNX_TRT_CACHE_DIR",
        Text("a folder"),
        "FRAMEPACK_TENSORRT_CACHE_DIR",
        Inactive(NO_ENGINE),
        "its folder for engines; only in later versions",
    ),
];
