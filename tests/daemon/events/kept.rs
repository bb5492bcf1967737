//! What is kept of the log, and who may read it.

use std::fs;

use serde_json::json;

use super::text;
use crate::{client::assert_code, fixture::Farm};

#[test]
fn a_cursor_that_is_older_than_what_is_kept_is_an_error_that_says_what_to_do() {
    let mut farm = Farm::new();
    farm.drop_prompt("cat.yaml", "a cat");
    farm.report("cat");
    let first = text(&farm.events(&["--since", "1h"])[0], "cursor");
    farm.stop();
    // What the daemon does when the first file has grown old: another one begins, and the first one goes.
    let folder = farm.path("state/events");
    let old = fs::read_to_string(folder.join("000001.ndjson")).unwrap();
    let last = text(old.lines().last().unwrap(), "cursor");
    let mut parts = last.split('-');
    let mut part = || parts.next().unwrap();
    let (log, seq, nth) = (part(), part(), part());
    let number = |part: &str| part.parse::<u64>().unwrap();
    let header = json!({
        "log": log,
        "after": {"seq": number(seq), "nth": number(nth)},
        "at": "2026-11-23T05:16:08.000001Z",
        "idle": true,
    });
    fs::write(folder.join("000002.ndjson"), format!("{header}\n")).unwrap();
    fs::remove_file(folder.join("000001.ndjson")).unwrap();
    farm.start();

    let gone = farm.ctl(&["events", "--since", &first]);
    assert_code(&gone, 4);
    let said = String::from_utf8_lossy(&gone.stderr).into_owned();
    assert!(said.contains("no longer kept [FP1046]\nhint: "), "{said}");
    // What is behind the last event before is all there.
    let since = farm.events(&["--since", &last]);
    assert_eq!(text(&since[0], "event"), "starting");
    // Whatever has happened meanwhile comes behind it.
    let all = farm.events(&["--since", "3650d"]);
    assert_eq!(all[..since.len()], since);
    let foreign = format!("0123456789abcdef-{seq}-{nth}");
    let foreign = farm.ctl(&["events", "-f", "--since", &foreign]);
    assert_code(&foreign, 4);
}

#[test]
fn whoever_may_look_may_follow() {
    let reader = nix::unistd::geteuid();
    let mut farm = Farm::stopped();
    farm.configure(&format!(
        "socket: {{admin: [], submit: [], read: '{reader}'}}\n"
    ));
    farm.start();
    assert_code(&farm.ctl(&["events"]), 0);
    assert_code(&farm.ctl(&["wait", "--idle"]), 0);
    farm.stop();
    farm.set(&[("SOCKET_READ", "nobody")]);
    farm.start();
    assert_code(&farm.ctl(&["events"]), 5);
    assert_code(&farm.ctl(&["events", "-f"]), 5);
}
