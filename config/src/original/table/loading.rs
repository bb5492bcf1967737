//! Variables of start-up: where models come from, and how they are loaded.

use crate::original::name::{
    Meaning::{Inactive, NotNeeded, Sets},
    Name, Rule,
    Values::{Integer, Switch, Text},
};

const MAPPED: &str = "weights are mapped from their files and read when they are needed";
const BUNDLE: &str = "`models.bundle` names one folder with all components; nothing is downloaded";

pub(super) static VARIABLES: [Name; 9] = [
    Name::new(
        "FRAMEPACK_FAST_START",
        Switch,
        "0",
        Sets {
            keys: &["worker.fast_start"],
            rule: Rule::OnOff,
            how: "`worker.fast_start`: 1 is `on`, 0 is `off`",
        },
        "loaded models with four threads, but with one below 60 GB of free device memory, and skipped compilation and a cache of \
         optimized transformers, which are both off by default: it changed almost nothing",
    ),
    Name::new(
        "FRAMEPACK_PARALLEL_LOADERS",
        Integer(0..=i64::MAX),
        "0",
        NotNeeded(MAPPED),
        "number of threads that load models; set back to one below 60 GB of free device memory",
    ),
    Name::new(
        "FRAMEPACK_FORCE_PARALLEL_LOADERS",
        Switch,
        "0",
        NotNeeded(MAPPED),
        "kept the threads of FRAMEPACK_PARALLEL_LOADERS below 60 GB of free device memory, too",
    ),
    Name::new(
        "FRAMEPACK_PRELOAD_REPOS",
        Switch,
        "1 (0 in later versions)",
        NotNeeded(BUNDLE),
        "downloaded three whole repositories when it started, 25 GB of them for a transformer that it does not use",
    ),
    Name::new(
        "FRAMEPACK_MODEL_REPO_PATH",
        Text("a folder"),
        "unset",
        NotNeeded(BUNDLE),
        "a folder with encoders and VAE in the place of the download",
    ),
    Name::new(
        "FRAMEPACK_SIGLIP_REPO_PATH",
        Text("a folder"),
        "unset",
        NotNeeded(BUNDLE),
        "a folder with the image encoder in the place of the download",
    ),
    Name::new(
        "FRAMEPACK_TRANSFORMER_REPO_PATH",
        Text("a folder"),
        "unset",
        NotNeeded(BUNDLE),
        "a folder with the transformer in the place of the download",
    ),
    Name::new(
        "HF_TOKEN",
        Text("a token of the Hugging Face Hub"),
        "unset",
        NotNeeded("the daemon opens no connection to the network"),
        "logged in to the Hub, again and again until it succeeded",
    ),
    Name::new(
        "GRADIO_ROOT_PATH",
        Text("a path of a web address"),
        "unset",
        Inactive("there is no web page; `framepackctl` and the jobs folder take its place"),
        "the path under which a proxy serves the web page",
    ),
];
