//! What was encoded once is not encoded again: the worker's log says which models it loaded.

use std::{
    fs,
    path::{Path, PathBuf},
};

use framepack_ipc::worker::{Phase, RenderOutput, RenderRequest};
use framepack_jobs::{Guidance, Model};

use crate::{
    failures::copy_folder,
    renders::brief,
    worker::{Desk, Worker, fixtures},
};

/// Loads of a job that encodes nothing. The VAE comes second, so it is there to decode.
const NO_ENCODER: [&str; 2] = ["transformer", "vae"];

fn encoded(output: &RenderOutput) -> bool {
    let is_encoding = |phase| matches!(phase, Phase::Text | Phase::Image);
    output.phases.iter().any(|time| is_encoding(time.phase))
}

/// Loads of a new worker, started with `arguments`, that renders one request.
fn loads(state_dir: &Path, arguments: &[&str], request: &RenderRequest) -> Vec<String> {
    let mut worker = Worker::start_with(state_dir, arguments);
    worker.render(request);
    worker.into_loads()
}

#[test]
fn a_job_is_the_same_encoded_remembered_and_read_from_the_disk() {
    let desk = Desk::new();
    let request = RenderRequest {
        negative_prompt: "a dog".into(),
        guidance: Guidance {
            cfg: 2.,
            ..Guidance::default()
        },
        ..brief(desk.request(Model::Original, 1))
    };
    let mut worker = Worker::ready(desk.path());
    let cold = worker.render(&request);
    let remembered = worker.render(&request);
    assert!(encoded(&cold) && !encoded(&remembered));
    let encoders = ["text_encoder", "text_encoder_2", "image_encoder", "vae"];
    assert_eq!(
        worker.into_loads(),
        [&encoders[..], &["transformer"]].concat()
    );

    let mut next = Worker::ready(desk.path());
    let read = next.render(&request);
    assert!(!encoded(&read));
    assert_eq!(next.into_loads(), NO_ENCODER);
    for output in [remembered, read] {
        assert_eq!(output.latents_sha256, cold.latents_sha256);
    }
}

/// A copy of the tiny bundle.
fn copied_bundle(desk: &Desk, name: &str) -> PathBuf {
    let bundle = desk.path().join(name);
    copy_folder(&fixtures().join("bundle"), &bundle);
    bundle
}

/// Changes the last bit of the first weight, or a text in a way that means nothing.
fn change(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    if file.extension().unwrap() == "safetensors" {
        let header_bytes = u64::from_le_bytes(bytes[..8].try_into().unwrap());
        bytes[8 + header_bytes as usize] ^= 1;
    } else {
        bytes.push(b'\n');
    }
    fs::write(file, bytes).unwrap();
}

#[test]
fn what_changed_is_encoded_again_and_nothing_else() {
    let desk = Desk::new();
    let base = brief(desk.request(Model::Original, 1));
    let texts = ["text_encoder", "text_encoder_2", "transformer", "vae"];
    let image = ["image_encoder", "transformer", "vae"];
    loads(desk.path(), &[], &base);

    let with_bundle = |bundle| RenderRequest {
        bundle,
        ..base.clone()
    };
    let moved = copied_bundle(&desk, "moved");
    assert_eq!(loads(desk.path(), &[], &with_bundle(moved)), NO_ENCODER);

    let prompt = RenderRequest {
        prompt: "a cat.".into(),
        ..base.clone()
    };
    assert_eq!(loads(desk.path(), &[], &prompt), texts);
    let picture = RenderRequest {
        image: fixtures().join("parity/preprocess/64x40.png"),
        ..base.clone()
    };
    let both = ["image_encoder", "vae", "transformer"];
    assert_eq!(loads(desk.path(), &[], &picture), both);

    for (file, expected) in [
        ("text_encoder/model.safetensors", &texts[..]),
        ("text_encoder_2/model.safetensors", &texts),
        ("tokenizer/tokenizer.json", &texts),
        ("tokenizer_2/merges.txt", &texts),
        ("image_encoder/model.safetensors", &image),
        ("feature_extractor/preprocessor_config.json", &image),
    ] {
        let bundle = copied_bundle(&desk, &file.replace('/', "-"));
        change(&bundle.join(file));
        let loaded = loads(desk.path(), &[], &with_bundle(bundle));
        assert_eq!(loaded, expected, "{file}");
    }

    let all = [&texts[..2], &both].concat();
    assert_eq!(loads(desk.path(), &["--dtype", "bf16"], &base), all);
    assert_eq!(loads(desk.path(), &[], &base), NO_ENCODER);
}

#[test]
fn a_warm_worker_sees_that_its_bundle_was_replaced() {
    let desk = Desk::new();
    let bundle = copied_bundle(&desk, "bundle");
    let request = RenderRequest {
        bundle: bundle.clone(),
        ..brief(desk.request(Model::Original, 1))
    };
    let mut worker = Worker::ready(desk.path());
    worker.render(&request);
    change(&bundle.join("vae/diffusion_pytorch_model.safetensors"));
    worker.render(&request);
    let loaded = worker.into_loads();
    assert_eq!(loaded[loaded.len() - 2..], ["vae", "transformer"]);
    assert_eq!(loaded.len(), 7, "{loaded:?}");
}
