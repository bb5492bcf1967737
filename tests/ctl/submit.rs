//! `submit`, with and without `--wait`.

use framepack_ipc::{
    ErrorEnvelope,
    control::{Request, Response, Stream, Submission, SubmitOutcome},
};
use framepack_jobs::{Job, JobSpec, JobState};

use crate::{
    fake_daemon::{Talk, talk_with},
    fixtures::{YAML, done, failed, job, running},
};

fn submitted(job: Job, outcome: SubmitOutcome) -> Response {
    Response::Submitted(Submission {
        job: Box::new(job),
        outcome,
        settings_differ: Vec::new(),
    })
}

fn created() -> Response {
    submitted(job(1, JobState::Queued), SubmitOutcome::Created)
}

#[test]
fn the_files_text_and_folder_are_sent_and_the_job_is_printed() {
    let files = [("cat.yaml", YAML)];
    let Talk {
        requests,
        ended,
        folder,
    } = talk_with(&["submit", "cat.yaml"], "", &files, vec![created()]);
    ended.assert(0, "1\tqueued\t\tcat\t2026-11-23T05:16:08.000001Z\t\n", "");
    let [Request::Submit(request)] = requests.as_slice() else {
        panic!("{requests:?}");
    };
    assert_eq!(
        (request.yaml.as_str(), request.stem.as_str()),
        (YAML, "cat")
    );
    let sent = request.folder.canonicalize().unwrap();
    assert_eq!(sent, folder.path().canonicalize().unwrap());
}

#[test]
fn what_an_editor_puts_before_the_text_is_not_sent() {
    let marked = format!("\u{feff}{YAML}");
    let utf16 = marked.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [marked.clone().into_bytes(), utf16] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("猫が跳ぶ.yaml");
        std::fs::write(&file, bytes).unwrap();
        let talk = talk_with(
            &["submit", file.to_str().unwrap()],
            "",
            &[],
            vec![created()],
        );
        let [Request::Submit(request)] = talk.requests.as_slice() else {
            panic!("{:?}", talk.requests);
        };
        assert_eq!(
            (request.yaml.as_str(), request.stem.as_str()),
            (YAML, "猫が跳ぶ")
        );
    }
}

#[test]
fn a_dash_reads_standard_input() {
    let talk = talk_with(&["submit", "-", "--json=id"], YAML, &[], vec![created()]);
    assert_eq!(talk.ended.json(), serde_json::json!([{"id": 1}]));
    let [Request::Submit(request)] = talk.requests.as_slice() else {
        panic!("{:?}", talk.requests);
    };
    assert_eq!(
        (request.yaml.as_str(), request.stem.as_str()),
        (YAML, "stdin")
    );
}

#[test]
fn every_mistake_of_a_refused_file_is_told() {
    let mistakes = JobSpec::parse("api: framepack/v1\nstep: 5\nseed: often\n").unwrap_err();
    let refusal = Response::Error(ErrorEnvelope::from(&mistakes));
    talk_with(&["submit", "-"], "x", &[], vec![refusal.clone()])
        .ended
        .assert(
            6,
            "",
            "error: line 2, column 1: step: unknown key [FP2101]\n\
             hint: did you mean `steps`?\n\
             error: line 3, column 7: seed: expected auto, random or a whole number from 0 to 2^64-1; found `often` [FP2102]\n",
        );
    let ended = talk_with(&["submit", "-", "--json"], "x", &[], vec![refusal]).ended;
    assert_eq!(ended.code, 6);
    let json = ended.json();
    assert_eq!(json["error"]["path"], "step");
    assert_eq!(json["error"]["class"], "validation");
    assert_eq!(json["more"][0]["path"], "seed");
}

#[test]
fn a_duplicate_is_no_error_but_a_remark() {
    let answer = || submitted(job(1, done()), SubmitOutcome::Duplicate);
    let remark = "duplicate of job 1, which is done; another seed, name or key makes a new job";
    let ended = talk_with(&["submit", "-"], YAML, &[], vec![answer()]).ended;
    assert_eq!(
        (ended.code, ended.stderr),
        (0, format!("warning: {remark}\n"))
    );
    let ended = talk_with(&["submit", "-", "--json"], YAML, &[], vec![answer()]).ended;
    assert_eq!(ended.json()["warnings"], serde_json::json!([remark]));
    assert_eq!(ended.stderr, "");
}

#[test]
fn a_duplicate_under_other_farm_defaults_says_what_differs() {
    let Response::Submitted(mut submission) = submitted(job(1, done()), SubmitOutcome::Duplicate)
    else {
        unreachable!("that is what it is made of")
    };
    submission.settings_differ = vec!["steps: 25 instead of 20".to_owned()];
    let answer = Response::Submitted(submission);
    let ended = talk_with(&["submit", "-"], YAML, &[], vec![answer]).ended;
    let told = "warning: job 1 has other settings than this file would get with the current farm-wide defaults: steps: 25 instead of 20\n";
    assert!(ended.stderr.ends_with(told), "{}", ended.stderr);
}

#[test]
fn waiting_ends_with_the_jobs_own_result() {
    for (state, code) in [(done(), 0), (failed(), 7)] {
        let answers = vec![
            created(),
            Response::Job(Box::new(job(1, running()))),
            Response::Job(Box::new(job(1, state))),
            Response::End,
        ];
        let talk = talk_with(&["submit", "-", "--wait", "--json"], YAML, &[], answers);
        assert_eq!(talk.ended.code, code);
        assert_eq!(talk.ended.json()["items"][0]["id"], 1);
        assert_eq!(talk.ended.stderr, "job 1: section 2/4 step 18/25\n");
        assert!(matches!(
            talk.requests.as_slice(),
            [Request::Submit(_), Request::Stream(Stream::Events(_))]
        ));
    }
}
