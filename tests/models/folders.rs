//! `import` and `gc`: files of other programs, and files that nobody needs.

use std::{fs, path::Path};

use framepack_bundle::look;

use crate::{
    content::{HUNYUAN, ORIGINAL, REDUX, SHARD, hub_hash, repositories, whole},
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
        ended.stdout.contains(&format!("models fetch --to {to}")),
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
    assert_eq!(look(&world.cache(), None).findings, []);
    world.run(&["verify"]).ok();
}

#[test]
fn gc_leaves_what_a_fetch_is_at() {
    let (release, hang) = std::sync::mpsc::channel();
    let mut hang = Some(hang);
    let hub = Hub::with(move |request| {
        let is_shard = request.is_file(Side::Downloads, SHARD);
        is_shard
            .then(|| hang.take().map(|hang| crate::hub::Act::Hang(9000, hang)))
            .flatten()
    });
    let world = World::of(&hub);
    for to in [None, Some(world.home().join("plain"))] {
        let hash = hub_hash(SHARD, &repositories()[ORIGINAL].files[SHARD]);
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
        let child = world
            .command(&["fetch", "--retry-delay", "0"])
            .spawn()
            .unwrap();
        while fs::metadata(&partial).map_or(0, |it| it.len()) < 9000 {
            std::thread::yield_now();
        }
        world.run(&["gc"]).ok();
        assert!(partial.exists());
        release.send(()).unwrap();
        assert!(child.wait_with_output().unwrap().status.success());
    }
}
