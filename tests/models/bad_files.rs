//! `ls` and `verify`: what is there, and what became of it.

use std::fs;

use crate::{
    content::{F1, HUNYUAN, ORIGINAL, SHARD, VOCABULARY, whole},
    hub::Hub,
    world::{World, bytes_of, damage},
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
    fs::create_dir_all(world.cache()).unwrap();
    let ended = world.run(&["ls"]).ok();
    assert_eq!(ended.stdout.lines().count(), 11, "{}", ended.stdout);
    let says = format!(
        "In {}: 0 parts complete, 0 incomplete, 9 missing\n",
        world.cache().display()
    );
    assert!(ended.stdout.ends_with(&says), "{}", ended.stdout);
}

#[test]
fn folder_that_is_not_there_is_an_error() {
    let world = World::of(&Hub::start());
    let cache = world.cache();
    let looked = cache.to_str().unwrap();
    for command in ["ls", "verify", "gc"] {
        let none = world.run(&[command, "/none/models"]);
        none.failed(1, "FP9109", &["/none/models", "fetch original --to DIR"]);
        let none = world.run(&[command]);
        none.failed(1, "FP9109", &[looked, "HF_HOME", "fetch original"]);
    }
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
    fs::remove_file(world.snapshot(ORIGINAL).join(SHARD)).unwrap();
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
fn verify_goes_on_behind_a_file_that_cannot_be_read() {
    let hub = Hub::start();
    let world = World::of(&hub);
    let to = world.home().join("plain");
    let to_text = to.to_str().unwrap();
    world.fetch(&["--to", to_text]).ok();
    let shard = to.join("FramePackI2V_HY").join(SHARD);
    fs::remove_file(&shard).unwrap();
    fs::create_dir(&shard).unwrap();
    let vae = to.join("HunyuanVideo/vae/config.json");
    fs::write(&vae, "{}").unwrap();
    let ended = world.run(&["verify", to_text]);
    let told = [&*ended.stdout, &*ended.stderr].concat();
    for part in [
        shard.to_str().unwrap(),
        vae.to_str().unwrap(),
        "unreadable",
        "damaged",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
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
        let ok = ended.stdout.lines().filter(|line| line.ends_with("ok"));
        assert_eq!(ok.count(), 5 + 17 + 3, "{}", ended.stdout);
        let says = ": 25 files compared, 0 without a known hash\n";
        assert!(ended.stdout.ends_with(says), "{}", ended.stdout);
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
fn damage_that_nobody_wrote_is_fetched_again() {
    let hub = Hub::start();
    let world = World::of(&hub);
    let to = world.home().join("it's mine");
    let dir = to.to_str().unwrap();
    world.fetch(&[]).ok();
    world.fetch(&["--to", dir]).ok();
    let blob = fs::canonicalize(world.snapshot(ORIGINAL).join(SHARD)).unwrap();
    damage(&blob);
    let table = to.join("HunyuanVideo").join(VOCABULARY);
    damage(&table);
    for (folder, file, advised) in [
        (None, &blob, "`framepackctl models fetch original`".into()),
        (
            Some(dir),
            &table,
            format!("`framepackctl models fetch original --to \"{dir}\"`"),
        ),
    ] {
        let verify: Vec<&str> = [Some("verify"), folder].into_iter().flatten().collect();
        // And it stays known as damaged until it is fetched.
        for _ in 0..2 {
            world
                .run(&verify)
                .failed(6, "FP9110", &["is not what its hash says", &advised]);
        }
        let to: Vec<&str> = folder.iter().flat_map(|dir| ["--to", dir]).collect();
        let ended = world.fetch(&to).ok();
        assert!(ended.stderr.contains("is not the Hub's"));
        let name = if folder.is_some() { HUNYUAN } else { ORIGINAL };
        let path = if folder.is_some() { VOCABULARY } else { SHARD };
        assert!(fs::read(file).unwrap() == bytes_of(name, path));
        world.run(&verify).ok();
    }
}

#[test]
fn damage_of_f1_is_fetched_with_f1() {
    let world = World::of(&Hub::start());
    world.fetch(&["f1"]).ok();
    damage(&world.snapshot(F1).join(SHARD));
    world.run(&["verify"]).failed(6, "FP9110", &["fetch f1`"]);
    world.fetch(&["f1"]).ok();
    damage(&world.snapshot(HUNYUAN).join(VOCABULARY));
    world.run(&["verify"]).failed(6, "FP9110", &["fetch f1`"]);
}

#[test]
fn damage_where_nobody_may_write_is_told_all_the_same() {
    let world = World::of(&Hub::start());
    world.fetch(&[]).ok();
    let repository = world.repository(ORIGINAL);
    damage(&world.snapshot(ORIGINAL).join(SHARD));
    // Whoever runs the tests may be allowed to write anywhere.
    fs::create_dir(repository.join("framepack-manifest.json.new")).unwrap();
    world.run(&["verify"]).failed(
        6,
        "FP9110",
        &["could not be noted", "framepack-manifest.json"],
    );
}

#[test]
fn file_of_another_commit_is_not_held_against_the_note() {
    let hub = Hub::start();
    let world = World::of(&hub);
    world.fetch(&[]).ok();
    let old = fs::read_to_string(world.repository(HUNYUAN).join("refs/main")).unwrap();
    hub.change(|repositories| {
        let repository = repositories.get_mut(HUNYUAN).unwrap();
        repository.commit = "c".repeat(40);
        let table = repository.files.get_mut("tokenizer_2/merges.txt").unwrap();
        table.push(b'\n');
    });
    world.fetch(&[]).ok();
    // Another program goes back to the commit that it knows.
    fs::write(world.repository(HUNYUAN).join("refs/main"), old).unwrap();
    world.run(&["verify"]).ok();
}

#[test]
fn damage_is_found_after_a_new_commit_that_changed_other_files() {
    for changed in ["config.json", "README.md"] {
        let hub = Hub::start();
        let world = World::of(&hub);
        let to = world.home().join("plain");
        let dir = to.to_str().unwrap();
        world.fetch(&["--to", dir]).ok();
        let commit = "c".repeat(40);
        hub.change(|repositories| {
            let repository = repositories.get_mut(ORIGINAL).unwrap();
            repository.commit.clone_from(&commit);
            repository.files.get_mut(changed).unwrap().push(b'\n');
        });
        world.fetch(&["--to", dir]).ok();
        let part = to.join("FramePackI2V_HY");
        let note = fs::read_to_string(part.join("framepack-manifest.json")).unwrap();
        assert!(note.contains(&commit), "{note}");
        damage(&part.join(SHARD));
        world.run(&["verify", dir]).failed(6, "FP9110", &[SHARD]);
    }
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
    let says = format!("In {dir}: 0 files compared, 18 without a known hash\n");
    assert!(ended.stdout.ends_with(&says), "{}", ended.stdout);
    let weights = bundle.join("vae/diffusion_pytorch_model.safetensors");
    let bytes = fs::read(&weights).unwrap();
    fs::write(&weights, &bytes[..bytes.len() - 1]).unwrap();
    world
        .run(&["verify", dir])
        .failed(1, "FP3005", &["vae/diffusion_pytorch_model.safetensors"])
        .failed(1, "FP3005", &[&format!("move {dir}/vae away")]);
}

#[test]
fn one_part_is_no_parts() {
    let world = World::of(&Hub::start());
    let (disk, to) = (world.home().join("usb"), world.home().join("bundle"));
    fs::create_dir_all(disk.join("vae")).unwrap();
    for (name, bytes) in whole("vae") {
        fs::write(disk.join("vae").join(name), bytes).unwrap();
    }
    let (disk, to) = (disk.to_str().unwrap(), to.to_str().unwrap());
    world.run(&["import", disk, "--to", to]).ok();
    let ended = world.run(&["ls", to]).ok();
    let says = format!("In {to}: 1 part complete, 0 incomplete, 8 missing\n");
    assert!(ended.stdout.ends_with(&says), "{}", ended.stdout);
}

#[test]
fn damaged_file_is_told_once_with_what_is_known_of_it() {
    let world = World::of(&Hub::start());
    world.fetch(&[]).ok();
    let shard = world.snapshot(ORIGINAL).join(SHARD);
    let table = world.snapshot(HUNYUAN).join(VOCABULARY);
    for (file, begin, says) in [
        (
            &shard,
            1000,
            "not what its hash says; it is truncated: it ends in its header, after 1000 bytes [",
        ),
        (&table, 100, "not what its hash says: "),
        (&table, 0, "not what its hash says; it is empty (0 bytes) ["),
    ] {
        let bytes = fs::read(file).unwrap();
        fs::write(file, &bytes[..begin]).unwrap();
        let path = file.to_str().unwrap();
        let ended = world.run(&["verify"]).failed(6, "FP9110", &[path, says]);
        assert_eq!(
            ended.stderr.matches("error: ").count(),
            1,
            "{}",
            ended.stderr
        );
        fs::write(file, bytes).unwrap();
    }
}
