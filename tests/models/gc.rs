//! `gc`: files that nobody needs.

use std::fs;

use crate::{
    content::{ORIGINAL, SHARD, hub_hash},
    hub::Hub,
    world::{World, bytes_of, faults},
};

#[test]
fn gc_removes_parts_and_what_nothing_refers_to() {
    let hub = Hub::start();
    let world = World::of(&hub);
    world.fetch(&[]).ok();
    let blobs = world.repository(ORIGINAL).join("blobs");
    let part = blobs.join(format!("{}.incomplete", "1".repeat(64)));
    let unreferenced = blobs.join("2".repeat(64));
    fs::write(&part, [1; 100]).unwrap();
    fs::write(&unreferenced, [1; 200]).unwrap();
    let others = world.cache().join("models--other--model/blobs");
    fs::create_dir_all(&others).unwrap();
    fs::write(others.join("x.incomplete"), [1; 300]).unwrap();

    let dry = world.run(&["gc", "--dry-run"]).ok();
    assert!(dry.stdout.contains("would be freed") && part.exists());
    let json = world.run(&["--json", "gc"]).ok().json();
    let items = json["items"].as_array().unwrap();
    let kinds: Vec<_> = items.iter().map(|it| (&it["kind"], &it["bytes"])).collect();
    assert_eq!(
        format!("{kinds:?}"),
        r#"[(String("part"), Number(100)), (String("unreferenced"), Number(200))]"#
    );
    assert!(!part.exists() && !unreferenced.exists());
    assert!(others.join("x.incomplete").exists());
    assert_eq!(faults(&world.cache()), []);
    world.run(&["verify"]).ok();
}

#[test]
fn gc_leaves_what_a_fetch_is_at() {
    let (release, hub) = Hub::hanging(9000);
    let world = World::of(&hub);
    for to in [None, Some(world.home().join("plain"))] {
        let hash = hub_hash(SHARD, &bytes_of(ORIGINAL, SHARD));
        let (arguments, partial) = match &to {
            None => (vec![], world.partial(ORIGINAL, &hash)),
            Some(to) => {
                let below = ".cache/huggingface/download";
                let name = format!("{SHARD}.{hash}.incomplete");
                let partial = to.join("FramePackI2V_HY").join(below).join(name);
                (vec![to.to_str().unwrap()], partial)
            }
        };
        if to.is_some() {
            // Left by a fetch that is no more.
            fs::create_dir_all(partial.parent().unwrap()).unwrap();
            fs::write(&partial, [1; 10]).unwrap();
            world.run(&[&["gc"], &*arguments].concat()).ok();
            assert!(!partial.exists());
            continue;
        }
        let child = world.fetch_at_shard(9000);
        world.run(&["gc"]).ok();
        assert!(partial.exists());
        release.send(()).unwrap();
        assert!(child.wait_with_output().unwrap().status.success());
    }
}

#[test]
fn gc_leaves_what_another_program_is_at() {
    let world = World::of(&Hub::start());
    let to = world.home().join("plain");
    let downloads = to.join("FramePackI2V_HY/.cache/huggingface/download");
    fs::create_dir_all(&downloads).unwrap();
    // The Hub's own client has a digest of the name there, so that its lock can't be told from it.
    let hash = hub_hash(SHARD, &bytes_of(ORIGINAL, SHARD));
    let theirs = downloads.join(format!("vk2LiyWhXHqxRgFo2qSxIMZnzAo=.{hash}.incomplete"));
    fs::write(&theirs, [1; 10]).unwrap();
    let ended = world.run(&["gc", to.to_str().unwrap()]).ok();
    assert!(theirs.exists(), "{}", ended.stdout);
    assert!(ended.stdout.contains(": 0 bytes freed"));
}

#[test]
fn folder_with_nothing_of_ours_is_said_to_be_that() {
    let world = World::of(&Hub::start());
    let other = world.home().join("models--other--model/blobs");
    fs::create_dir_all(&other).unwrap();
    fs::write(other.join("x.incomplete"), [1; 300]).unwrap();
    let home = world.home().to_str().unwrap();
    let ended = world.run(&["gc", home]).ok();
    assert_eq!(
        ended.stdout,
        format!("In {home}: nothing of FramePack's models\n")
    );
}
