//! `ls` and `verify`: what is there, and what became of it.

use std::fs;

use crate::{
    content::{HUNYUAN, ORIGINAL, SHARD, whole},
    hub::Hub,
    world::World,
};

fn state(world: &World, arguments: &[&str], part: &str) -> (String, String) {
    let json = world
        .run(&[&["--json", "ls"], arguments].concat())
        .ok()
        .json();
    let items = json["items"].as_array().unwrap();
    let row = items.iter().find(|row| row["component"] == part).unwrap();
    let word = |key: &str| row[key].as_str().unwrap().to_owned();
    (word("state"), word("hashes"))
}

fn pair(state: &str, hashes: &str) -> (String, String) {
    (state.to_owned(), hashes.to_owned())
}

#[test]
fn ls_of_nothing_is_a_table_of_what_is_missing() {
    let world = World::of(&Hub::start());
    let ended = world.run(&["ls"]).ok();
    assert_eq!(ended.stdout.lines().count(), 10, "{}", ended.stdout);
    assert_eq!(ended.stdout.matches("missing").count(), 9);
}

#[test]
fn parts_are_told_with_state_and_hashes() {
    let hub = Hub::start();
    let world = World::of(&hub);
    world.fetch(&[]).ok();
    assert_eq!(
        state(&world, &[], "transformer"),
        pair("complete", "checked")
    );
    assert_eq!(
        state(&world, &[], "transformer_f1"),
        pair("missing", "none")
    );
    fs::remove_file(world.repository(HUNYUAN).join("framepack-manifest.json")).unwrap();
    assert_eq!(state(&world, &[], "vae"), pair("complete", "known"));
    let commit = fs::read_to_string(world.repository(ORIGINAL).join("refs/main")).unwrap();
    let shard = world
        .repository(ORIGINAL)
        .join("snapshots")
        .join(commit)
        .join(SHARD);
    fs::remove_file(shard).unwrap();
    assert_eq!(
        state(&world, &[], "transformer"),
        pair("incomplete", "checked")
    );
    let text = world.run(&["ls"]).ok().stdout;
    assert!(
        text.contains(&format!("shard {SHARD} is missing")),
        "{text}"
    );
}

#[test]
fn verify_finds_the_byte_that_changed() {
    let hub = Hub::start();
    let world = World::of(&hub);
    let to = world.home().join("plain");
    let to = to.to_str().unwrap();
    world.fetch(&[]).ok();
    world.fetch(&["--to", to]).ok();
    for arguments in [&["verify"][..], &["verify", to]] {
        let ended = world.run(arguments).ok();
        assert!(
            ended
                .stdout
                .lines()
                .skip(1)
                .all(|line| line.ends_with("ok"))
        );
        assert_eq!(ended.stdout.lines().count(), 1 + 5 + 17 + 3);
    }
    let blobs = fs::read_dir(world.repository(ORIGINAL).join("blobs")).unwrap();
    let large = |path: &std::path::PathBuf| path.file_name().unwrap().len() == 64;
    let blob = blobs.map(|it| it.unwrap().path()).find(large).unwrap();
    for (file, arguments) in [
        (blob, &["verify"][..]),
        (
            format!("{to}/HunyuanVideo/tokenizer_2/vocab.json").into(),
            &["verify", to],
        ),
    ] {
        let mut bytes = fs::read(&file).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&file, bytes).unwrap();
        world
            .run(arguments)
            .failed(6, "FP9110", &["is not what its hash says"]);
    }
    let error = world.run(&["--json", "verify"]).json();
    assert_eq!(error["error"]["code"], "FP9110");
}

#[test]
fn verify_without_hashes_goes_by_lengths() {
    let world = World::of(&Hub::start());
    let bundle = world.home().join("bundle");
    for part in [
        "feature_extractor",
        "image_encoder",
        "text_encoder",
        "text_encoder_2",
        "tokenizer",
        "tokenizer_2",
        "transformer",
        "vae",
    ] {
        fs::create_dir_all(bundle.join(part)).unwrap();
        for (name, bytes) in whole(part) {
            fs::write(bundle.join(part).join(name), bytes).unwrap();
        }
    }
    let dir = bundle.to_str().unwrap();
    let ended = world.run(&["verify", dir]).ok();
    assert!(
        ended
            .stdout
            .lines()
            .skip(1)
            .all(|line| line.ends_with("no hash"))
    );
    let weights = bundle.join("vae/diffusion_pytorch_model.safetensors");
    let bytes = fs::read(&weights).unwrap();
    fs::write(&weights, &bytes[..bytes.len() - 1]).unwrap();
    world
        .run(&["verify", dir])
        .failed(1, "FP3005", &["vae/diffusion_pytorch_model.safetensors"]);
}
