//! What needs no daemon, or finds none.

use crate::framepackctl_in;

fn offline(arguments: &[&str]) -> crate::Ended {
    let folder = tempfile::tempdir().unwrap();
    framepackctl_in(folder.path(), arguments, "")
}

#[test]
fn wrong_usage_is_2_and_says_what_was_expected() {
    for (arguments, expected) in [
        (&["submitt"][..], "a similar subcommand exists: 'submit'"),
        (&["show"], "<JOB>..."),
        (&["show", "@faild"], "`faild` is not a state"),
        (&["wait", "9-3"], "the range `9-3` ends before it begins"),
        (
            &["wait", "1", "--timeout", "soon"],
            "expected a duration, such as 90s",
        ),
        (&["submit", "a.yaml", "--timeout", "5s"], "--wait"),
        (&["list", "--state", "gone"], "`gone` is not a state"),
        (&["list", "--json=id,sate"], "did you mean `state`?"),
        (&["explain", "FP0000"], "unknown error code `FP0000`"),
    ] {
        let ended = offline(arguments);
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert_eq!(ended.code, 2, "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}

#[test]
fn help_version_and_completions_need_no_daemon() {
    for (arguments, expected) in [
        (&["--help"][..], "7 a waited job failed"),
        (&["submit", "--help"], "The job file"),
        (&["--version"], env!("CARGO_PKG_VERSION")),
        (&["completions", "bash"], "-F _framepackctl framepackctl"),
        (&["completions", "zsh"], "#compdef framepackctl"),
        (
            &["completions", "fish"],
            "complete --keep-order --exclusive --command framepackctl",
        ),
        (
            &["completions", "elvish"],
            "edit:completion:arg-completer[framepackctl]",
        ),
        (&["completions", "powershell"], "Register-ArgumentCompleter"),
        (&["man"], ".TH \"framepackctl\" \"1\""),
        (&["run", "--help"], "--image <FILE>"),
    ] {
        let ended = offline(arguments);
        assert_eq!(ended.code, 0, "{arguments:?}: {}", ended.stderr);
        assert!(ended.stdout.contains(expected), "{}", ended.stdout);
    }
}

#[test]
fn a_daemon_that_is_not_there_is_3_with_a_hint() {
    for command in [
        &[][..],
        &["status"],
        &["ping"],
        &["list"],
        &["show", "1"],
        &["wait", "1"],
        &["cancel", "1"],
    ] {
        let arguments = [command, &["--socket", "nowhere.sock"]].concat();
        offline(&arguments).assert(
            3,
            "",
            "error: cannot reach framepackd at nowhere.sock: No such file or directory (os error 2) [FP1002]\n\
             hint: start it with `framepackd --config FILE`, or name its socket with `--socket PATH`\n",
        );
    }
}

#[test]
fn errors_are_json_where_json_was_asked_for() {
    let ended = offline(&["ping", "--json", "--socket", "nowhere.sock"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (3, ""));
    let error = &ended.json()["error"];
    assert_eq!(error["code"], "FP1002");
    assert_eq!(error["class"], "unreachable");
    assert_eq!(error["fault"], "farm");
    assert!(error["path"].is_null());
}

#[test]
fn an_error_code_is_explained() {
    offline(&["explain", "FP5004"]).assert(
        0,
        "FP5004: NaN or Inf in latents or frames\n\
         what to do: try another seed\n\
         class: numerics; at fault: job\n",
        "",
    );
    let json = offline(&["explain", "FP5004", "--json"]).json();
    assert_eq!(json["items"][0]["code"], "FP5004");
    assert_eq!(json["items"][0]["fault"], "job");
    let picked = offline(&["explain", "FP5004", "--json=class"]);
    assert_eq!(picked.stdout, "[{\"class\":\"numerics\"}]\n");
}

#[test]
fn a_job_file_that_is_not_there_is_6() {
    offline(&["submit", "cat.yaml"]).assert(
        6,
        "",
        "error: reading cat.yaml: No such file or directory (os error 2) [FP2108]\n\
         hint: check its path, permissions and content\n",
    );
}

#[test]
fn a_file_that_can_not_be_written_is_6_whichever_command_writes_it() {
    for command in [
        &[
            "run",
            "--image",
            "a.jpg",
            "--prompt",
            "x",
            "-o",
            "missing/x.mp4",
        ][..],
        &["run", "--image", "a.jpg", "--prompt", "x", "-o", "missing/"],
        &["support-bundle", "--out", "missing/x.tar.zst"],
        &["init", "/proc/missing"],
        &["man", "/proc/missing"],
    ] {
        let ended = offline(command);
        assert_eq!(ended.code, 6, "{command:?}: {ended:#?}");
        assert!(ended.stderr.contains("[FP2109]"), "{command:?}: {ended:#?}");
    }
}
