//! Answers that are not the bytes that were asked for: tried a few times more, never taken for the file, and told as what
//! they are.

use std::fs;

use crate::{
    content::{ORIGINAL, SHARD, VOCABULARY},
    hub::{Act, Hub, Side},
    world::{World, bytes_of},
};

/// What a server does for [`SHARD`] where `at` says so of the number of the answer.
fn odd(act: fn() -> Act, at: fn(usize) -> bool) -> Hub {
    let mut answers = 0;
    Hub::with(move |request| {
        if !request.is_file(Side::Downloads, SHARD) {
            return None;
        }
        answers += 1;
        at(answers).then(act)
    })
}

/// What a server does, and what is said of it.
type Case = (fn() -> Act, &'static str);

#[test]
fn odd_answers_are_told_as_what_they_are() {
    let page = || Act::Body(b"<html>".to_vec());
    let packed = || Act::Headers("Content-Encoding: gzip\r\n");
    let unsaid = || Act::Status(206, "");
    let other = || Act::Status(206, "Content-Range: bytes 7-9/10\r\n");
    let cases: [Case; 4] = [
        (page, "6 bytes of text/html"),
        (packed, "packed by gzip"),
        (unsaid, "without saying which"),
        (other, "as bytes 7-9/10"),
    ];
    for (act, says) in cases {
        let hub = odd(act, |_| true);
        let host = "of 127.0.0.1:";
        World::of(&hub)
            .fetch(&[])
            .failed(12, "FP9105", &[SHARD, host, says]);
        let asked = hub.requests();
        let asked = asked.iter().filter(|it| it.is_file(Side::Downloads, SHARD));
        assert_eq!(asked.count(), 4, "{says}");
        // Twice is not too often.
        let world = World::of(&odd(act, |answer| answer <= 2));
        world.fetch(&[]).ok();
        world.assert_fetched(ORIGINAL);
    }
}

#[test]
fn file_that_is_shorter_on_the_server_is_asked_for_from_the_start() {
    // As long as a range is asked for.
    let hub = Hub::with(|request| {
        let is_rest = request.is_file(Side::Downloads, SHARD) && request.header("range").is_some();
        is_rest.then_some(Act::Status(416, ""))
    });
    let world = World::of(&hub);
    let shard = bytes_of(ORIGINAL, SHARD);
    let partial = world.shard_partial();
    fs::create_dir_all(partial.parent().unwrap()).unwrap();
    fs::write(&partial, &shard[..5000]).unwrap();
    world.fetch(&[]).ok();
    world.assert_fetched(ORIGINAL);
}

#[test]
fn part_is_kept_while_nothing_better_comes() {
    let hub = odd(|| Act::Status(416, ""), |_| true);
    let world = World::of(&hub);
    let shard = bytes_of(ORIGINAL, SHARD);
    let partial = world.shard_partial();
    fs::create_dir_all(partial.parent().unwrap()).unwrap();
    fs::write(&partial, &shard[..5000]).unwrap();
    world.fetch(&[]).failed(12, "FP9105", &[SHARD, "416"]);
    assert!(fs::read(&partial).unwrap() == shard[..5000]);
}

#[test]
fn connection_that_drips_is_given_up() {
    let hub = odd(|| Act::Drip, |_| true);
    let world = World::of(&hub);
    let arguments = ["--timeout", "0.2", "--retries", "2"];
    world
        .fetch(&arguments)
        .failed(3, "FP9101", &["too slowly", SHARD, "127.0.0.1:"]);
    assert!(fs::metadata(world.shard_partial()).unwrap().len() > 0);
}

#[test]
fn redirect_to_what_is_no_http_is_named_at_once() {
    for to in ["ftp://mirror.example/file", "file:///etc/passwd"] {
        let headers = if to.starts_with("ftp") {
            "Location: ftp://mirror.example/file\r\n"
        } else {
            "Location: file:///etc/passwd\r\n"
        };
        let hub = Hub::with(move |request| {
            let is_it = request.is_file(Side::Hub, VOCABULARY);
            is_it.then_some(Act::Status(302, headers))
        });
        World::of(&hub)
            .fetch(&[])
            .failed(12, "FP9105", &[VOCABULARY, to]);
        let asked = hub.requests();
        let asked = asked.iter().filter(|it| it.is_file(Side::Hub, VOCABULARY));
        assert_eq!(asked.count(), 1);
    }
}

#[test]
fn file_whose_host_can_not_be_reached_is_named() {
    let hub = Hub::with(|request| {
        let is_it = request.is_file(Side::Hub, SHARD);
        is_it.then_some(Act::Status(302, "Location: http://127.0.0.1:1/file\r\n"))
    });
    let ended = World::of(&hub).fetch(&["--retries", "0"]);
    ended.failed(3, "FP9101", &["127.0.0.1:1 can't be reached", SHARD]);
}

#[test]
fn listing_without_an_end_is_an_error() {
    let around =
        "Link: </api/models/lllyasviel/FramePackI2V_HY/tree/main?cursor=2>; rel=\"next\"\r\n";
    let hub = Hub::with(move |request| {
        let is_second = request.query.contains("cursor=2");
        is_second.then_some(Act::Headers(around))
    });
    World::of(&hub)
        .fetch(&[])
        .failed(12, "FP9105", &[ORIGINAL, "more than 100 pages"]);
}
