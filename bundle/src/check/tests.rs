//! What a look finds in spoilt copies of the demonstration bundle.

use std::{fs::File, os::unix::fs::symlink, process::Command};

use super::*;

const TRANSFORMER: &str = "transformer/diffusion_pytorch_model";
const SHARD_2: &str = "transformer/diffusion_pytorch_model-00002-of-00002.safetensors";

const POINTER: &str = "version https://git-lfs.github.com/spec/v1\nsize 77\n";

fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/demo");
    for part in fs::read_dir(demo).unwrap() {
        let part = part.unwrap().path();
        if part.join("training").exists() || part.ends_with("training") {
            continue;
        }
        let copied = Command::new("cp")
            .arg("-r")
            .arg(part)
            .arg(folder.path())
            .status();
        assert!(copied.unwrap().success());
    }
    folder
}

fn findings(folder: &tempfile::TempDir) -> Vec<Finding> {
    look(folder.path(), None).findings
}

#[test]
fn a_whole_bundle_has_no_findings_and_keeps_its_signature() {
    let folder = copy();
    let first = look(folder.path(), None);
    assert_eq!(first.findings, []);
    assert_eq!(first.transformer_bytes, 11_985_048 + 5_286_808);
    assert_eq!(look(folder.path(), None), first);
    File::open(folder.path().join("vae/config.json"))
        .unwrap()
        .set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    let later = look(folder.path(), None);
    assert_ne!(later.signature, first.signature);
    assert_eq!(look(folder.path(), Some(folder.path())).findings, []);
}

/// What is spoilt, and what is found: the code, and parts of the message.
type Case = (fn(&Path), Code, &'static [&'static str]);

#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn every_state_of_incompleteness_is_named() {
    let cases: [Case; 22] = [
        (
            |root| fs::remove_dir_all(root).unwrap(),
            Code::MODEL_INCOMPLETE,
            &["no such folder"],
        ),
        (
            |root| fs::remove_dir_all(root.join("vae")).unwrap(),
            Code::MODEL_INCOMPLETE,
            &["no vae"],
        ),
        (
            |root| fs::remove_file(root.join("image_encoder/model.safetensors")).unwrap(),
            Code::WEIGHTS_MISSING,
            &["image_encoder"],
        ),
        (
            |root| fs::remove_file(root.join(SHARD_2)).unwrap(),
            Code::WEIGHTS_INDEX,
            &["00002-of-00002", "missing"],
        ),
        (
            |root| fs::rename(root.join(SHARD_2), root.join(format!("{SHARD_2}.part"))).unwrap(),
            Code::MODEL_UNFINISHED,
            &["there is", ".part"],
        ),
        (
            |root| fs::write(root.join(SHARD_2), POINTER).unwrap(),
            Code::MODEL_POINTER,
            &["git-lfs", "77 bytes"],
        ),
        (
            |root| {
                File::options()
                    .write(true)
                    .open(root.join(SHARD_2))
                    .unwrap()
                    .set_len(5_286_804)
                    .unwrap();
            },
            Code::WEIGHTS_TRUNCATED,
            &["5286808", "5286804"],
        ),
        (
            |root| {
                File::create(root.join(SHARD_2))
                    .unwrap()
                    .set_len(5_286_808)
                    .unwrap();
            },
            Code::MODEL_UNFINISHED,
            &["zeroes"],
        ),
        (
            |root| fs::write(root.join("vae/config.json"), "<html>").unwrap(),
            Code::MODEL_WEB_PAGE,
            &["vae/config.json"],
        ),
        (
            |root| fs::write(root.join("vae/config.json"), "{\"a\": ").unwrap(),
            Code::MODEL_CONFIG,
            &["vae/config.json", "EOF"],
        ),
        (
            |root| fs::write(root.join("tokenizer/tokenizer.json"), "").unwrap(),
            Code::MODEL_UNFINISHED,
            &["0 bytes"],
        ),
        (
            |root| {
                let file = root.join("text_encoder/model.safetensors");
                fs::remove_file(&file).unwrap();
                symlink("../blobs/5f0a", file).unwrap();
            },
            Code::MODEL_LINK,
            &["../blobs/5f0a"],
        ),
        (
            |root| fs::write(root.join("tokenizer_2/merges.txt"), POINTER).unwrap(),
            Code::MODEL_POINTER,
            &["tokenizer_2/merges.txt", "77 bytes"],
        ),
        (
            |root| fs::remove_file(root.join("tokenizer_2/merges.txt")).unwrap(),
            Code::TOKENIZER,
            &["tokenizer_2 has no tokenizer: expected vocab.json with merges.txt"],
        ),
        (
            |root| fs::write(root.join("tokenizer/tokenizer_config.json"), [0; 9]).unwrap(),
            Code::MODEL_UNFINISHED,
            &["tokenizer/tokenizer_config.json", "zeroes"],
        ),
        (
            |root| fs::write(root.join("tokenizer_2/special_tokens_map.json"), "{").unwrap(),
            Code::TOKENIZER,
            &["tokenizer_2/special_tokens_map.json: EOF"],
        ),
        (
            |root| fs::write(root.join("tokenizer_2/vocab.json"), "{}").unwrap(),
            Code::TOKENIZER,
            &["vocab.json: it has no token"],
        ),
        (
            |root| fs::write(root.join("tokenizer/tokenizer.json"), "{\"a\": 1}").unwrap(),
            Code::TOKENIZER,
            &["tokenizer.json: it has no `model`"],
        ),
        (
            |root| {
                let weights = root.join("vae/diffusion_pytorch_model.safetensors");
                fs::rename(&weights, weights.with_extension("bin")).unwrap();
            },
            Code::WEIGHTS_PICKLE,
            &["vae/diffusion_pytorch_model.bin is a Python pickle"],
        ),
        (
            |root| {
                let weights = root.join("text_encoder/model.safetensors");
                fs::remove_file(&weights).unwrap();
                fs::create_dir(&weights).unwrap();
            },
            Code::WEIGHTS_UNREADABLE,
            &["text_encoder/model.safetensors is a folder, not a file"],
        ),
        (
            |root| {
                let weights = root.join("text_encoder/model.safetensors");
                fs::remove_file(&weights).unwrap();
                symlink("model.safetensors", &weights).unwrap();
            },
            Code::MODEL_LINK,
            &["is a link to model.safetensors, which leads back to it"],
        ),
        (
            |root| {
                fs::write(
                    root.join(format!("{TRANSFORMER}.safetensors.index.json")),
                    "{}",
                )
                .unwrap();
            },
            Code::WEIGHTS_INDEX,
            &["weight_map"],
        ),
    ];
    for (spoil, code, says) in cases {
        let folder = copy();
        spoil(folder.path());
        let found = findings(&folder);
        let [finding] = found.as_slice() else {
            panic!("{code}: {found:#?}");
        };
        assert_eq!(finding.code, code, "{}", finding.message);
        for part in says {
            assert!(
                finding.message.contains(part),
                "{part:?}: {}",
                finding.message
            );
        }
    }
}

#[test]
fn an_index_that_places_a_tensor_elsewhere_is_a_finding() {
    let folder = copy();
    let index = folder
        .path()
        .join(format!("{TRANSFORMER}.safetensors.index.json"));
    let text = fs::read_to_string(&index).unwrap();
    fs::write(&index, text.replace("proj_out.weight", "proj_out.wait")).unwrap();
    let found = findings(&folder);
    assert_eq!(found[0].code, Code::WEIGHTS_INDEX, "{found:?}");
    assert!(found[0].message.contains("proj_out.wait"), "{found:?}");
}

/// What each model's jobs would meet, and the bytes of the larger transformer.
fn of_models(root: &Path, f1_root: Option<&Path>) -> (Vec<Model>, u64) {
    let look = look(root, f1_root);
    let sound = Model::ALL.into_iter();
    let sound = sound.filter(|model| look.is_sound_for(*model)).collect();
    (sound, look.transformer_bytes)
}

#[test]
fn a_fault_of_one_transformer_is_met_by_its_model_alone() {
    const BYTES: u64 = 11_985_048 + 5_286_808;
    let folder = copy();
    let root = folder.path();
    assert_eq!(of_models(root, None), (Model::ALL.to_vec(), BYTES));
    // It is not counted twice, wherever F1's is.
    assert_eq!(of_models(root, Some(root)), (Model::ALL.to_vec(), BYTES));
    let f1 = tempfile::tempdir().unwrap();
    let own = f1.path().join("transformer_f1");
    let copied = Command::new("cp")
        .arg("-r")
        .arg(root.join("transformer"))
        .arg(&own)
        .status();
    assert!(copied.unwrap().success());
    let other = Some(f1.path());
    assert_eq!(of_models(root, other), (Model::ALL.to_vec(), BYTES));
    fs::write(own.join("config.json"), "").unwrap();
    assert_eq!(of_models(root, other).0, [Model::Original]);
    // This bundle's transformer renders F1's jobs, too.
    let config = fs::read(root.join("transformer/config.json")).unwrap();
    fs::write(root.join("transformer/config.json"), "").unwrap();
    assert_eq!(of_models(root, None).0, []);
    fs::write(root.join("transformer/config.json"), config).unwrap();
    fs::remove_file(root.join("framepack.json")).unwrap();
    assert_eq!(of_models(root, None).0, [Model::Original]);
    let found = findings(&folder);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].message.contains(": no transformer_f1"),
        "{found:?}"
    );
    let found = look(root, None);
    assert_eq!(found.absent_model(), Some(Model::F1));
    assert_eq!(found.faults().count(), 0);
    fs::remove_dir_all(root.join("transformer")).unwrap();
    fs::rename(&own, root.join("transformer_f1")).unwrap();
    fs::write(root.join("transformer_f1/config.json"), "{}").unwrap();
    assert_eq!(of_models(root, None), (vec![Model::F1], BYTES));
    // A fault of what both use.
    fs::remove_dir_all(root.join("vae")).unwrap();
    assert_eq!(of_models(root, None).0, []);
}

#[test]
fn every_file_that_is_read_changes_the_signature() {
    let folder = copy();
    for name in [
        "tokenizer_2/merges.txt",
        "tokenizer/tokenizer_config.json",
        "tokenizer_2/special_tokens_map.json",
        "image_encoder/model.safetensors",
    ] {
        let before = look(folder.path(), None).signature;
        let file = File::options().write(true).open(folder.path().join(name));
        file.unwrap()
            .set_modified(std::time::SystemTime::UNIX_EPOCH)
            .unwrap();
        assert_ne!(look(folder.path(), None).signature, before, "{name}");
    }
}
