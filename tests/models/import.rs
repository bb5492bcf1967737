//! `import`: files of other programs.

use std::{fs, path::Path};

use framepack_bundle::look;

use crate::{
    content::{HUNYUAN, ORIGINAL, REDUX, SHARD, repositories, whole},
    hub::{Hub, Side},
    world::World,
};

/// Writes a repository as plain files.
fn write(folder: &Path, name: &str) {
    for (path, bytes) in &repositories()[name].files {
        let file = folder.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
}

#[test]
fn download_folder_of_framepack_is_used_as_it_is() {
    let hub = Hub::start();
    let world = World::of(&hub);
    world.fetch(&[]).ok();
    let theirs = world.home().join("FramePack/hf_download");
    fs::create_dir_all(theirs.parent().unwrap()).unwrap();
    fs::rename(world.home().join("hf"), &theirs).unwrap();
    let before = world
        .run(&["--json", "ls", theirs.to_str().unwrap()])
        .ok()
        .stdout;
    for from in [&theirs, &theirs.join("hub")] {
        let ended = world.run(&["import", from.to_str().unwrap()]).ok();
        let line = format!("bundle: {}\n", from.display());
        assert!(ended.stdout.contains(&line), "{}", ended.stdout);
        assert_eq!(look(from, None).findings, []);
    }
    let after = world
        .run(&["--json", "ls", theirs.to_str().unwrap()])
        .ok()
        .stdout;
    assert_eq!(before, after);
}

#[test]
fn parts_here_and_there_are_linked_and_the_rest_is_fetched() {
    let hub = Hub::start();
    let world = World::of(&hub);
    let comfy = world.home().join("ComfyUI/models");
    write(
        &comfy.join("diffusers/lllyasviel/FramePackI2V_HY"),
        ORIGINAL,
    );
    // Another model's, and one that is only named so.
    let other = comfy.join("diffusers/sdxl/vae");
    fs::create_dir_all(&other).unwrap();
    fs::write(
        other.join("config.json"),
        r#"{"_class_name": "AutoencoderKL"}"#,
    )
    .unwrap();
    let from = comfy.to_str().unwrap();
    let ended = world.run(&["import", from]).ok();
    assert!(ended.stdout.contains("FramePackI2V_HY") && !ended.stdout.contains("sdxl"));
    assert!(ended.stdout.contains("--to DIR"));

    let to = world.home().join("bundle");
    let to = to.to_str().unwrap();
    let ended = world.run(&["import", from, "--to", to]).ok();
    assert!(
        ended
            .stdout
            .contains(&format!("models fetch --to {to}")),
        "{}",
        ended.stdout
    );
    world.fetch(&["--to", to]).ok();
    let requests = hub.requests();
    assert!(!requests.iter().any(|it| it.is_file(Side::Downloads, SHARD)));
    let link = Path::new(to).join("FramePackI2V_HY").join(SHARD);
    assert!(link.is_symlink());
    assert_eq!(look(Path::new(to), None).findings, []);
    world.run(&["verify", to]).ok();
}

#[test]
fn disk_with_plain_folders_is_found_by_any_of_them() {
    let world = World::of(&Hub::start());
    let disk = world.home().join("usb");
    write(&disk.join("HunyuanVideo"), HUNYUAN);
    write(&disk.join("FramePackI2V_HY"), ORIGINAL);
    write(&disk.join("flux_redux_bfl"), REDUX);
    let ended = world.run(&["import", disk.to_str().unwrap()]).ok();
    assert!(
        ended
            .stdout
            .contains(&format!("bundle: {}", disk.display()))
    );
    let one = disk.join("FramePackI2V_HY");
    let json = world
        .run(&["--json", "import", one.to_str().unwrap()])
        .ok()
        .json();
    assert_eq!(json["items"][0]["component"], "transformer");
    assert_eq!(json["items"].as_array().unwrap().len(), 1);
}

#[test]
fn folder_without_models_is_said_to_be_that() {
    let world = World::of(&Hub::start());
    let home = world.home().to_str().unwrap();
    world.run(&["import", home]).failed(4, "FP9111", &[home]);
    world
        .run(&["import", "/none"])
        .failed(1, "FP9109", &["/none"]);
    let demo = world.home().join("vae");
    fs::create_dir(&demo).unwrap();
    for (name, bytes) in whole("vae") {
        fs::write(demo.join(name), bytes).unwrap();
    }
    world.run(&["import", home]).ok();
}
