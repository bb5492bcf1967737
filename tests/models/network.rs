//! Who is spoken to: tokens, proxies, nobody.

use std::fs;

use crate::{
    content::{HUNYUAN, ORIGINAL, SHARD},
    hub::{Act, Hub, Side},
    world::{Ended, World},
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
fn proxy_that_fails_is_named_with_its_variable() {
    let hub = Hub::start();
    let mut world = World::of(&hub);
    world.set("HF_ENDPOINT", "http://hub.invalid");
    for (variable, proxy, says) in [
        (
            "HTTP_PROXY",
            "http://127.0.0.1:1",
            "proxy 127.0.0.1:1 (HTTP_PROXY)",
        ),
        (
            "http_proxy",
            "u:secret@127.0.0.1:1",
            "proxy 127.0.0.1:1 (http_proxy)",
        ),
    ] {
        let mut command = world.command(&["fetch", "--retry-delay", "0", "--retries", "1"]);
        let ended: Ended = command.env(variable, proxy).output().unwrap().into();
        let ended = ended.failed(3, "FP9101", &["hub.invalid", says, "refused"]);
        assert!(!ended.stderr.contains("secret"), "{}", ended.stderr);
    }
    for (exception, is_direct) in [("127.0.0.0/8", true), ("127.0.0.1:1", false)] {
        let mut command = world.command(&["fetch", "--retry-delay", "0", "--retries", "1"]);
        command.env("HF_ENDPOINT", hub.endpoint());
        command.env("HTTP_PROXY", "http://127.0.0.1:1");
        let ended: Ended = command.env("NO_PROXY", exception).output().unwrap().into();
        assert_eq!(ended.code == Some(0), is_direct, "{}", ended.stderr);
    }
}

#[test]
fn proxy_that_wants_a_login_is_asked_once() {
    for (status, says, times) in [
        (407, "USER:PASSWORD", 1),
        (403, "allow CONNECT", 1),
        (502, "allow CONNECT", 3),
    ] {
        let proxy = Hub::refusing_to_connect(status);
        let mut world = World::of(&proxy);
        world.set("HF_ENDPOINT", "http://hub.invalid");
        world.set("ALL_PROXY", proxy.endpoint());
        let ended = world.fetch(&["--retries", "2"]);
        let status = status.to_string();
        ended.failed(3, "FP9101", &["(ALL_PROXY)", says, "hub.invalid", &status]);
        assert_eq!(proxy.requests().len(), times);
    }
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
    let ended = world.fetch(&["--timeout", "0.2"]).ok();
    let says = "no more bytes came in time (see --timeout)";
    assert!(ended.stderr.contains(says), "{}", ended.stderr);
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
    let dry = world.run(&["--json", "fetch", "--dry-run"]).ok().json();
    assert_eq!(dry["kind"], "ModelFile");
    let files = dry["items"].as_array().unwrap();
    assert_eq!(files.len(), 25);
    let mut shards = files.iter().filter(|it| it["path"] == SHARD);
    let shard = shards.next().unwrap();
    assert_eq!(shard["state"], "checked");
    assert_eq!(shard["missing_bytes"], 0);
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
