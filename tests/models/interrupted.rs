//! Fetches that are broken off: by the network, by a kill, by a full disk, by another fetch.

use std::fs;

use crate::{
    content::{HUNYUAN, ORIGINAL, SHARD, VOCABULARY, hub_hash},
    hub::{Act, Hub, Request, Side},
    mounts,
    world::{Ended, World, bytes_of},
};

/// The bytes from which a file was asked for, in turn.
fn starts(hub: &Hub, side: Side, path: &str) -> Vec<usize> {
    let requests = hub.requests();
    let files = requests.iter().filter(|it| it.is_file(side, path));
    let start = |request: &Request| {
        let range = request.header("range").unwrap_or("bytes=0-");
        range["bytes=".len()..range.len() - 1].parse().unwrap()
    };
    files.map(start).collect()
}

#[test]
fn connection_that_breaks_at_any_byte_is_gone_on_with_there() {
    for (side, name, path) in [
        (Side::Downloads, ORIGINAL, SHARD),
        (Side::Hub, HUNYUAN, VOCABULARY),
    ] {
        let length = bytes_of(name, path).len();
        for at in [0, 1, 7, 8, 4095, 4096, length / 2, length - 1] {
            let mut is_first = true;
            let hub = Hub::with(move |request| {
                let cut = request.is_file(side, path) && std::mem::take(&mut is_first);
                cut.then_some(Act::Cut(at))
            });
            let world = World::of(&hub);
            world.fetch(&[]).ok();
            world.assert_fetched(name);
            assert_eq!(starts(&hub, side, path), [0, at], "{path}");
        }
    }
}

#[test]
fn connection_that_closes_without_an_answer_is_made_again() {
    let mut closed = 0;
    let hub = Hub::with(move |_| {
        closed += 1;
        (closed % 3 == 1).then_some(Act::Close)
    });
    let world = World::of(&hub);
    world.fetch(&["--jobs", "1"]).ok();
    world.assert_fetched(ORIGINAL);
}

#[test]
fn server_that_gives_a_little_each_time_is_asked_until_all_is_there() {
    let length = bytes_of(ORIGINAL, SHARD).len();
    let piece = length / 30;
    let hub = Hub::with(move |request| {
        let is_shard = request.is_file(Side::Downloads, SHARD);
        is_shard.then_some(Act::Cut(piece))
    });
    let world = World::of(&hub);
    world.fetch(&["--retries", "1"]).ok();
    world.assert_fetched(ORIGINAL);
    assert!(starts(&hub, Side::Downloads, SHARD).len() >= 30);
}

#[test]
fn server_that_ignores_where_to_begin_is_taken_from_the_start() {
    let mut answers = 0;
    let hub = Hub::with(move |request| {
        if !request.is_file(Side::Downloads, SHARD) {
            return None;
        }
        answers += 1;
        Some(match answers {
            1 => Act::Cut(1000),
            _ => Act::NoRange,
        })
    });
    let world = World::of(&hub);
    world.fetch(&[]).ok();
    world.assert_fetched(ORIGINAL);
}

#[test]
fn server_that_gives_nothing_new_is_given_up_and_the_part_is_kept() {
    let hub = Hub::with(|request| {
        let is_shard = request.is_file(Side::Downloads, SHARD);
        is_shard.then_some(Act::Close)
    });
    let world = World::of(&hub);
    let shard = bytes_of(ORIGINAL, SHARD);
    let partial = world.shard_partial();
    fs::create_dir_all(partial.parent().unwrap()).unwrap();
    fs::write(&partial, &shard[..5000]).unwrap();
    world.fetch(&["--retries", "3"]).failed(3, "FP9101", &[]);
    assert_eq!(starts(&hub, Side::Downloads, SHARD), [5000; 4]);
    assert!(fs::read(&partial).unwrap() == shard[..5000]);
}

#[test]
fn later_bytes_are_asked_for_of_the_same_version_only() {
    let mut is_first = true;
    let hub = Hub::with(move |request| {
        let cut = request.is_file(Side::Downloads, SHARD) && std::mem::take(&mut is_first);
        cut.then_some(Act::Cut(1000))
    });
    World::of(&hub).fetch(&[]).ok();
    let requests = hub.requests();
    let mut shards = requests
        .iter()
        .filter(|it| it.is_file(Side::Downloads, SHARD));
    assert_eq!(shards.next().unwrap().header("if-range"), None);
    let etag = &hub_hash(SHARD, &bytes_of(ORIGINAL, SHARD))[..32];
    assert_eq!(
        shards.next().unwrap().header("if-range"),
        Some(&*format!("\"{etag}\""))
    );
}

#[test]
fn killed_fetch_goes_on_where_it_was() {
    let (release, hub) = Hub::hanging(20_000);
    let world = World::of(&hub);
    let shard = bytes_of(ORIGINAL, SHARD);
    let partial = world.shard_partial();
    let mut child = world.fetch_at_shard(20_000);
    child.kill().unwrap();
    child.wait().unwrap();
    drop(release);
    assert!(fs::read(&partial).unwrap() == shard[..20_000]);
    hub.requests();
    world.fetch(&[]).ok();
    world.assert_fetched(ORIGINAL);
    assert_eq!(starts(&hub, Side::Downloads, SHARD), [20_000]);
    assert!(!partial.exists());
}

#[test]
fn two_fetches_at_a_time_share_the_work() {
    let hub = Hub::start();
    let world = World::of(&hub);
    let children = [(); 3].map(|()| world.command(&["fetch"]).spawn().unwrap());
    for child in children {
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success(), "{ended:?}");
    }
    world.assert_fetched(ORIGINAL);
    world.assert_fetched(HUNYUAN);
    assert_eq!(starts(&hub, Side::Downloads, SHARD), [0]);
}

#[test]
fn disk_that_fills_up_is_said_and_the_part_is_kept() {
    if !mounts::are_allowed() {
        let test = "interrupted::disk_that_fills_up_is_said_and_the_part_is_kept";
        return mounts::again_in_a_namespace(test);
    }
    let (release, hub) = Hub::hanging(20_000);
    let world = World::of(&hub);
    let disk = world.home().join("hf");
    fs::create_dir(&disk).unwrap();
    mounts::mount_small_disk(&disk, 4);
    let partial = world.shard_partial();
    let child = world.fetch_at_shard(20_000);
    // Somebody else takes the rest of the disk.
    let filler = disk.join("filler");
    let filled = fs::write(&filler, vec![0; 8 << 20]);
    assert!(filled.is_err());
    drop(release);
    let ended: Ended = child.wait_with_output().unwrap().into();
    ended.failed(11, "FP9108", &["disk is full", "are kept"]);
    let kept = fs::metadata(&partial).unwrap().len();
    assert!(kept >= 20_000);

    world
        .fetch(&[])
        .failed(11, "FP9108", &["are missing", "has room for"]);
    fs::remove_file(filler).unwrap();
    hub.requests();
    world.fetch(&[]).ok();
    world.assert_fetched(ORIGINAL);
    assert_eq!(starts(&hub, Side::Downloads, SHARD), [kept as usize]);
    mounts::unmount(&disk);
}
