//! Who is spoken to: tokens, proxies, nobody.

use std::fs;

use crate::{
    content::{HUNYUAN, ORIGINAL, SHARD},
    hub::{Act, Hub, Side},
    world::World,
};

#[test]
fn token_is_for_the_hub_and_nobody_else() {
    let hub = Hub::start();
    let mut world = World::of(&hub);
    fs::create_dir_all(world.home().join("hf")).unwrap();
    fs::write(world.home().join("hf/token"), "hf_file\n").unwrap();
    world.fetch(&["f1"]).ok();
    let expect = |token: Option<&str>| {
        let requests = hub.requests();
        let of = |side| requests.iter().filter(move |it| it.side == side);
        assert!(of(Side::Hub).all(|it| it.header("authorization") == token));
        assert!(of(Side::Downloads).all(|it| it.header("authorization").is_none()));
        assert!(of(Side::Hub).count() > 8 && of(Side::Downloads).count() > 2);
    };
    expect(Some("Bearer hf_file"));
    world.set("HF_TOKEN", "hf_said");
    fs::remove_dir_all(world.cache()).unwrap();
    world.fetch(&[]).ok();
    expect(Some("Bearer hf_said"));
    world.set("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1");
    fs::remove_dir_all(world.cache()).unwrap();
    world.fetch(&[]).ok();
    expect(None);
}

#[test]
fn proxy_is_asked_for_everything_but_what_is_excepted() {
    let proxy = Hub::start();
    let hub = Hub::start();
    let mut world = World::of(&hub);
    world.set("HF_ENDPOINT", "http://hub.invalid");
    world.set("HTTP_PROXY", proxy.endpoint());
    world.set("NO_PROXY", "127.0.0.1");
    world.fetch(&[]).ok();
    let asked = proxy.requests();
    assert!(asked.iter().any(|it| it.is_file(Side::Hub, SHARD)));
    assert!(asked.iter().any(|it| it.is_file(Side::Downloads, SHARD)));

    world.set("HF_ENDPOINT", hub.endpoint());
    fs::remove_dir_all(world.cache()).unwrap();
    world.fetch(&[]).ok();
    assert!(proxy.requests().is_empty());
    assert!(!hub.requests().is_empty());

    world.set("HTTP_PROXY", "nonsense://");
    world.fetch(&[]).failed(2, "FP1001", &["HTTP_PROXY"]);
}

#[test]
fn hub_that_is_not_there_is_said() {
    let mut world = World::of(&Hub::start());
    world.set("HF_ENDPOINT", "http://127.0.0.1:1");
    world
        .fetch(&["--retries", "1"])
        .failed(3, "FP9101", &["127.0.0.1:1", "HF_ENDPOINT"]);
    world.set("HF_ENDPOINT", "hub.example");
    world.fetch(&[]).failed(2, "FP1001", &["HF_ENDPOINT"]);
}

#[test]
fn silent_server_is_a_broken_connection() {
    let (_hold, hub) = Hub::hanging(100);
    let world = World::of(&hub);
    world.fetch(&["--timeout", "0.2"]).ok();
}

#[test]
fn no_time_and_no_files_at_a_time_are_refused() {
    let world = World::of(&Hub::start());
    for (option, says) in [
        ("--timeout", "no answer comes in 0 seconds"),
        ("--jobs", "at least 1 file"),
    ] {
        let ended = world.fetch(&[option, "0"]);
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(ended.stderr.contains(says), "{}", ended.stderr);
    }
}

#[test]
fn redirects_in_a_circle_end() {
    let hub = Hub::with(|request| {
        let is_shard = request.path.ends_with(SHARD);
        is_shard.then_some(Act::Status(
            302,
            "Location: /around/diffusion_pytorch_model-00002-of-00003.safetensors\r\n",
        ))
    });
    World::of(&hub)
        .fetch(&[])
        .failed(12, "FP9105", &["redirects"]);
}

#[test]
fn offline_uses_what_is_there_and_asks_nobody() {
    let hub = Hub::start();
    let mut world = World::of(&hub);
    world.fetch(&[]).ok();
    hub.requests();
    world.set("HF_HUB_OFFLINE", "1");
    let ended = world.fetch(&[]).ok();
    assert!(ended.stdout.contains("bundle: "));
    // Other programs that fetch by commit leave no reference.
    let reference = world.repository(ORIGINAL).join("refs/main");
    let commit = fs::read_to_string(&reference).unwrap();
    fs::remove_file(&reference).unwrap();
    world.fetch(&[]).ok();
    assert_eq!(fs::read_to_string(&reference).unwrap(), commit);
    fs::remove_dir_all(world.repository(HUNYUAN).join("snapshots")).unwrap();
    world
        .fetch(&[])
        .failed(3, "FP9106", &["no vae", "HF_HUB_OFFLINE"]);
    assert!(hub.requests().is_empty());
}
