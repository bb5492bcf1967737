//! Disks and folders that are not as one would wish: read-only, not mounted, with something else in a file's place.

use std::{fs, os::unix::fs::symlink, path::Path};

use nix::mount::{MsFlags, mount};

use crate::{
    content::{ORIGINAL, SHARD},
    hub::Hub,
    mounts,
    world::World,
};

fn make_read_only(disk: &Path) {
    let none: Option<&str> = None;
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    mount(none, disk, none, flags, none).unwrap();
}

#[test]
fn complete_cache_that_may_not_be_written_is_used() {
    if !mounts::are_allowed() {
        let test = "disks::complete_cache_that_may_not_be_written_is_used";
        return mounts::again_in_a_namespace(test);
    }
    let world = World::of(&Hub::start());
    let disk = world.home().join("hf");
    fs::create_dir(&disk).unwrap();
    mounts::mount_small_disk(&disk, 64);
    world.fetch(&[]).ok();
    // Another program has fetched these, so no note has their hashes.
    let note = world.repository(ORIGINAL).join("framepack-manifest.json");
    fs::remove_file(note).unwrap();
    make_read_only(&disk);
    let ended = world.fetch(&[]).ok();
    assert!(!ended.stderr.contains(": fetched"), "{}", ended.stderr);
    let json = world.run(&["--json", "fetch"]).ok().json();
    assert_eq!(json["items"][0]["fetched_bytes"], 0);
    world.fetch(&["f1"]).failed(
        1,
        "FP9109",
        &["Read-only file system", "--to DIR", "HF_HOME"],
    );
    mounts::unmount(&disk);
}

#[test]
fn folder_in_a_files_place_is_said_before_anything_is_fetched() {
    let hub = Hub::start();
    let world = World::of(&hub);
    world.fetch(&[]).ok();
    let file = world.snapshot(ORIGINAL).join(SHARD);
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    fs::remove_dir_all(world.cache().join("models--lllyasviel--flux_redux_bfl")).unwrap();
    hub.requests();
    let name = file.to_str().unwrap();
    world.fetch(&[]).failed(1, "FP9109", &[name, "is a folder"]);
    let asked = hub.requests();
    assert!(asked.iter().all(|it| it.path.starts_with("/api/")));
}

#[test]
fn disk_that_is_not_mounted_is_named() {
    let world = World::of(&Hub::start());
    fs::create_dir(world.home().join("hf")).unwrap();
    symlink("/none/disk", world.cache()).unwrap();
    let below = world.cache().join("models");
    for folder in [None, Some(below.to_str().unwrap())] {
        let to: Vec<&str> = folder.iter().flat_map(|it| ["--to", it]).collect();
        world
            .fetch(&to)
            .failed(1, "FP9109", &["hf/hub is a link to /none/disk", "mount"]);
    }
    world
        .run(&["ls"])
        .failed(1, "FP9109", &["hf/hub is a link to /none/disk"]);
}

#[test]
fn snapshots_on_another_disk_lead_to_their_blobs() {
    let world = World::of(&Hub::start());
    let repository = world.repository(ORIGINAL);
    let elsewhere = world.home().join("another/disk");
    fs::create_dir_all(&elsewhere).unwrap();
    fs::create_dir_all(&repository).unwrap();
    symlink(&elsewhere, repository.join("snapshots")).unwrap();
    world.fetch(&[]).ok();
    world.assert_fetched(ORIGINAL);
}

#[test]
fn snapshot_with_files_instead_of_links_stays_as_it_is() {
    let hub = Hub::start();
    let world = World::of(&hub);
    world.fetch(&[]).ok();
    let file = world.snapshot(ORIGINAL).join(SHARD);
    let blob = fs::canonicalize(&file).unwrap();
    fs::rename(&blob, &file).unwrap();
    hub.requests();
    world.fetch(&[]).ok();
    world.assert_fetched(ORIGINAL);
    assert!(!file.is_symlink() && !blob.exists());
    let asked = hub.requests();
    assert!(asked.iter().all(|it| it.path.starts_with("/api/")));
}
