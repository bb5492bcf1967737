//! What the environment says of the user's places and token.

use std::{
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    content::ORIGINAL,
    hub::Hub,
    world::{Ended, World, faults},
};

fn ended(command: &mut Command) -> Ended {
    command.output().unwrap().into()
}

#[test]
fn named_folder_needs_no_home() {
    let world = World::of(&Hub::start());
    let to = world.home().join("here");
    let dir = to.to_str().unwrap();
    for arguments in [
        &["fetch", "--to", dir][..],
        &["fetch", "--to", dir],
        &["ls", dir],
        &["verify", dir],
        &["gc", dir],
        &["import", dir],
    ] {
        let mut command = world.command(arguments);
        command.env_remove("HOME").env_remove("HF_HOME");
        ended(command.env("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")).ok();
    }
    assert_eq!(faults(&to), []);
}

#[test]
fn cache_is_where_the_hubs_own_client_has_it() {
    let hub = Hub::start();
    let world = World::of(&hub);
    let home = world.home();
    for (value, place) in [
        (OsStr::new("~"), home.to_owned()),
        (OsStr::new("$HOME/y"), home.join("y")),
        (
            OsStr::from_bytes(b"${HOME}/\xff"),
            home.join(OsStr::from_bytes(b"\xff")),
        ),
    ] {
        let working = tempfile::tempdir().unwrap();
        let fetch = |arguments: &[&str]| {
            let mut command = world.command(&[&["fetch"], arguments].concat());
            command.env("HF_HOME", value).current_dir(&working);
            ended(&mut command).ok()
        };
        fetch(&[]);
        let repository = format!("hub/models--{}", ORIGINAL.replace('/', "--"));
        assert!(place.join(repository).is_dir(), "{}", place.display());
        assert_eq!(entries(working.path()), Vec::<PathBuf>::new());
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn token_that_is_none_is_told_before_anybody_is_asked() {
    let hub = Hub::start();
    let mut world = World::of(&hub);
    for bad in [&b"hf_\xc3\xbc"[..], b"hf_\xff", b"hf_a b", b"hf_a\x1bb"] {
        let mut command = world.command(&["fetch"]);
        let ended = ended(command.env("HF_TOKEN", OsStr::from_bytes(bad)));
        let ended = ended.failed(2, "FP1001", &["HF_TOKEN", "copy the token again"]);
        assert!(!ended.stderr.contains("hf_"), "{}", ended.stderr);
    }
    let file = world.home().join("token");
    fs::write(&file, b"hf_\xff").unwrap();
    world.set("HF_TOKEN_PATH", file.to_str().unwrap());
    world
        .fetch(&[])
        .failed(2, "FP1001", &[file.to_str().unwrap(), "hf auth login"]);
    assert!(hub.requests().is_empty());
    // What asks nobody needs none.
    fs::create_dir_all(world.cache()).unwrap();
    world.run(&["ls"]).ok();
    world.set("HF_TOKEN", "hf_a\nb\r\n");
    world.fetch(&[]).ok();
    let mut requests = hub.requests().into_iter();
    let bearer = Some("Bearer hf_ab");
    assert!(requests.any(|it| it.header("authorization") == bearer));
}

#[test]
fn file_of_certificates_that_has_none_is_named() {
    let world = World::of(&Hub::start());
    let empty = world.home().join("empty.pem");
    fs::write(&empty, "").unwrap();
    let empty = empty.to_str().unwrap();
    for (variable, path, says) in [
        ("SSL_CERT_FILE", "/none/ca.pem", "No such file"),
        ("SSL_CERT_FILE", empty, "has no certificate"),
        ("SSL_CERT_DIR", "/none/certs", "No such file"),
    ] {
        let mut command = world.command(&["fetch"]);
        command.env("HF_ENDPOINT", "https://127.0.0.1:1");
        ended(command.env(variable, path)).failed(2, "FP1001", &[variable, path, says]);
    }
}
