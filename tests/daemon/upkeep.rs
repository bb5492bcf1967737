//! `info`, `usage`, `gc` and `cache` against the real daemon.

use std::{fs, process::Output};

use framepack_jobs::StateName;
use serde_json::Value;

use crate::{
    client::assert_code,
    fixture::{Farm, job},
};

impl Farm {
    /// The items of what a command prints as JSON.
    pub(crate) fn items(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.ctl(&[arguments, &["--json"]].concat());
        assert_code(&output, 0);
        let envelope: Value = serde_json::from_slice(&output.stdout).unwrap();
        envelope["items"].as_array().unwrap().clone()
    }
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn info_has_versions_paths_counts_and_limits() {
    let farm = Farm::new();
    farm.drop_prompt("cat.yaml", "a cat");
    farm.report("cat");
    let info = farm.items(&["info"]).remove(0);
    assert_eq!(info["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(info["pid"], farm.pid());
    assert_eq!(info["jobs"]["done"], 1);
    let worker = &info["workers"][0];
    assert_eq!(
        (&worker["device"], &worker["version"]),
        (&"cpu".into(), &"0.0.0-fake".into())
    );
    assert_eq!(worker["libtorch"], "0.0-fake");
    let state = farm.path("state").canonicalize().unwrap();
    assert_eq!(info["paths"]["state"], state.to_str().unwrap());
    assert_eq!(info["limits"]["jobs"], 20_000);
    let said = text(&farm.ctl(&["info"]));
    for part in [
        "framepackctl: ",
        "libtorch 0.0-fake",
        "jobs: 1 done",
        "socket: ",
    ] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn usage_measures_folders_and_adds_up_days() {
    let farm = Farm::new();
    farm.drop_job("cat.yaml", job("a cat") + "group: night\n");
    farm.drop_prompt("dog.yaml", "a dog");
    farm.drop_prompt("oom.yaml", "oom");
    for stem in ["cat", "dog", "oom"] {
        farm.report(stem);
    }
    fs::write(farm.path("state/work/1/preview.png"), "a picture").unwrap();
    let usage = farm.items(&["usage"]).remove(0);
    let folder = |name: &str| {
        let mut folders = usage["folders"].as_array().unwrap().iter();
        folders
            .find(|folder| folder["name"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(folder("outputs")["files"], 2);
    for name in ["store", "work", "logs", "outputs"] {
        assert!(
            folder(name)["bytes"].as_u64().unwrap() > 0,
            "{name}: {usage}"
        );
        assert_eq!(folder(name)["measured"], "all");
    }
    let groups: Vec<(&Value, &Value, &Value)> = usage["work"]
        .as_array()
        .unwrap()
        .iter()
        .map(|work| (&work["group"], &work["done"], &work["others"]))
        .collect();
    let (none, night): (Value, Value) = (Value::Null, "night".into());
    assert_eq!(
        groups,
        [
            (&none, &1.into(), &1.into()),
            (&night, &1.into(), &0.into())
        ]
    );
    let later = farm.items(&["usage", "--since", "2999-01-01"]).remove(0);
    assert_eq!(later["work"], serde_json::json!([]));
}

#[test]
fn gc_takes_what_ended_jobs_and_no_jobs_left_and_nothing_else() {
    let farm = Farm::new();
    for (stem, prompt) in [("done", "a cat"), ("failed", "oom"), ("dog", "a dog")] {
        farm.drop_prompt(&format!("{stem}.yaml"), prompt);
        farm.report(stem);
    }
    let gate = farm.path("gate");
    farm.drop_prompt("runs.yaml", &format!("wait {}", gate.display()));
    farm.wait_until("it runs", |farm| {
        let job = farm.show("runs").pop()?;
        (job.is(StateName::Running) && farm.path("state/work/4").is_dir()).then_some(())
    });
    fs::write(farm.path("state/work/1/preview.png"), "a picture").unwrap();
    // Of a job that there is not.
    fs::create_dir(farm.path("state/work/0")).unwrap();
    let embeddings = farm.path("state/embeddings");
    fs::create_dir_all(&embeddings).unwrap();
    for at in 0..514 {
        fs::write(embeddings.join(format!("{at:03}.safetensors")), "x").unwrap();
    }
    let there = || {
        let works = (0..5).filter(|job| farm.path(format!("state/work/{job}")).exists());
        let embeddings = fs::read_dir(&embeddings).unwrap().count();
        (works.collect::<Vec<_>>(), embeddings, farm.outputs())
    };
    let videos = farm.outputs();
    let before = (vec![0, 1, 2, 3, 4], 514, videos.clone());
    assert_eq!(there(), before);

    let kinds = |items: Vec<Value>| {
        let kinds = items
            .iter()
            .map(|item| item["kind"].as_str().unwrap().to_owned());
        kinds.collect::<Vec<_>>()
    };
    let expected = ["work", "work", "orphan", "embeddings", "embeddings"];
    assert_eq!(kinds(farm.items(&["gc", "--dry-run"])), expected);
    assert_eq!(there(), before);
    let removed = farm.items(&["gc"]);
    assert!(removed[0]["bytes"].as_u64().unwrap() > 0, "{removed:?}");
    assert_eq!(kinds(removed), expected);
    // The failed job may be tried again, the other one runs.
    assert_eq!(there(), (vec![2, 4], 512, videos));
    assert_eq!(kinds(farm.items(&["gc"])), Vec::<String>::new());
    fs::write(gate, "").unwrap();
    assert_eq!(farm.report("runs").0, "done");
    assert_eq!(farm.show("@done").len(), 3, "records stay");
}

#[test]
fn gc_keeps_what_is_to_be_kept_forever() {
    let mut farm = Farm::stopped();
    farm.configure("retention: {work_days: never}\n");
    farm.start();
    for stem in ["cat", "dog"] {
        farm.drop_prompt(&format!("{stem}.yaml"), &format!("a {stem}"));
        farm.report(stem);
    }
    assert_eq!(farm.items(&["gc"]), Vec::<Value>::new());
    assert!(farm.path("state/work/1").is_dir());
}

#[test]
fn caches_are_cleared_one_by_one_while_the_daemon_runs() {
    let farm = Farm::new();
    let state = |name: &str| farm.path("state").join(name);
    fs::create_dir_all(state("embeddings")).unwrap();
    fs::create_dir_all(state("kernels")).unwrap();
    let files = [
        "embeddings/a.safetensors",
        "choices-cpu.json",
        "choices-cpu.json.damaged",
        "decoding-cpu.json",
        "kernels/a.cubin",
    ];
    for file in files.iter().chain(&["embeddings/cpu.new"]) {
        fs::write(state(file), "x").unwrap();
    }
    let counts = |arguments: &[&str]| {
        let caches = farm.items(arguments);
        let counts = caches.iter().map(|cache| cache["files"].as_u64().unwrap());
        counts.collect::<Vec<_>>()
    };
    assert_eq!(counts(&["cache", "ls"]), [1, 2, 1, 1]);
    assert_eq!(counts(&["cache", "clear", "attention"]), [2]);
    assert_eq!(counts(&["cache", "ls"]), [1, 0, 1, 1]);
    assert_eq!(counts(&["cache", "clear"]), [1, 0, 1, 1]);
    assert!(files.iter().all(|file| !state(file).exists()));
    // A worker is writing it.
    assert!(state("embeddings/cpu.new").exists());
    farm.drop_prompt("cat.yaml", "a cat");
    assert_eq!(farm.report("cat").0, "done");
}
