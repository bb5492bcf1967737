//! A Hub cache that is there already: used in place, nothing twice.

use std::{fs, os::unix::fs::MetadataExt};

use crate::{
    content::{HUNYUAN, ORIGINAL, SHARD, hub_hash, repositories},
    hub::{Act, Hub, Side},
    world::{World, faults},
};

/// What was fetched of files.
fn fetched(hub: &Hub) -> Vec<String> {
    let requests = hub.requests().into_iter();
    let files = requests.filter(|it| it.path.contains("/resolve/") || it.side == Side::Downloads);
    files.map(|it| it.path).collect()
}

#[test]
fn cache_without_a_reference_is_not_fetched_again() {
    let hub = Hub::start();
    let world = World::of(&hub);
    world.fetch(&[]).ok();
    for name in [ORIGINAL, HUNYUAN] {
        let repository = world.repository(name);
        fs::remove_dir_all(repository.join("refs")).unwrap();
        fs::remove_file(repository.join("framepack-manifest.json")).unwrap();
    }
    assert_eq!(faults(&world.cache()), []);
    hub.requests();
    world.fetch(&[]).ok();
    assert_eq!(fetched(&hub), [""; 0]);
    assert!(world.repository(ORIGINAL).join("refs/main").exists());
    let rows = world.run(&["--json", "ls"]).ok().json();
    let rows = rows["items"].as_array().unwrap();
    let there = rows.iter().filter(|row| row["state"] == "complete");
    assert!(
        there.clone().all(|row| row["hashes"] == "checked"),
        "{rows:?}"
    );
    assert_eq!(there.count(), 8);
}

#[test]
fn new_commit_takes_what_has_not_changed() {
    let hub = Hub::start();
    let world = World::of(&hub);
    world.fetch(&[]).ok();
    hub.change(|repositories| {
        let repository = repositories.get_mut(ORIGINAL).unwrap();
        repository.commit = "c".repeat(40);
        repository
            .files
            .insert("config.json".into(), b"{}".to_vec());
    });
    hub.requests();
    world.fetch(&[]).ok();
    let config = format!("/{ORIGINAL}/resolve/{}/config.json", "c".repeat(40));
    assert_eq!(fetched(&hub), [config]);
    let reference = world.repository(ORIGINAL).join("refs/main");
    assert_eq!(fs::read_to_string(reference).unwrap(), "c".repeat(40));
}

#[test]
fn snapshot_with_files_instead_of_links_is_taken_without_a_copy() {
    let hub = Hub::start();
    let world = World::of(&hub);
    let repository = world.repository(ORIGINAL);
    let published = repositories().remove(ORIGINAL).unwrap();
    let shard = &published.files[SHARD];
    let old = repository.join("snapshots").join("a".repeat(40));
    fs::create_dir_all(&old).unwrap();
    fs::write(old.join(SHARD), shard).unwrap();
    world.fetch(&[]).ok();
    let files = fetched(&hub);
    assert!(!files.iter().any(|path| path.ends_with(SHARD)), "{files:?}");
    let blob = repository.join("blobs").join(hub_hash(SHARD, shard));
    let inode = |path| fs::metadata(path).unwrap().ino();
    assert_eq!(inode(blob), inode(old.join(SHARD)));
}

#[test]
fn plain_folder_shares_the_bytes_of_the_cache_on_the_same_disk() {
    let hub = Hub::start();
    let world = World::of(&hub);
    world.fetch(&[]).ok();
    fetched(&hub);
    let to = world.home().join("plain");
    world.fetch(&["--to", to.to_str().unwrap()]).ok();
    assert_eq!(fetched(&hub), [""; 0]);
    World::assert_whole(&to.join("FramePackI2V_HY"), ORIGINAL);
    let file = to.join("FramePackI2V_HY").join(SHARD);
    assert!(!file.is_symlink());
    assert_eq!(fs::metadata(&file).unwrap().nlink(), 2);
    // A small file may be edited: the cache keeps its own.
    let config = to.join("FramePackI2V_HY/config.json");
    assert_eq!(fs::metadata(config).unwrap().nlink(), 1);

    // What is no longer right is taken from the cache again.
    let shard = fs::read(&file).unwrap();
    let cut = shard[..shard.len() / 2].to_vec();
    let wrong = vec![0; shard.len()];
    for bad in [cut, wrong] {
        fs::remove_file(&file).unwrap();
        fs::write(&file, bad).unwrap();
        let arguments = ["--json", "fetch", "--to", to.to_str().unwrap()];
        let json = world.run(&arguments).ok().json();
        assert_eq!(json["items"][0]["fetched_bytes"], 0);
        assert_eq!(fetched(&hub), [""; 0]);
        assert!(fs::read(&file).unwrap() == shard);
    }
}

#[test]
fn spoilt_file_of_the_cache_is_fetched_again() {
    let hub = Hub::start();
    let world = World::of(&hub);
    world.fetch(&[]).ok();
    let shard = &repositories()[ORIGINAL].files[SHARD];
    let blob = world
        .repository(ORIGINAL)
        .join("blobs")
        .join(hub_hash(SHARD, shard));
    let spoilt: Vec<u8> = shard.iter().map(|byte| !byte).collect();
    fs::write(&blob, spoilt).unwrap();
    hub.requests();
    let ended = world.run(&["--json", "fetch"]).ok();
    assert!(
        ended.stderr.contains("is not the Hub's"),
        "{}",
        ended.stderr
    );
    assert_eq!(ended.json()["items"][0]["fetched_bytes"], shard.len());
    assert!(fs::read(&blob).unwrap() == *shard);
    assert!(fetched(&hub).iter().all(|path| path.ends_with(SHARD)));
}

/// A Hub whose first answer with the shard has wrong bytes.
fn spoiling_once() -> Hub {
    let mut spoilt = 1;
    Hub::with(move |request| {
        let is_spoilt = request.is_file(Side::Downloads, SHARD) && spoilt > 0;
        is_spoilt.then(|| {
            spoilt -= 1;
            Act::Spoilt
        })
    })
}

#[test]
fn wrong_bytes_are_thrown_away_and_come_once_more() {
    let hub = spoiling_once();
    let world = World::of(&hub);
    let ended = world.fetch(&[]).ok();
    assert!(ended.stderr.contains("is thrown away"), "{}", ended.stderr);
    assert_eq!(faults(&world.cache()), []);
}

#[test]
fn wrong_part_of_an_earlier_run_is_no_attempt() {
    let hub = spoiling_once();
    let world = World::of(&hub);
    let partial = world.shard_partial();
    fs::create_dir_all(partial.parent().unwrap()).unwrap();
    let length = repositories()[ORIGINAL].files[SHARD].len();
    fs::write(&partial, vec![0; length]).unwrap();
    world.fetch(&[]).ok();
    world.assert_fetched(ORIGINAL);
}

#[test]
fn wrong_bytes_twice_are_an_error_and_are_not_kept() {
    let hub = Hub::with(|request| {
        let is_spoilt = request.path.ends_with("merges.txt");
        is_spoilt.then_some(Act::Spoilt)
    });
    let world = World::of(&hub);
    world.fetch(&[]).failed(
        1,
        "FP9107",
        &["HunyuanVideo/tokenizer_2/merges.txt", "expected"],
    );
    let asked = fetched(&hub);
    let asked = asked.iter().filter(|path| path.ends_with("merges.txt"));
    assert_eq!(asked.count(), 2);
    let hash = hub_hash(
        "merges.txt",
        &repositories()[HUNYUAN].files["tokenizer_2/merges.txt"],
    );
    assert!(!world.partial(HUNYUAN, &hash).exists());
    assert!(!world.repository(HUNYUAN).join("blobs").join(hash).exists());
}
