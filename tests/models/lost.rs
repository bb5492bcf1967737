//! Files that are there, and that nothing leads to: disks that are not mounted, references and blobs that are lost.

use std::fs;

use crate::{
    content::{F1, HUNYUAN, ORIGINAL, REDUX},
    hub::Hub,
    world::{World, write},
};

#[test]
fn disk_that_is_not_mounted_is_told() {
    let world = World::of(&Hub::start());
    let (disk, to) = (world.home().join("usb"), world.home().join("bundle"));
    let (disk, dir) = (disk.to_str().unwrap(), to.to_str().unwrap());
    world.fetch(&["--to", disk]).ok();
    world.run(&["import", disk, "--to", dir]).ok();
    fs::rename(disk, world.home().join("away")).unwrap();
    let ended = world.run(&["ls", dir]).ok();
    let says =
        format!("is a link to {disk}/FramePackI2V_HY/config.json, which does not exist [FP3017]");
    assert!(ended.stdout.contains(&says), "{}", ended.stdout);
    let json = world.run(&["--json", "ls", dir]).ok().json();
    assert_eq!(json["items"][0]["state"], "missing");
    assert_eq!(json["items"][0]["findings"].as_array().unwrap().len(), 1);
    world
        .run(&["verify", dir])
        .failed(1, "FP3017", &["mount the disk"]);
}

#[test]
fn lost_reference_does_not_ask_for_the_other_model() {
    let hub = Hub::start();
    let world = World::of(&hub);
    for (name, selection) in [(ORIGINAL, "original"), (F1, "f1")] {
        fs::remove_dir_all(world.home().join("hf")).ok();
        world.fetch(&[selection]).ok();
        let repository = world.repository(name);
        fs::create_dir(repository.join("snapshots").join("d".repeat(40))).unwrap();
        let reference = repository.join("refs/main");
        for wrong in [None, Some("e".repeat(40))] {
            match wrong {
                None => fs::remove_file(&reference).unwrap(),
                Some(commit) => fs::write(&reference, commit).unwrap(),
            }
            let command = format!("`framepackctl models fetch {selection}`");
            let ended = world.run(&["verify"]).failed(1, "FP3012", &[&command]);
            assert_eq!(
                ended.stderr.matches("error: ").count(),
                1,
                "{}",
                ended.stderr
            );
            let ended = world.run(&["ls"]).ok();
            assert_eq!(
                ended.stdout.matches("[FP3012]").count(),
                1,
                "{}",
                ended.stdout
            );
            world.fetch(&[selection]).ok();
            world.run(&["verify"]).ok();
        }
    }
}

#[test]
fn cache_that_was_copied_without_its_blobs_is_told() {
    let world = World::of(&Hub::start());
    world.fetch(&[]).ok();
    for name in [ORIGINAL, HUNYUAN, REDUX] {
        fs::remove_dir_all(world.repository(name).join("blobs")).unwrap();
    }
    let cache = world.cache();
    let from = cache.to_str().unwrap();
    let says = [
        "links that lead nowhere: 25 of the models' files",
        "/blobs/",
        "together with its blobs",
    ];
    world.run(&["import", from]).failed(4, "FP9111", &says);
    // Beside what is found.
    let disk = world.home().join("hf");
    write(&disk.join("FramePackI2V_HY"), ORIGINAL);
    let ended = world.run(&["import", disk.to_str().unwrap()]).ok();
    for part in says {
        assert!(ended.stdout.contains(part), "{part}: {}", ended.stdout);
    }
}
