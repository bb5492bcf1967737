//! Which folders are found in the three layouts, and what is said of those that are not.

use framepack_jobs::Code;

use super::*;

fn touch(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "{}").unwrap();
}

#[test]
fn all_three_layouts_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    touch(&root.join("README.md"));
    let bundle = Bundle::open(root).unwrap();
    let redux = "models--lllyasviel--flux_redux_bfl";

    touch(&root.join("vae/config.json"));
    touch(&root.join("HunyuanVideo/text_encoder/config.json"));
    touch(&root.join("FramePackI2V_HY/config.json"));
    touch(
        &root
            .join(redux)
            .join("snapshots/abc/image_encoder/config.json"),
    );
    fs::create_dir_all(root.join(redux).join("refs")).unwrap();
    fs::write(root.join(redux).join("refs/main"), "abc\n").unwrap();

    let found = |component| {
        let path = bundle.component(component).unwrap();
        path.strip_prefix(root).unwrap().to_path_buf()
    };
    assert_eq!(found(Component::Vae), Path::new("vae"));
    assert_eq!(
        found(Component::TextEncoder),
        Path::new("HunyuanVideo/text_encoder")
    );
    assert_eq!(found(Component::Transformer), Path::new("FramePackI2V_HY"));
    let image_encoder = Path::new(redux).join("snapshots/abc/image_encoder");
    assert_eq!(found(Component::ImageEncoder), image_encoder);
}

#[test]
fn own_files_are_told_from_others() {
    let transformer = Component::Transformer;
    for own in [
        "config.json",
        "diffusion_pytorch_model.safetensors",
        "diffusion_pytorch_model.safetensors.index.json",
        "diffusion_pytorch_model-00001-of-00003.safetensors",
    ] {
        assert!(transformer.has_file(own), "{own}");
    }
    for other in [
        "README.md",
        "diffusion_pytorch_model.fp16.safetensors",
        "diffusion_pytorch_model-00001.safetensors",
        "diffusion_pytorch_model-x-of-y.safetensors",
        "model.safetensors",
    ] {
        assert!(!transformer.has_file(other), "{other}");
    }
    assert!(Component::Tokenizer2.has_file("merges.txt"));
    assert!(!Component::Tokenizer2.has_file("model.safetensors"));
}

#[test]
fn a_missing_component_is_named_with_the_places_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    touch(&dir.path().join("README.md"));
    let bundle = Bundle::open(dir.path()).unwrap();
    let message = || {
        let error = bundle.component(Component::Tokenizer2).unwrap_err();
        assert!(error.code() == Code::MODEL_INCOMPLETE);
        error.to_string()
    };
    let plain = "no tokenizer_2: looked for tokenizer.json or vocab.json in tokenizer_2";
    assert!(message().ends_with(plain), "{}", message());
    let hub = "models--hunyuanvideo-community--HunyuanVideo";
    fs::create_dir_all(dir.path().join(hub).join("refs")).unwrap();
    let places = format!("{plain}, {hub}/snapshots/COMMIT-IN-refs-main/tokenizer_2");
    assert!(message().ends_with(&places), "{}", message());
}

#[test]
fn a_folder_that_is_away_or_empty_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let beside = tempfile::tempdir().unwrap();
    let file = beside.path().join("bundle");
    fs::write(&file, "").unwrap();
    for (root, says) in [
        (dir.path().join("away"), "away: no such folder"),
        (file.clone(), "bundle: it is a file, not a folder"),
        (file.join("below"), "below: no such folder"),
        (
            dir.path().to_owned(),
            "the folder is empty; is the disk mounted",
        ),
    ] {
        let error = Bundle::open(&root).unwrap_err();
        assert_eq!(error.code(), Code::MODEL_INCOMPLETE);
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn a_component_whose_download_has_begun_is_said_to_be_that() {
    let dir = tempfile::tempdir().unwrap();
    touch(&dir.path().join("vae/config.json.incomplete"));
    let bundle = Bundle::open(dir.path()).unwrap();
    let error = bundle.component(Component::Vae).unwrap_err();
    assert_eq!(error.code(), Code::MODEL_UNFINISHED);
    assert!(
        error.to_string().contains("vae/config.json.incomplete"),
        "{error}"
    );
}

#[test]
fn defaults_that_no_job_could_ask_for_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("framepack.json");
    fs::write(&file, r#"{"latent_window": 0}"#).unwrap();
    let error = Bundle::open(dir.path()).unwrap().defaults().unwrap_err();
    assert_eq!(error.code(), Code::MODEL_DEFAULTS);
    let message = error.to_string();
    for part in [
        &file.display().to_string(),
        "latent_window: 0 is out of range",
    ] {
        assert!(message.contains(part), "{message}");
    }
}
