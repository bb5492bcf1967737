//! `config show`: the daemon's settings, and where they come from.

use framepack_ipc::control::{Request, Response};
use framepack_jobs::settings::{Origin, Setting};

use crate::{Ended, fake_daemon::talk};

fn shown(arguments: &[&str]) -> Ended {
    let setting = |key: &str, value: serde_json::Value, origin| Setting {
        key: key.to_owned(),
        value,
        origin,
        inactive: None,
    };
    let settings = vec![
        setting(
            "idle.warm_after_secs",
            300.into(),
            Origin::File {
                key: "idle.warm_after_secs".to_owned(),
            },
        ),
        setting("steps", serde_json::Value::Null, Origin::Default),
        setting(
            "guidance.cfg",
            2.0.into(),
            Origin::Environment {
                variable: "FRAMEPACKD_GUIDANCE_CFG".to_owned(),
            },
        ),
    ];
    let arguments = [&["config", "show"], arguments].concat();
    let talk = talk(&arguments, vec![Response::Config { settings }]);
    assert_eq!(talk.requests, [Request::Config]);
    talk.ended
}

#[test]
fn settings_are_lines_of_yaml() {
    shown(&[]).assert(
        0,
        "idle.warm_after_secs: 300\nsteps:\nguidance.cfg: 2.0\n",
        "",
    );
    shown(&["--origin", "idle"]).assert(0, "idle.warm_after_secs: 300  # configuration file\n", "");
    shown(&["--origin", "guidance.cfg"]).assert(
        0,
        "guidance.cfg: 2.0  # FRAMEPACKD_GUIDANCE_CFG\n",
        "",
    );
}

#[test]
fn a_key_that_there_is_not_is_a_mistake_of_the_command_line() {
    let ended = shown(&["step"]);
    assert_eq!(ended.code, 2);
    for part in [
        "no setting is called `step`",
        "did you mean `steps`?",
        "FP1001",
    ] {
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
    }
}

#[test]
fn json_has_key_value_and_origin() {
    let json = shown(&["steps", "--json"]).json();
    assert_eq!(json["kind"], "Config");
    let expected =
        serde_json::json!([{"key": "steps", "value": null, "origin": {"from": "default"}}]);
    assert_eq!(json["items"], expected);
}
