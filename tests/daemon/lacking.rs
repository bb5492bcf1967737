//! What a device can't do: refused to a job that itself asks for it, and inactive for the farm, a profile and a preset.

use std::{fs, process::Output};

use framepack_ipc::control::WorkerState;
use serde_json::Value;

use crate::{
    client::assert_code,
    fixture::{Farm, job},
};

const REASON: &str = "memory-efficient and flash are not available on cpu";

/// A farm whose device lacks both kernels of `standard`, and on which `memory.offload` means nothing.
fn lacking(settings: &[(&str, &str)]) -> Farm {
    let mut farm = Farm::stopped();
    farm.set(settings);
    let lacks = format!(
        r#"[{{"key":"attention","value":"standard","reason":"{REASON}","consequence":"refused"}},
            {{"key":"memory.offload","reason":"moot here","consequence":"moot"}}]"#
    );
    fs::create_dir_all(farm.path("state")).unwrap();
    fs::write(farm.path("state/lacks-cpu"), lacks).unwrap();
    farm.start();
    farm.wait_for_worker("cpu", WorkerState::Idle);
    farm
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

/// Why the report has a setting as one that does nothing.
fn inactive(report: &Value, key: &str) -> Option<String> {
    let mut list = report["settings"].as_array().unwrap().iter();
    let setting = list.find(|setting| setting["key"] == key).unwrap();
    setting["inactive"].as_str().map(str::to_owned)
}

#[test]
fn what_no_device_can_do_is_refused_to_the_job_that_asks_for_it_itself() {
    let farm = lacking(&[]);
    let file = farm.write_job("cat.yaml", "a cat");
    let message = format!("attention: not possible here: {REASON}");
    for command in ["submit", "plan"] {
        let output = farm.ctl(&[command, &file, "--set", "attention=standard"]);
        assert_code(&output, 6);
        let said = said(&output);
        assert!(said.contains(&format!("--set {message}")), "{said}");
        assert!(said.contains("FP2105"), "{said}");
        // Another kernel is there.
        let other = farm.ctl(&[command, &file, "--set", "attention=aggressive"]);
        assert_code(&other, 0);
    }
    farm.drop_job("own.yaml", job("a dog") + "attention: standard\n");
    let (outcome, report) = farm.report("own");
    assert_eq!(outcome, "rejected");
    let problem = &report["problems"][0];
    assert_eq!(
        (&problem["path"], &problem["kind"]),
        (&"attention".into(), &"not_available".into())
    );
    assert!(problem["message"].as_str().unwrap().contains(REASON));
    // What means nothing on a device takes no job's video away.
    farm.drop_job(
        "moot.yaml",
        job("a cow") + "memory: {offload: aggressive}\n",
    );
    let (outcome, report) = farm.report("moot");
    assert_eq!(outcome, "done");
    assert_eq!(
        inactive(&report, "memory.offload").as_deref(),
        Some("moot here")
    );
}

#[test]
fn what_no_device_can_do_is_inactive_for_environment_profile_and_preset() {
    let farm = lacking(&[("ATTENTION", "standard")]);
    let shown = said(&farm.ctl(&["config", "show", "--origin", "attention"]));
    let expected = format!("attention: \"standard\"  # FRAMEPACKD_ATTENTION; inactive: {REASON}\n");
    assert_eq!(shown, expected);
    // The profile sets it, too: in the job's name, and yet not by the job's own key.
    for (name, keys, origin) in [
        ("farms", "", "FRAMEPACKD_ATTENTION"),
        ("profiles", "profile: standard\n", "profile standard"),
    ] {
        farm.drop_job(format!("{name}.yaml"), job(name) + keys);
        let (outcome, report) = farm.report(name);
        assert_eq!(outcome, "done", "{report}");
        assert_eq!(inactive(&report, "attention").as_deref(), Some(REASON));
        let warnings = report["job"]["warnings"].to_string();
        let warning = format!("attention: inactive: {REASON}");
        assert!(warnings.contains(&warning), "{warnings}");
        assert!(warnings.contains(origin), "{warnings}");
        let shown = serde_json::to_value(farm.show(name)).unwrap();
        assert!(shown[0]["settings"].to_string().contains(REASON), "{shown}");
    }
}

#[test]
fn what_only_the_worker_finds_fails_the_job_once_or_is_in_its_report() {
    let farm = Farm::with_settings(&[("ATTENTION", "aggressive")]);
    farm.drop_job("own.yaml", job("lacking") + "attention: aggressive\n");
    let (outcome, report) = farm.report("own");
    assert_eq!(outcome, "failed");
    assert_eq!(report["failure"]["code"], "FP2105");
    assert_eq!(report["job"]["attempts"], 1);
    farm.drop_prompt("farms.yaml", "lacking, too");
    let (outcome, report) = farm.report("farms");
    assert_eq!(outcome, "done");
    assert_eq!(inactive(&report, "attention").as_deref(), Some("no kernel"));
}

#[test]
fn what_a_worker_is_started_with_in_vain_is_in_plans_and_reports_too() {
    let mut farm = Farm::stopped();
    farm.set(&[("WORKER_MEM_EFFICIENT_SDP", "off")]);
    fs::create_dir_all(farm.path("state")).unwrap();
    let lacks =
        r#"[{"key":"worker.mem_efficient_sdp","reason":"no such kernel","consequence":"moot"}]"#;
    fs::write(farm.path("state/lacks-cpu"), lacks).unwrap();
    farm.start();
    farm.wait_for_worker("cpu", WorkerState::Idle);
    let file = farm.write_job("cat.yaml", "a cat");
    let planned = farm.ctl(&["plan", &file]);
    assert_code(&planned, 0);
    let warning = "worker.mem_efficient_sdp: inactive: no such kernel (\"off\", from FRAMEPACKD_WORKER_MEM_EFFICIENT_SDP)";
    assert!(said(&planned).contains(warning), "{}", said(&planned));
    farm.drop_job("dog.yaml", job("a dog"));
    let (outcome, report) = farm.report("dog");
    assert_eq!(outcome, "done");
    assert_eq!(
        inactive(&report, "worker.mem_efficient_sdp").as_deref(),
        Some("no such kernel")
    );
}
