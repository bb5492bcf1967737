//! What a fetch does when all goes well.

use std::fs;

use serde_json::Value;

use crate::{
    content::{F1, HUNYUAN, ORIGINAL, REDUX, SHARD, hub_hash, repositories, sha256, whole},
    hub::{Hub, Side},
    world::{World, faults},
};

#[test]
fn cache_is_what_the_daemon_takes_as_a_bundle() {
    let hub = Hub::start();
    let world = World::of(&hub);
    let ended = world.fetch(&["all"]).ok();
    for name in [ORIGINAL, F1, HUNYUAN, REDUX] {
        world.assert_fetched(name);
    }
    assert_eq!(faults(&world.cache()), []);
    let line = format!("models:\n  bundle: {}\n", world.cache().display());
    assert!(ended.stdout.ends_with(&line), "{}", ended.stdout);

    hub.requests();
    let again = world.fetch(&["all"]).ok();
    assert!(again.stderr.contains("there already"));
    let files = hub.requests();
    assert!(
        files.iter().all(|it| it.path.starts_with("/api/")),
        "{files:?}"
    );
}

#[test]
fn one_model_is_enough_for_its_jobs() {
    let hub = Hub::start();
    let world = World::of(&hub);
    world.fetch(&["f1"]).ok();
    assert!(!world.repository(ORIGINAL).exists());
    hub.requests();
    world.fetch(&[]).ok();
    let mut files = hub.requests();
    files.retain(|it| it.path.contains("/resolve/"));
    assert!(
        files.iter().all(|it| it.path.contains(ORIGINAL)),
        "{files:?}"
    );
    assert_eq!(files.len(), 5);
}

#[test]
fn plain_folders_are_a_bundle_too() {
    let hub = Hub::start();
    let world = World::of(&hub);
    let to = world.home().join("my models");
    let ended = world.fetch(&["--to", to.to_str().unwrap()]).ok();
    World::assert_whole(&to.join("FramePackI2V_HY"), ORIGINAL);
    World::assert_whole(&to.join("HunyuanVideo"), HUNYUAN);
    World::assert_whole(&to.join("flux_redux_bfl"), REDUX);
    assert_eq!(faults(&to), []);
    assert!(
        ended
            .stdout
            .contains(&format!("bundle: \"{}\"", to.display()))
    );
    assert!(!world.cache().exists());
}

#[test]
fn manifest_has_our_sha256_of_every_file() {
    let hub = Hub::start();
    let world = World::of(&hub);
    world.fetch(&[]).ok();
    let manifest = world.repository(HUNYUAN).join("framepack-manifest.json");
    let manifest: Value = serde_json::from_slice(&fs::read(manifest).unwrap()).unwrap();
    assert_eq!(manifest["repository"], HUNYUAN);
    let published = repositories().remove(HUNYUAN).unwrap();
    assert_eq!(manifest["commit"], published.commit);
    let files = manifest["files"].as_array().unwrap();
    assert_eq!(files.len(), 17);
    for file in files {
        let path = file["path"].as_str().unwrap();
        let bytes = &published.files[path];
        assert_eq!(file["sha256"], sha256(bytes), "{path}");
        assert_eq!(file["bytes"], bytes.len(), "{path}");
        let hub = file["hub"].as_object().unwrap();
        let hash = hub_hash(path, bytes);
        assert_eq!(hub.values().next().unwrap(), &Value::from(hash), "{path}");
    }
}

#[test]
fn dry_run_fetches_nothing_and_names_sizes_and_what_is_there() {
    let hub = Hub::start();
    let world = World::of(&hub);
    let ended = world.fetch(&["--dry-run"]).ok();
    assert!(!world.cache().exists());
    let row = |line: &&str| line.contains(SHARD);
    let line = ended.stdout.lines().find(row).unwrap();
    assert!(
        line.starts_with(ORIGINAL) && line.ends_with("missing"),
        "{line}"
    );
    world.fetch(&[]).ok();
    let json = world
        .run(&["--json", "fetch", "--dry-run", "all"])
        .ok()
        .json();
    assert_eq!(json["kind"], "ModelFile");
    let items = json["items"].as_array().unwrap();
    let states = |name: &str| {
        let items = items.iter().filter(|item| item["repository"] == name);
        let mut states: Vec<_> = items.map(|item| item["state"].as_str().unwrap()).collect();
        states.dedup();
        states
    };
    assert_eq!(states(HUNYUAN), ["checked"]);
    assert_eq!(states(F1), ["missing"]);
    let licence = &items[0]["licence"];
    assert!(licence["name"].as_str().unwrap().starts_with("Tencent"));
    assert!(licence["link"].as_str().unwrap().starts_with("https://"));
    assert!(
        !hub.requests()
            .iter()
            .any(|it| it.path.contains(F1) && it.side == Side::Downloads)
    );
}

#[test]
fn licences_are_named_before_the_first_byte() {
    let hub = Hub::with(|request| {
        let is_file = request.path.contains("/resolve/");
        is_file.then_some(crate::hub::Act::Status(404, ""))
    });
    let world = World::of(&hub);
    let ended = world.fetch(&["--jobs", "1"]).failed(4, "FP9104", &[]);
    let says = ended
        .stderr
        .find("Tencent Hunyuan Community License")
        .unwrap();
    assert!(ended.stderr.contains("non-commercial"));
    assert!(says < ended.stderr.find("404").unwrap());
}

#[test]
fn parts_in_folders_of_their_own_are_not_fetched_beside_them() {
    let hub = Hub::start();
    let world = World::of(&hub);
    let to = world.home().join("bundle");
    for part in ["transformer", "text_encoder", "tokenizer"] {
        fs::create_dir_all(to.join(part)).unwrap();
        for (name, bytes) in whole(part) {
            fs::write(to.join(part).join(name), bytes).unwrap();
        }
    }
    let arguments = ["--to", to.to_str().unwrap()];
    let ended = world.fetch(&arguments).ok();
    let says = format!("{}/transformer is not compared", to.display());
    assert!(ended.stdout.contains(&says), "{}", ended.stdout);
    let requests = hub.requests().into_iter();
    let mut files = requests.filter(|it| it.path.contains("/resolve/"));
    assert!(files.all(|it| {
        let parts = [ORIGINAL, "/text_encoder/", "/tokenizer/"];
        !parts.iter().any(|part| it.path.contains(part))
    }));
    assert!(to.join("HunyuanVideo/vae/config.json").exists());
    assert_eq!(faults(&to), []);
}
