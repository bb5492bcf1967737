//! `preview`: a picture in a file, on a terminal, or none.

use std::fs;

use base64::{Engine, prelude::BASE64_STANDARD};
use framepack_ipc::{
    ErrorBody,
    control::{Request, Response, SelectRequest},
    preview::{Preview, PreviewKind, PreviewRequest},
};
use framepack_jobs::{Code, JobId};

use crate::{
    fake_daemon::{Talk, talk},
    fixtures::{done, job, running},
};

/// A grey pixel.
const PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNoaGgAAAMEAYFL09IQAAAAAElFTkSuQmCC";

fn jobs(state: framepack_jobs::JobState) -> Response {
    Response::Jobs {
        jobs: vec![job(1, state)],
    }
}

fn preview(of: &str) -> Response {
    Response::Preview(Preview {
        media_type: "image/png".to_owned(),
        of: of.to_owned(),
        width_px: 1,
        height_px: 1,
        frames: 1,
        data: PIXEL.to_owned(),
    })
}

/// What `preview` comes to for a running job.
fn shown(arguments: &[&str]) -> Talk {
    let arguments = [&["preview", "cat"], arguments].concat();
    talk(
        &arguments,
        vec![jobs(running()), preview("section 2/4 step 18/25")],
    )
}

#[test]
fn a_picture_goes_into_a_file() {
    let talked = shown(&["--out", "F.png"]);
    let caption = "job 1 (cat): section 2/4 step 18/25\n";
    talked.ended.assert(0, "F.png\n", caption);
    let written = fs::read(talked.folder.path().join("F.png")).unwrap();
    assert_eq!(BASE64_STANDARD.encode(written), PIXEL);
    let expected = [
        Request::Show(SelectRequest {
            jobs: vec!["cat".parse().unwrap()],
        }),
        Request::Preview(PreviewRequest {
            job: JobId(1),
            kind: PreviewKind::Latest,
        }),
    ];
    assert_eq!(talked.requests, expected);
}

#[test]
fn off_a_terminal_a_picture_needs_a_file() {
    let talked = shown(&[]);
    assert_eq!(talked.requests, []);
    talked.ended.assert(
        2,
        "",
        "error: standard output shows no pictures [FP1001]\n\
         hint: write it to a file with `--out FILE.png`, or say with `--as` how pictures are shown\n",
    );
}

#[test]
fn each_protocol_shows_it() {
    let caption = "job 1 (cat): section 2/4 step 18/25\n";
    let blocks = shown(&["--as", "blocks"]).ended;
    assert_eq!(blocks.code, 0);
    assert!(blocks.stdout.contains("▀\x1b[0m\n"), "{}", blocks.stdout);
    assert!(blocks.stdout.ends_with(caption), "{}", blocks.stdout);
    let kitty = shown(&["--as", "kitty"]).ended.stdout;
    assert!(kitty.starts_with("\x1b_Ga=T,f=100,"), "{kitty}");
    assert!(kitty.contains(PIXEL) && kitty.ends_with(caption), "{kitty}");
    let sixel = shown(&["--as", "sixel"]).ended.stdout;
    assert!(sixel.starts_with("\x1bP0;1q\"1;1;3;3#0;2;0;0;0"), "{sixel}");
    assert!(sixel.ends_with(&format!("\x1b\\\n{caption}")), "{sixel}");
}

#[test]
fn json_is_the_message() {
    let json = shown(&["--json"]).ended.json();
    assert_eq!(json["kind"], "Preview");
    assert_eq!(json["items"][0]["of"], "section 2/4 step 18/25");
    assert_eq!(json["items"][0]["data"], PIXEL);
}

#[test]
fn a_watched_job_is_shown_until_its_end() {
    let none = ErrorBody::new(Code::NO_PREVIEW, "job 1 has no picture yet: it is running");
    let answers = vec![
        jobs(running()),
        Response::Error(none.clone().into()),
        jobs(running()),
        preview("section 4/4"),
        jobs(done()),
        preview("section 4/4"),
    ];
    let talked = talk(&["preview", "1", "--watch", "--out", "F.png"], answers);
    // The same picture is not shown twice.
    let caption = "job 1 (cat): section 4/4\n";
    talked.ended.assert(0, "F.png\n", caption);

    let answers = vec![jobs(running()), Response::Error(none.into())];
    let ended = talk(&["preview", "1", "--out", "F.png"], answers).ended;
    assert_eq!(ended.code, 4);
    assert!(
        ended
            .stderr
            .starts_with("error: job 1 has no picture yet: it is running [FP1025]\n"),
        "{}",
        ended.stderr
    );
}
