//! `edit` and `set`: what an editor does, what is asked of the daemon, and what a user sees on a terminal.

use std::{fs, path::Path, process::Command};

use framepack_ipc::{
    ErrorBody,
    control::{Request, Response},
    edit::{EditRequest, Edited, JobFile, JobFileRequest, SetOf, SetRequest},
    queue::{ChangeOutcome, Changed},
};
use framepack_jobs::{Code, Job, JobId, JobState};

use crate::{
    Ended,
    fake_daemon::{listen, talk},
    fixtures::{YAML, job},
    framepackctl,
    terminal::{Size, Terminal},
};

fn job_file() -> Response {
    Response::JobFile(JobFile {
        job: JobId(1),
        yaml: YAML.to_owned(),
    })
}

fn edited(job: Job, outcome: ChangeOutcome, remark: Option<&str>) -> Response {
    let changed = Changed {
        job: Box::new(job),
        outcome,
        remark: remark.map(str::to_owned),
    };
    let errors = Vec::new();
    Response::Edited {
        jobs: vec![Edited { changed, errors }],
    }
}

fn taken() -> Response {
    edited(job(1, JobState::Queued), ChangeOutcome::Changed, None)
}

fn refused() -> Response {
    let error = ErrorBody::new(Code::OUT_OF_RANGE, "line 4: steps: 0 is out of range");
    Response::Error(error.into())
}

/// `edit 1`, with this shell script as the editor.
fn edit(folder: &Path, script: &str) -> Command {
    fs::create_dir(folder.join("tmp")).unwrap();
    fs::write(folder.join("editor"), script).unwrap();
    let mut command = framepackctl(folder, &["edit", "1"]);
    command
        .env_remove("VISUAL")
        .env("EDITOR", "sh editor")
        .env("TMPDIR", folder.join("tmp"));
    command
}

/// Runs a command in a terminal in which this is typed. Returns its code and all that it wrote.
fn on_terminal(command: &Command, typed: &str) -> (i32, String) {
    let size = Size {
        columns: 80,
        lines: 24,
    };
    let mut terminal = Terminal::start(size, command);
    terminal.press(typed);
    let left = terminal.ended();
    (left.code, left.written)
}

/// What is left of the file that was edited.
fn drafts(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder.join("tmp")).unwrap();
    let texts = entries.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    texts.collect()
}

#[test]
fn what_an_editor_writes_is_sent_with_what_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let requests = listen(folder.path(), vec![job_file(), taken()]);
    let script = "stat -c %a \"$1\" > mode; echo 'steps: 8' >> \"$1\"";
    let ended = Ended::of(edit(folder.path(), script).output().unwrap());
    assert_eq!(ended.code, 0, "{ended:#?}");
    assert!(ended.stdout.starts_with("1\tqueued\t"), "{ended:#?}");
    let mode = fs::read_to_string(folder.path().join("mode")).unwrap();
    assert_eq!(mode, "600\n", "prompts are for nobody else's eyes");
    let expected = [
        Request::JobFile(JobFileRequest {
            job: "1".parse().unwrap(),
        }),
        Request::Edit(EditRequest {
            job: JobId(1),
            was: YAML.to_owned(),
            yaml: format!("{YAML}steps: 8\n"),
        }),
    ];
    assert_eq!(requests.try_iter().collect::<Vec<_>>(), expected);
    assert_eq!(drafts(folder.path()), [""; 0]);
}

#[test]
fn a_job_that_stays_as_it_is_is_told_to_programs_too() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = vec![job(1, JobState::Queued)];
    let answers = vec![job_file(), Response::Jobs { jobs }];
    let _requests = listen(folder.path(), answers);
    let ended = Ended::of(edit(folder.path(), ":").arg("--json").output().unwrap());
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let told = ended.json();
    assert_eq!(told["kind"], "JobList");
    assert_eq!(told["items"][0]["id"], 1);
    assert_eq!(told["unchanged"], serde_json::json!([1]));
    assert_eq!(told["changed"], serde_json::json!([]));
    assert_eq!(told["warnings"][0], "job 1 is unchanged");
}

#[test]
fn an_editor_that_fails_or_is_not_there_changes_nothing() {
    for (script, editor, expected) in [
        ("exit 3", "sh editor", "exit status: 3"),
        ("", "no-such-editor -x", "there is no such program"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let requests = listen(folder.path(), vec![job_file()]);
        let mut command = edit(folder.path(), script);
        let ended = Ended::of(command.env("EDITOR", editor).output().unwrap());
        assert_eq!(ended.code, 2);
        let message = format!("error: the editor `{editor}` failed: {expected} [FP1040]\n");
        assert!(ended.stderr.contains(&message), "{}", ended.stderr);
        assert_eq!(requests.try_iter().count(), 1);
        assert_eq!(drafts(folder.path()), [""; 0]);
    }
}

#[test]
fn what_is_refused_where_nobody_can_be_asked_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let _requests = listen(folder.path(), vec![job_file(), refused()]);
    let mut command = edit(folder.path(), "echo 'steps: 0' >> \"$1\"");
    let ended = Ended::of(command.output().unwrap());
    assert_eq!((ended.code, ended.stdout.as_str()), (6, ""));
    assert!(
        ended.stderr.contains("what was written is kept in "),
        "{}",
        ended.stderr
    );
    assert!(
        ended
            .stderr
            .contains("error: line 4: steps: 0 is out of range [FP2103]")
    );
    assert_eq!(drafts(folder.path()), [format!("{YAML}steps: 0\n")]);
}

#[test]
fn on_a_terminal_a_mistake_is_edited_again() {
    let folder = tempfile::tempdir().unwrap();
    let requests = listen(folder.path(), vec![job_file(), refused(), taken()]);
    let script = "if grep -q steps \"$1\"; then sed -i 's/steps: 0/steps: 8/' \"$1\"; \
                  else echo 'steps: 0' >> \"$1\"; fi";
    let (code, seen) = on_terminal(&edit(folder.path(), script), "y\n");
    assert_eq!(code, 0, "{seen}");
    assert!(seen.contains("steps: 0 is out of range"), "{seen}");
    assert!(seen.contains("Edit again? [Y/n] "), "{seen}");
    let Some(Request::Edit(last)) = requests.try_iter().last() else {
        panic!("nothing was sent");
    };
    assert_eq!(last.yaml, format!("{YAML}steps: 8\n"));
    assert_eq!(drafts(folder.path()), [""; 0]);
}

#[test]
fn whoever_gives_up_finds_what_she_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let _requests = listen(folder.path(), vec![job_file(), refused()]);
    let (code, seen) = on_terminal(&edit(folder.path(), "echo 'steps: 0' >> \"$1\""), "n\n");
    assert_eq!(code, 6, "{seen}");
    assert!(seen.contains("what was written is kept in "), "{seen}");
    assert_eq!(drafts(folder.path()), [format!("{YAML}steps: 0\n")]);
}

#[test]
fn set_asks_for_its_keys_and_says_what_became_of_each_job() {
    let set = |of| {
        Request::Set(SetRequest {
            jobs: vec!["7".parse().unwrap(), "group:night".parse().unwrap()],
            set: vec!["steps=8".to_owned(), "prompt=a = b".to_owned()],
            of,
        })
    };
    let changed = || {
        let remark = Some("keeps the section that is finished");
        edited(job(7, JobState::Queued), ChangeOutcome::Changed, remark)
    };
    for (arguments, of) in [
        (
            &["set", "7", "group:night", "steps=8", "prompt=a = b"][..],
            SetOf::Queued,
        ),
        (
            &[
                "retry",
                "7",
                "group:night",
                "--set",
                "steps=8",
                "--set=prompt=a = b",
            ],
            SetOf::Failed { from_start: false },
        ),
    ] {
        let talk = talk(arguments, vec![changed()]);
        assert_eq!(talk.ended.code, 0, "{:#?}", talk.ended);
        assert_eq!(talk.requests, [set(of)]);
        let expected = "warning: job 7 keeps the section that is finished\n";
        assert_eq!(talk.ended.stderr, expected);
    }
    let refused = Edited {
        changed: Changed {
            job: Box::new(job(7, JobState::Queued)),
            outcome: ChangeOutcome::Refused,
            remark: Some("stays as it is: steps: 0 is out of range".to_owned()),
        },
        errors: vec![ErrorBody::new(
            Code::OUT_OF_RANGE,
            "steps: 0 is out of range",
        )],
    };
    let answer = Response::Edited {
        jobs: vec![refused],
    };
    let ended = talk(&["set", "7", "steps=0", "--json"], vec![answer]).ended;
    assert_eq!(ended.code, 6);
    assert_eq!(ended.json()["refused"], serde_json::json!([7]));
    let warning = &ended.json()["warnings"][0];
    assert_eq!(*warning, "job 7 stays as it is: steps: 0 is out of range");
}

#[test]
fn set_says_what_is_missing_of_its_words() {
    for arguments in [&["set", "7"][..], &["set", "steps=8"], &["set", "7", "8"]] {
        assert_eq!(talk(arguments, Vec::new()).ended.code, 2, "{arguments:?}");
    }
}
