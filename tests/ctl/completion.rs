//! What Bash completes: the script is sourced, and its function called as Bash calls it when the tab key is pressed.

use std::{path::Path, process::Command};

use framepack_ipc::control::Response;
use framepack_jobs::{Job, JobState};
use interprocess::local_socket::{GenericFilePath, ListenerOptions, prelude::*};

use crate::{
    fake_daemon::listen,
    fixtures::{done, failed, job, running},
};

/// Splits a line as Bash does by default, calls the function, and prints what it answers.
const PRESS_TAB: &str = r#"
source <(framepackctl completions bash)
COMP_LINE=$LINE COMP_POINT=${#LINE}
COMP_WORDS=() word=
for ((at = 0; at < ${#LINE}; at++)); do
    letter=${LINE:at:1}
    case $letter in
        ' ') [[ -n $word ]] && COMP_WORDS+=("$word"); word= ;;
        [=:])
            if [[ -n $word && $word != [=:] ]]; then COMP_WORDS+=("$word"); word=; fi
            word+=$letter ;;
        *)
            if [[ $word == [=:] ]]; then COMP_WORDS+=("$word"); word=; fi
            word+=$letter ;;
    esac
done
COMP_WORDS+=("$word")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
[[ $word == [=:] ]] && word=
_framepackctl framepackctl "$word" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
"#;

/// What Bash offers at the end of a line.
fn offered(folder: &Path, line: &str) -> Vec<String> {
    let programs = Path::new(env!("CARGO_BIN_EXE_framepackctl"))
        .parent()
        .unwrap();
    let path = std::env::var("PATH").unwrap();
    let output = Command::new("bash")
        .args(["--norc", "-c", PRESS_TAB])
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", programs.display()))
        .env("FRAMEPACKD_SOCKET", folder.join("socket"))
        .env("LINE", line)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{line}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

fn named(id: u64, name: &str, state: JobState) -> Job {
    Job {
        name: name.to_owned(),
        ..job(id, state)
    }
}

/// What is offered while a daemon has some jobs.
fn offered_of_jobs(line: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let mut held = named(2, "held", JobState::Queued);
    held.runs.held = true;
    held.schedule.group = Some("night".to_owned());
    let first = vec![
        named(1, "cat", running()),
        held,
        named(3, "queued", JobState::Queued),
        named(4, "broken", failed()),
    ];
    let answers = vec![
        Response::Jobs { jobs: first },
        Response::Jobs {
            jobs: vec![named(5, "old", done())],
        },
    ];
    let _requests = listen(folder.path(), answers);
    offered(folder.path(), line)
}

#[test]
fn only_jobs_are_offered_that_fit_the_verb() {
    for (line, expected) in [
        ("framepackctl retry ", &["4", "@failed"][..]),
        ("framepackctl resume ", &["2", "@queued"]),
        ("framepackctl release ", &["2", "@queued"]),
        ("framepackctl hold ", &["3", "@queued"]),
        (
            "framepackctl cancel ",
            &["3", "2", "1", "@queued", "@running"],
        ),
        ("framepackctl show 5", &["5"]),
        ("framepackctl show @d", &["@done"]),
        // Names, once one is begun.
        ("framepackctl show br", &["broken"]),
        ("framepackctl logs c", &["cat"]),
        ("framepackctl pause --group ", &["night"]),
        ("framepackctl plan 1", &["1"]),
    ] {
        let mut found = offered_of_jobs(line);
        found.retain(|word| !word.starts_with('-'));
        assert_eq!(found, expected, "{line}");
    }
}

#[test]
fn commands_states_codes_and_settings_need_no_daemon() {
    let folder = tempfile::tempdir().unwrap();
    for (line, expected) in [
        ("framepackctl supp", &["support-bundle"][..]),
        ("framepackctl list --state ca", &["cancelling", "cancelled"]),
        (
            "framepackctl list --state done,ca",
            &["done,cancelling", "done,cancelled"],
        ),
        ("framepackctl explain FP5004", &["FP5004"]),
        ("framepackctl cache clear e", &["embeddings"]),
        (
            "framepackctl submit a.yaml --set guidance.c",
            &["guidance.cfg="],
        ),
        ("framepackctl submit a.yaml --set=model=f", &["f1"]),
        (
            "framepackctl submit a.yaml --set vae.quality=o",
            &["on", "off"],
        ),
        ("framepackctl submit a.yaml --set preset=han", &["hands"]),
        ("framepackctl config show --profile bn", &["bnb4"]),
        ("framepackctl retry 4 --from", &["--from-start"]),
    ] {
        assert_eq!(offered(folder.path(), line), expected, "{line}");
    }
}

#[test]
fn files_are_offered_where_a_file_is_meant() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("cat.yaml"), "").unwrap();
    assert_eq!(
        offered(folder.path(), "framepackctl submit c"),
        ["cat.yaml"]
    );
}

#[test]
fn a_daemon_that_is_down_or_hangs_is_nothing_to_complain_of() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = |line: &str| {
        let mut found = offered(folder.path(), line);
        found.retain(|word| !word.starts_with('-'));
        found
    };
    assert_eq!(jobs("framepackctl retry "), Vec::<String>::new());
    // It lets clients in, and never answers.
    let socket = folder.path().join("hung");
    let name = socket.as_path().to_fs_name::<GenericFilePath>().unwrap();
    let _hung = ListenerOptions::new().name(name).create_sync().unwrap();
    assert_eq!(
        jobs("framepackctl --socket hung retry "),
        Vec::<String>::new()
    );
}
