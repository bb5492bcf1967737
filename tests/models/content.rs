//! The repositories as they are published, with the small models of the tests in the place of the real ones.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha256};

pub(crate) const ORIGINAL: &str = "lllyasviel/FramePackI2V_HY";
pub(crate) const F1: &str = "lllyasviel/FramePack_F1_I2V_HY_20250503";
pub(crate) const HUNYUAN: &str = "hunyuanvideo-community/HunyuanVideo";
pub(crate) const REDUX: &str = "lllyasviel/flux_redux_bfl";
/// A large file, of git-lfs.
pub(crate) const SHARD: &str = "diffusion_pytorch_model-00002-of-00003.safetensors";
/// A small one, of git.
pub(crate) const VOCABULARY: &str = "tokenizer_2/vocab.json";

/// A repository: its newest commit, and its files.
#[derive(Debug, Clone)]
pub(crate) struct Repository {
    pub(crate) commit: String,
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

/// All of them.
pub(crate) fn repositories() -> BTreeMap<String, Repository> {
    let transformer = || {
        let mut files = sharded("transformer", "diffusion_pytorch_model", 3);
        files.insert("README.md".into(), b"# FramePack\n".to_vec());
        files
    };
    let mut hunyuan = below("text_encoder", sharded("text_encoder", "model", 4));
    for folder in ["text_encoder_2", "tokenizer", "tokenizer_2", "vae"] {
        hunyuan.extend(below(folder, whole(folder)));
    }
    for unwanted in [
        "README.md",
        "model_index.json",
        "scheduler/scheduler_config.json",
        "transformer/config.json",
        "transformer/diffusion_pytorch_model-00001-of-00006.safetensors",
    ] {
        hunyuan.insert(unwanted.into(), vec![b'x'; 100]);
    }
    let mut redux = below("image_encoder", whole("image_encoder"));
    redux.extend(below("feature_extractor", whole("feature_extractor")));
    redux.insert("image_embedder/model.safetensors".into(), vec![1; 100]);
    [
        (ORIGINAL, transformer()),
        (F1, transformer()),
        (HUNYUAN, hunyuan),
        (REDUX, redux),
    ]
    .into_iter()
    .map(|(name, files)| {
        let commit = git_blob(name.as_bytes());
        (name.to_owned(), Repository { commit, files })
    })
    .collect()
}

/// Whether git-lfs has it.
pub(crate) fn is_large(path: &str) -> bool {
    path.ends_with(".safetensors")
}

/// What the Hub calls a file.
pub(crate) fn hub_hash(path: &str, bytes: &[u8]) -> String {
    if is_large(path) {
        sha256(bytes)
    } else {
        git_blob(bytes)
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// The files of the tests' bundle in a folder.
pub(crate) fn whole(folder: &str) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(bundle().join(folder)).unwrap();
    let files = entries.map(|entry| {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        (name, fs::read(entry.path()).unwrap())
    });
    files.collect()
}

fn bundle() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/bundle")
}

fn git_blob(bytes: &[u8]) -> String {
    let mut hash = Sha1::new_with_prefix(format!("blob {}\0", bytes.len()));
    hash.update(bytes);
    format!("{:x}", hash.finalize())
}

fn below(folder: &str, files: BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    let files = files.into_iter();
    files
        .map(|(name, bytes)| (format!("{folder}/{name}"), bytes))
        .collect()
}

/// A folder of the tests' bundle, its weights in `count` shards with an index.
fn sharded(folder: &str, base: &str, count: usize) -> BTreeMap<String, Vec<u8>> {
    let mut files = whole(folder);
    let weights = files.remove(&format!("{base}.safetensors")).unwrap();
    let header_bytes = u64::from_le_bytes(weights[..8].try_into().unwrap()) as usize;
    let (header, data) = weights[8..].split_at(header_bytes);
    let header: Map<String, Value> = serde_json::from_slice(header).unwrap();
    let tensors = header.iter().filter(|(name, _)| *name != "__metadata__");
    let mut shards = vec![(Map::new(), Vec::new()); count];
    let mut map = Map::new();
    for (number, (name, tensor)) in tensors.enumerate() {
        let offset = |end: usize| tensor["data_offsets"][end].as_u64().unwrap() as usize;
        let (header, bytes) = &mut shards[number % count];
        let start = bytes.len();
        bytes.extend_from_slice(&data[offset(0)..offset(1)]);
        let mut tensor = tensor.clone();
        tensor["data_offsets"] = json!([start, bytes.len()]);
        header.insert(name.clone(), tensor);
        map.insert(name.clone(), json!(shard(base, number % count, count)));
    }
    for (number, (header, bytes)) in shards.into_iter().enumerate() {
        let header = serde_json::to_vec(&header).unwrap();
        let length = (header.len() as u64).to_le_bytes();
        let file = [&length[..], &header, &bytes].concat();
        files.insert(shard(base, number, count), file);
    }
    let index = json!({"metadata": {}, "weight_map": map});
    let index = serde_json::to_vec(&index).unwrap();
    files.insert(format!("{base}.safetensors.index.json"), index);
    files
}

fn shard(base: &str, number: usize, count: usize) -> String {
    format!("{base}-{:05}-of-{count:05}.safetensors", number + 1)
}
