//! `run` with a daemon that is there: what it is told, and what becomes of the video.

use std::fs;

use framepack_ipc::control::{Request, Response, Stream, Submission, SubmitOutcome};
use framepack_jobs::{Job, JobSpec, JobState, Surroundings, settings::Farm};

use crate::{
    fake_daemon::{Talk, talk_with},
    fixtures::{YAML, cancelled, done, failed, job, running},
};

/// What a daemon answers whose job ends like this.
fn answers(end: Job) -> Vec<Response> {
    vec![
        Response::Submitted(Submission {
            job: Box::new(job(1, JobState::Queued)),
            outcome: SubmitOutcome::Created,
            settings_differ: Vec::new(),
        }),
        Response::Job(Box::new(job(1, running()))),
        Response::Job(Box::new(end)),
        Response::End,
    ]
}

#[test]
fn a_photo_and_a_prompt_are_a_job_file() {
    let prompt = "She says: \"äh\", and\n- smiles 猫";
    let arguments = ["run", "--image", "cat.jpg", "--prompt", prompt];
    let settings = ["--seconds", "2.5", "--set", "steps=7"];
    let arguments = [&arguments[..], &settings].concat();
    let files = [("cat.jpg", "")];
    let talk = talk_with(&arguments, "", &files, answers(job(1, done())));
    talk.ended
        .assert(0, "/outputs/cat-7.mp4\n", "job 1: section 2/4 step 18/25\n");
    let [Request::Submit(request), Request::Stream(Stream::Events(_))] = talk.requests.as_slice()
    else {
        panic!("{:?}", talk.requests);
    };
    let surroundings = Surroundings {
        file_stem: request.stem.clone(),
        bundle_latent_window: 9,
        farm: Farm::default(),
    };
    let parsed = JobSpec::parse(&request.yaml).unwrap();
    let spec = parsed.validate(&surroundings).unwrap().spec;
    assert_eq!(spec.prompt, prompt);
    assert!(spec.start.image.is_absolute(), "{:?}", spec.start);
    assert!(spec.start.image.ends_with("cat.jpg"), "{:?}", spec.start);
    assert_eq!(request.stem, "cat");
    assert_eq!(request.set, ["length.seconds=2.5", "steps=7"]);
}

#[test]
fn a_job_file_is_sent_as_it_is() {
    let files = [("cat.yaml", YAML)];
    let talk = talk_with(&["run", "cat.yaml"], "", &files, answers(job(1, done())));
    assert_eq!(talk.ended.code, 0);
    let Request::Submit(request) = &talk.requests[0] else {
        panic!("{:?}", talk.requests);
    };
    assert_eq!(request.yaml, YAML);
    assert!(request.set.is_empty());
}

#[test]
fn the_job_decides_the_exit_code() {
    for (state, code, told) in [
        (
            failed(),
            7,
            "error: cat.jpg is not an image [FP2004]\nhint: ",
        ),
        (cancelled(), 8, "job 1 is cancelled\n"),
    ] {
        let ended = talk_with(&["run", "-"], YAML, &[], answers(job(1, state))).ended;
        assert_eq!((ended.code, ended.stdout.as_str()), (code, ""));
        assert!(ended.stderr.contains(told), "{}", ended.stderr);
    }
}

#[test]
fn a_job_that_had_all_its_sections_when_it_was_cancelled_is_said_to_be_done() {
    let mut whole = job(1, done());
    whole.runs.keep_sections = true;
    let run = |arguments: &[&str]| {
        let arguments = [&["run", "-"], arguments].concat();
        talk_with(&arguments, YAML, &[], answers(whole.clone())).ended
    };
    let progress = "job 1: section 2/4 step 18/25\n";
    let said = "job 1 had all its sections; it is done";
    let expected = format!("{progress}warning: {said}\n");
    run(&[]).assert(0, "/outputs/cat-7.mp4\n", &expected);
    let json = run(&["--json"]).json();
    assert_eq!(json["warnings"], serde_json::json!([said]));
}

#[test]
fn the_video_is_also_put_where_it_is_wanted() {
    let outputs = tempfile::tempdir().unwrap();
    let video = outputs.path().join("cat-7.mp4");
    fs::write(&video, "frames").unwrap();
    let mut end = job(1, done());
    let JobState::Done { result, .. } = &mut end.state else {
        unreachable!("that is what it is made of")
    };
    result.video.clone_from(&video);
    let run = |arguments: &[&str], files: &[(&str, &str)]| {
        let arguments = [&["run", "-"], arguments].concat();
        talk_with(&arguments, YAML, files, answers(end.clone()))
    };
    let read = |talk: &Talk, name: &str| fs::read_to_string(talk.folder.path().join(name)).unwrap();

    let talk = run(&["-o", "mine.mp4"], &[]);
    assert_eq!(talk.ended.code, 0);
    assert!(talk.ended.stdout.ends_with("/mine.mp4\n"));
    assert_eq!(read(&talk, "mine.mp4"), "frames");
    assert!(video.exists(), "the daemon's own stays");
    let talk = run(&["-o", "."], &[("cat-7.mp4", "another")]);
    assert_eq!(read(&talk, "cat-7-2.mp4"), "frames");
    assert_eq!(read(&talk, "cat-7.mp4"), "another");

    // Refused before anything is submitted.
    let talk = run(&["-o", "mine.mp4"], &[("mine.mp4", "another")]);
    assert_eq!((talk.ended.code, talk.requests.len()), (10, 0));
    assert!(
        talk.ended.stderr.contains("[FP1017]"),
        "{}",
        talk.ended.stderr
    );
    assert_eq!(read(&talk, "mine.mp4"), "another");
    let talk = run(&["-o", "mine.mp4", "--force"], &[("mine.mp4", "another")]);
    assert_eq!(read(&talk, "mine.mp4"), "frames");
}

#[test]
fn a_command_line_that_says_nothing_or_too_much_is_refused() {
    for arguments in [
        &["run"][..],
        &["run", "a.yaml", "--image", "a.jpg"],
        &["run", "a.yaml", "--prompt", "x"],
        &["run", "a.yaml", "--force"],
    ] {
        let talk = talk_with(arguments, "", &[("a.yaml", YAML)], Vec::new());
        assert_eq!(talk.ended.code, 2, "{arguments:?}");
    }
    let talk = talk_with(&["run", "--image", "missing.jpg"], "", &[], Vec::new());
    assert_eq!((talk.ended.code, talk.requests.len()), (6, 0));
    assert!(
        talk.ended.stderr.contains("missing.jpg"),
        "{}",
        talk.ended.stderr
    );
}
