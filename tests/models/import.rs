//! `import`: files of other programs.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::Path,
};

use crate::{
    content::{F1, HUNYUAN, ORIGINAL, REDUX, SHARD, whole},
    hub::{Hub, Side},
    world::{Ended, World, faults, write},
};

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
        assert_eq!(faults(from), []);
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
    for says in [
        &*format!("nothing was changed; `framepackctl models import {from} --to DIR`"),
        "`framepackctl models fetch original --to DIR` would then get the rest: vae, text_encoder,",
    ] {
        assert!(ended.stdout.contains(says), "{says:?}: {}", ended.stdout);
    }

    let to = world.home().join("bundle");
    let to = to.to_str().unwrap();
    let ended = world.run(&["import", from, "--to", to]).ok();
    assert!(
        ended
            .stdout
            .contains(&format!("models fetch original --to {to}")),
        "{}",
        ended.stdout
    );
    world.fetch(&["--to", to]).ok();
    let requests = hub.requests();
    assert!(!requests.iter().any(|it| it.is_file(Side::Downloads, SHARD)));
    let link = Path::new(to).join("FramePackI2V_HY").join(SHARD);
    assert!(link.is_symlink());
    assert_eq!(faults(Path::new(to)), []);
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
fn deep_folders_and_those_behind_links_are_found() {
    let world = World::of(&Hub::start());
    let disk = world.home().join("usb");
    let deep = disk.join("backup/2025/home/user/ComfyUI/models/diffusers/lllyasviel");
    write(&deep.join("FramePackI2V_HY"), ORIGINAL);
    let other = world.home().join("other disk/FramePack_F1_I2V_HY_20250503");
    write(&other, F1);
    let links = disk.join("backup/links");
    fs::create_dir(&links).unwrap();
    symlink(other.parent().unwrap(), links.join("models")).unwrap();
    symlink(&disk, links.join("around")).unwrap();
    let json = world.run(&["--json", "import", disk.to_str().unwrap()]);
    let json = json.ok().json();
    let folders: Vec<&str> = json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["folder"].as_str().unwrap())
        .collect();
    assert_eq!(folders.len(), 2, "{folders:?}");
    assert!(folders[0].ends_with("lllyasviel/FramePackI2V_HY"));
    assert!(folders[1].ends_with("links/models/FramePack_F1_I2V_HY_20250503"));
}

#[test]
fn whole_part_is_taken_before_one_that_lacks_a_file() {
    let world = World::of(&Hub::start());
    let disk = world.home().join("usb");
    let broken = disk.join("a/FramePackI2V_HY");
    write(&broken, ORIGINAL);
    fs::remove_file(broken.join(SHARD)).unwrap();
    let from = disk.to_str().unwrap();
    let ended = world.run(&["import", from]).ok();
    for says in ["incomplete", &format!("shard {SHARD} is missing")] {
        assert!(ended.stdout.contains(says), "{says}: {}", ended.stdout);
    }
    write(&disk.join("z/deeper/FramePackI2V_HY"), ORIGINAL);
    let json = world.run(&["--json", "import", from]).ok().json();
    let row = &json["items"][0];
    assert_eq!(row["state"], "complete");
    assert!(row["folder"].as_str().unwrap().contains("z/deeper"));
}

#[test]
fn part_that_lacks_a_file_is_linked_and_gets_the_file() {
    let hub = Hub::start();
    let world = World::of(&hub);
    let disk = world.home().join("usb");
    let broken = disk.join("FramePackI2V_HY");
    write(&broken, ORIGINAL);
    fs::remove_file(broken.join(SHARD)).unwrap();
    let to = world.home().join("it is mine");
    let (from, dir) = (disk.to_str().unwrap(), to.to_str().unwrap());
    let ended = world.run(&["import", from, "--to", dir]).ok();
    let command = format!("`framepackctl models fetch original --to '{dir}'`");
    let rest = format!("{command} gets the rest: transformer, vae,");
    assert!(ended.stdout.contains(&rest), "{}", ended.stdout);
    world.fetch(&["--to", dir]).ok();
    let requests = hub.requests().into_iter();
    let weights = requests.filter(|it| it.side == Side::Downloads && it.path.contains(ORIGINAL));
    assert_eq!(weights.count(), 1);
    assert_eq!(faults(&to), []);
}

#[test]
fn whole_part_in_other_files_than_the_hubs_is_not_fetched() {
    let hub = Hub::start();
    let world = World::of(&hub);
    let (disk, to) = (world.home().join("usb"), world.home().join("bundle"));
    write(&disk.join("FramePackI2V_HY"), ORIGINAL);
    hub.change(|repositories| {
        let files = &mut repositories.get_mut(ORIGINAL).unwrap().files;
        let index = "diffusion_pytorch_model.safetensors.index.json";
        files.get_mut(index).unwrap().push(b'\n');
    });
    let (from, to) = (disk.to_str().unwrap(), to.to_str().unwrap());
    world.run(&["import", from, "--to", to]).ok();
    let ended = world.fetch(&["--to", to]).ok();
    let says = format!("{to}/FramePackI2V_HY is not compared with the Hub\n");
    assert!(ended.stdout.contains(&says), "{}", ended.stdout);
    let requests = hub.requests();
    let is_weights = |path: &str| path.contains(ORIGINAL) && path.contains("pytorch_model");
    assert!(!requests.iter().any(|it| is_weights(&it.path)));
}

#[test]
fn whole_part_that_is_linked_stays_as_it_is() {
    let world = World::of(&Hub::start());
    let (disk, to) = (world.home().join("usb"), world.home().join("bundle"));
    let part = to.join("FramePackI2V_HY");
    for (name, bytes) in whole("transformer") {
        fs::create_dir_all(&part).unwrap();
        fs::write(part.join(name), bytes).unwrap();
    }
    let broken = disk.join("FramePackI2V_HY");
    write(&broken, ORIGINAL);
    fs::remove_file(broken.join(SHARD)).unwrap();
    let (from, to) = (disk.to_str().unwrap(), to.to_str().unwrap());
    let ended = world.run(&["import", from, "--to", to]).ok();
    assert!(ended.stdout.contains("gets the rest: vae, text_encoder,"));
    assert_eq!(fs::read_dir(part).unwrap().count(), 2);
}

#[test]
fn f1_alone_is_told_as_that() {
    let world = World::of(&Hub::start());
    let disk = world.home().join("usb");
    write(&disk.join("FramePack_F1_I2V_HY_20250503"), F1);
    let from = disk.to_str().unwrap();
    let ended = world.run(&["import", from]).ok();
    let command = "`framepackctl models fetch f1 --to DIR` would then get the rest: vae,";
    assert!(ended.stdout.contains(command), "{}", ended.stdout);
    write(&disk.join("HunyuanVideo"), HUNYUAN);
    write(&disk.join("flux_redux_bfl"), REDUX);
    let ended = world.run(&["import", from]).ok();
    let line = format!("bundle: {from}\n");
    assert!(ended.stdout.ends_with(&line), "{}", ended.stdout);
}

#[test]
fn cache_of_the_hub_is_no_folder_for_links() {
    let world = World::of(&Hub::start());
    let disk = world.home().join("usb");
    write(&disk.join("FramePackI2V_HY"), ORIGINAL);
    let (disk, cache) = (disk.to_str().unwrap(), world.cache());
    let import = |to: &Path| world.run(&["import", disk, "--to", to.to_str().unwrap()]);
    let cached = cache.to_str().unwrap();
    // A fetch would make it one.
    import(&cache).failed(2, "FP1001", &[cached]);
    assert!(!cache.exists());
    world.fetch(&[]).ok();
    for to in [&cache, cache.parent().unwrap()] {
        import(to).failed(2, "FP1001", &[cached]);
    }
}

#[test]
fn links_beside_a_cache_of_other_models_are_known_to_the_next_fetch() {
    let hub = Hub::start();
    let world = World::of(&hub);
    let disk = world.home().join("usb");
    write(&disk.join("FramePackI2V_HY"), ORIGINAL);
    let to = world.home().join("ai");
    fs::create_dir_all(to.join("hub/models--other--thing")).unwrap();
    let (disk, to) = (disk.to_str().unwrap(), to.to_str().unwrap());
    world.run(&["import", disk, "--to", to]).ok();
    world.fetch(&["--to", to]).ok();
    let requests = hub.requests();
    assert!(!requests.iter().any(|it| it.is_file(Side::Downloads, SHARD)));
    assert!(Path::new(to).join("HunyuanVideo/vae/config.json").exists());
}

#[test]
fn name_that_is_no_text_is_a_name() {
    let world = World::of(&Hub::start());
    let disk = world.home().join(OsStr::from_bytes(b"usb \xff"));
    write(&disk.join("FramePackI2V_HY"), ORIGINAL);
    for command in ["import", "ls", "verify", "gc"] {
        let mut command = world.command(&[command]);
        let ended: Ended = command.arg(&disk).output().unwrap().into();
        assert!(!ended.stderr.contains("FP9109"), "{}", ended.stderr);
        assert!(ended.stdout.contains("usb"), "{}", ended.stdout);
    }
    let mut command = world.command(&["fetch", "--to"]);
    let ended: Ended = command.arg(&disk).output().unwrap().into();
    ended.ok();
    assert_eq!(faults(&disk), []);
}

#[test]
fn json_has_what_to_do_then() {
    let world = World::of(&Hub::start());
    let (disk, to) = (world.home().join("usb"), world.home().join("bundle"));
    write(&disk.join("FramePackI2V_HY"), ORIGINAL);
    let (from, to) = (disk.to_str().unwrap(), to.to_str().unwrap());
    let json = world.run(&["--json", "import", from]).ok().json();
    assert_eq!(json["kind"], "ModelPart");
    assert!(json["configuration"].is_null());
    let commands = [
        format!("framepackctl models import {from} --to DIR"),
        "framepackctl models fetch original --to DIR".to_owned(),
    ];
    assert_eq!(json["commands"], serde_json::json!(commands));
    write(&disk.join("HunyuanVideo"), HUNYUAN);
    write(&disk.join("flux_redux_bfl"), REDUX);
    let json = world
        .run(&["--json", "import", from, "--to", to])
        .ok()
        .json();
    assert_eq!(json["configuration"], format!("models:\n  bundle: {to}"));
    assert_eq!(json["commands"], serde_json::json!([]));
}
