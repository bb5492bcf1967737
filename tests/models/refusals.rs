//! A Hub that says no: what the user is told, and what is tried again.

use std::time::{Duration, Instant};

use crate::{
    content::{HUNYUAN, ORIGINAL, SHARD, VOCABULARY},
    hub::{Act, Hub, Request, Side},
    world::World,
};

/// A Hub that answers so for a file, the first `times`.
fn refusing(path: &'static str, status: u16, headers: &'static str, times: usize) -> Hub {
    let mut left = times;
    Hub::with(move |request: &Request| {
        let is_refused = request.is_file(Side::Hub, path) && left > 0;
        is_refused.then(|| {
            left -= 1;
            Act::Status(status, headers)
        })
    })
}

#[test]
fn without_a_login_it_is_said_how_to_get_one() {
    for status in [401, 403] {
        let hub = refusing(
            SHARD,
            status,
            "X-Error-Message: Access is restricted\r\n",
            usize::MAX,
        );
        let world = World::of(&hub);
        let says = [
            ORIGINAL,
            SHARD,
            "Access is restricted",
            "HF_TOKEN",
            "licence",
        ];
        world.fetch(&[]).failed(5, "FP9103", &says);
        let asked = hub.requests();
        let asked = asked.iter().filter(|it| it.is_file(Side::Hub, SHARD));
        assert_eq!(asked.count(), 1, "not asked again");
    }
}

#[test]
fn login_that_does_not_do_is_told_from_none() {
    let hub = refusing(SHARD, 403, "", usize::MAX);
    let mut world = World::of(&hub);
    world.set("HF_TOKEN", "hf_secret");
    let ended = world
        .fetch(&[])
        .failed(5, "FP9103", &["accept its licence there"]);
    assert!(!ended.stderr.contains("hf_secret"));
}

#[test]
fn missing_file_and_missing_repository_are_named() {
    let hub = refusing(SHARD, 404, "", usize::MAX);
    let world = World::of(&hub);
    world
        .fetch(&[])
        .failed(4, "FP9104", &[ORIGINAL, SHARD, "404"]);
    hub.script(|_| None);
    hub.change(|repositories| drop(repositories.remove(HUNYUAN)));
    world.fetch(&[]).failed(4, "FP9104", &[HUNYUAN, "404"]);
}

#[test]
fn repository_without_a_needed_part_is_named_before_anything_is_fetched() {
    let hub = Hub::start();
    hub.change(|repositories| {
        let files = &mut repositories.get_mut(HUNYUAN).unwrap().files;
        files.retain(|path, _| !path.starts_with("vae/"));
    });
    let world = World::of(&hub);
    world
        .fetch(&[])
        .failed(4, "FP9104", &["vae in hunyuanvideo-community/HunyuanVideo"]);
    assert!(!world.cache().exists());
}

#[test]
fn busy_hub_is_asked_again_when_it_wants_to_be() {
    for (status, headers) in [(429, "Retry-After: 0\r\n"), (500, ""), (503, ""), (504, "")] {
        let hub = refusing(VOCABULARY, status, headers, 3);
        let world = World::of(&hub);
        let ended = world.fetch(&[]).ok();
        let told = ended.stderr.matches("trying again").count();
        assert_eq!(told, 3, "{}", ended.stderr);
    }
}

#[test]
fn hub_that_stays_busy_is_given_up() {
    let hub = refusing(VOCABULARY, 429, "Retry-After: 0\r\n", usize::MAX);
    let world = World::of(&hub);
    world
        .fetch(&["--retries", "2"])
        .failed(3, "FP9102", &["429", VOCABULARY]);
    let asked = hub.requests();
    let asked = asked.iter().filter(|it| it.is_file(Side::Hub, VOCABULARY));
    assert_eq!(asked.count(), 3);
}

#[test]
fn hub_that_wants_to_be_left_alone_for_an_hour_is() {
    let hub = refusing(VOCABULARY, 429, "Retry-After: 3600\r\n", usize::MAX);
    World::of(&hub).fetch(&[]).failed(3, "FP9102", &["429"]);
}

#[test]
fn failure_for_good_is_told_while_others_wait_to_be_asked_again() {
    let mut waits = false;
    let hub = Hub::with(move |request| {
        if request.is_file(Side::Hub, SHARD) {
            waits = true;
            return Some(Act::Status(429, "Retry-After: 200\r\n"));
        }
        let is_missing = request.is_file(Side::Hub, "vae/config.json");
        is_missing.then_some(if waits {
            Act::Status(404, "")
        } else {
            Act::Close
        })
    });
    let begun = Instant::now();
    let arguments = ["--jobs", "8", "--retries", "1000000"];
    World::of(&hub)
        .fetch(&arguments)
        .failed(4, "FP9104", &["vae/config.json"]);
    assert!(begun.elapsed() < Duration::from_secs(100));
}

#[test]
fn hub_that_names_a_day_far_off_is_given_up() {
    let date = "Retry-After: Thu, 31 Dec 2099 23:59:59 GMT\r\n";
    let hub = refusing(VOCABULARY, 503, date, 1);
    World::of(&hub).fetch(&[]).failed(3, "FP9102", &["503"]);
}

#[test]
fn something_else_in_the_hubs_place_is_told() {
    let hub = Hub::with(|request| {
        let is_info = request.path.starts_with("/api/");
        is_info.then(|| Act::Body(b"<html>Sign in to the hotel's network</html>".to_vec()))
    });
    World::of(&hub)
        .fetch(&[])
        .failed(12, "FP9105", &["HF_ENDPOINT"]);
}
