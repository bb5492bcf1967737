//! `framepackctl reload` and SIGHUP: the configuration is read again while jobs run.

use std::{collections::BTreeMap, fs, process::Output};

use framepack_ipc::{
    client::ClientError,
    control::{Request, WorkerState},
};
use framepack_jobs::{Code, StateName};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::{
    client::assert_code,
    fixture::{Farm, job},
};

impl Farm {
    /// Writes the configuration anew: what it was at first, and this.
    fn rewrite(&self, more: &str) {
        let (file, first) = (self.path("framepackd.yaml"), self.path("first.yaml"));
        if !first.exists() {
            fs::copy(&file, &first).unwrap();
        }
        let text = fs::read_to_string(first).unwrap();
        fs::write(file, text + more).unwrap();
    }

    /// The same, read again by the daemon: when each changed setting applies, by its key.
    fn reload_with(&self, more: &str) -> BTreeMap<String, String> {
        self.rewrite(more);
        let output = self.ctl(&["reload", "--json"]);
        assert_code(&output, 0);
        let reloaded: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(reloaded["kind"], "Reload");
        let changes = reloaded["items"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        changes
            .map(|change| (text(&change["key"]), text(&change["applies"])))
            .collect()
    }

    fn shown(&self, key: &str) -> String {
        let output = self.ctl(&["config", "show", key]);
        assert_code(&output, 0);
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn what_can_be_taken_over_is_and_the_rest_waits_for_a_restart() {
    let farm = Farm::new();
    farm.wait_for_worker("cpu", WorkerState::Idle);
    let devices = "devices: cpu\n";
    let file = farm.path("framepackd.yaml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(devices));
    fs::write(&file, text.replace(devices, "devices: [cpu, 'cuda:1']\n")).unwrap();
    let changes =
        farm.reload_with("steps: 7\nidle: {warm_after_secs: 60}\npresets: {a: {steps: 2}}\n");
    let expected = [
        ("idle.warm_after_secs", "at_once"),
        ("presets.a", "new_jobs"),
        ("steps", "new_jobs"),
        ("worker.devices", "restart"),
    ];
    let expected = expected.map(|(key, applies)| (key.to_owned(), applies.to_owned()));
    assert_eq!(changes, expected.into());
    assert_eq!(farm.shown("steps"), "steps: 7");
    assert_eq!(farm.shown("worker.devices"), "worker.devices: [\"cpu\"]");

    let again = farm.ctl(&["reload"]);
    assert_code(&again, 0);
    let stdout = String::from_utf8_lossy(&again.stdout);
    assert_eq!(
        stdout,
        "restart\tworker.devices\t[\"cpu\"]\t[\"cpu\",\"cuda:1\"]\n"
    );
    assert!(
        stderr(&again).contains("1 of the changed settings"),
        "{}",
        stderr(&again)
    );
}

#[test]
fn queued_jobs_keep_their_defaults_and_begin_with_the_memory_settings_of_then() {
    let farm = Farm::new();
    let running = farm.submit_gated();
    farm.submit_keys("before", "a cat", "name: before");
    let changes = farm.reload_with("steps: 4\nmemory: {preserve_gb: 7}\n");
    assert_eq!(changes["memory.preserve_gb"], "next_runs");
    farm.submit_keys("after", "a cat", "name: after");
    fs::write(farm.path("gate"), "").unwrap();
    assert_code(&farm.ctl(&["wait", "gated", "before", "after"]), 0);

    let record = |name: &str| serde_json::to_value(farm.show(name).remove(0)).unwrap();
    let [before, after] = ["before", "after"].map(record);
    assert_eq!(before["farm_defaults"], Value::Null);
    assert_eq!(after["farm_defaults"], json!({"steps": 4}));
    assert_eq!(before["result"]["plan"]["steps"], 3);
    assert_eq!(after["result"]["plan"]["steps"], 4);
    let preserves = |name: &str| {
        let settings = farm.show(name).remove(0).runs.settings;
        let mut settings = settings.into_iter();
        let of_memory = settings.find(|setting| setting.key == "memory.preserve_gb");
        of_memory.map(|setting| setting.value.as_f64().unwrap())
    };
    assert_eq!(preserves("gated"), None, "job {} ran already", running.id);
    assert_eq!(preserves("before"), Some(7.0));
    assert_eq!(preserves("after"), Some(7.0));
}

#[test]
fn a_configuration_that_can_t_be_used_changes_nothing_and_says_why() {
    let farm = Farm::new();
    farm.rewrite("steps: 9\nguidnce: {cfg: 2}\n");
    let refused = farm.ctl(&["reload"]);
    assert_code(&refused, 2);
    for part in [
        "framepackd.yaml",
        "guidnce",
        "line 13",
        "[FP8002]",
        "goes on with what it has",
    ] {
        assert!(
            stderr(&refused).contains(part),
            "{part}: {}",
            stderr(&refused)
        );
    }
    assert_eq!(farm.shown("steps"), "steps:");
    let ping = farm.ctl(&["ping"]);
    assert!(
        String::from_utf8_lossy(&ping.stdout).contains("[FP8002]"),
        "{ping:?}"
    );

    farm.rewrite("steps: 9\nsocket: {admin: ['@no-such-group']}\n");
    let refused = farm.ctl(&["reload"]);
    assert_code(&refused, 2);
    assert!(
        stderr(&refused).contains("[FP8011]"),
        "{}",
        stderr(&refused)
    );
    assert_eq!(farm.shown("steps"), "steps:");

    assert_eq!(farm.reload_with("steps: 9\n").len(), 1);
    assert_eq!(farm.shown("steps"), "steps: 9");
    let ping = farm.ctl(&["ping"]);
    assert!(
        !String::from_utf8_lossy(&ping.stdout).contains("degraded"),
        "{ping:?}"
    );
}

#[test]
fn roles_count_at_once_and_sighup_reads_the_file_too() {
    let farm = Farm::new();
    let mut open = farm.client();
    assert!(open.call(&Request::Reload).is_ok());
    assert_eq!(
        farm.reload_with("socket: {admin: []}\n")["socket.admin"],
        "at_once"
    );
    match open.call(&Request::Reload) {
        Err(ClientError::Refused(refused)) => assert_eq!(refused.error.code, Code::NOT_PERMITTED),
        other => panic!("{other:?}"),
    }
    assert_code(&farm.ctl(&["reload"]), 5);
    farm.rewrite("");
    farm.signal(Signal::SIGHUP);
    farm.wait_until("an admin again", |farm| {
        farm.ctl(&["reload"]).status.success().then_some(())
    });
}

#[test]
fn limits_of_queue_folder_disks_and_workers_count_at_once() {
    let mut farm = Farm::stopped();
    farm.configure("queue: {max_jobs: 1}\n");
    farm.start();
    let gated = farm.submit_gated();
    farm.drop_job("second.yaml", job("a cat"));
    farm.wait_until("it is left in the folder", |farm| {
        let scan = farm.ctl(&["folder", "scan", "--json=left"]);
        let left: Value = serde_json::from_slice(&scan.stdout).unwrap();
        (left[0]["left"] == 1).then_some(())
    });
    let textfile = farm.path("figures.prom");
    let file = farm.path("framepackd.yaml");
    let text = fs::read_to_string(&file).unwrap();
    let more = format!(
        "idle: {{warm_after_secs: 0, cold_after_secs: never}}\nmetrics: {{textfile: {}}}\n",
        textfile.display()
    );
    fs::write(&file, text.replace("max_jobs: 1", "max_jobs: 5") + &more).unwrap();
    assert_code(&farm.ctl(&["reload"]), 0);
    farm.wait_until("it is taken", |farm| farm.show("second").pop());
    farm.wait_until("the figures are there", |_| textfile.exists().then_some(()));
    fs::write(farm.path("gate"), "").unwrap();
    assert_code(&farm.ctl(&["wait", &gated.id.to_string(), "second"]), 0);
    farm.wait_until("the worker cools", |farm| {
        farm.noted("cool.log")
            .contains(&"warm".to_owned())
            .then_some(())
    });

    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text + "disk: {reserve_mib: 16777216}\n").unwrap();
    assert_code(&farm.ctl(&["reload"]), 0);
    farm.drop_job("third.yaml", job("a dog"));
    farm.wait_until("it waits for room", |farm| {
        let ping = farm.ctl(&["ping", "--json=paused"]);
        let paused: Value = serde_json::from_slice(&ping.stdout).unwrap();
        let why = paused[0]["paused"].as_str()?.to_owned();
        why.contains("disk.reserve_mib").then_some(())
    });
    assert!(farm.show("third")[0].is(StateName::Queued));
}
