//! A dropped file becomes a video and a report.

use crate::fixture::{Farm, entries};

#[test]
fn a_dropped_job_becomes_a_video_and_a_report() {
    let farm = Farm::new();
    farm.drop_prompt("cat.yaml", "a cat");
    let (outcome, report) = farm.report("cat");
    assert_eq!(outcome, "done");
    assert_eq!(
        (&report["api"], &report["kind"]),
        (&"framepack/v1".into(), &"Report".into())
    );
    assert_eq!(report["job"]["state"], "done");
    assert_eq!(report["job"]["attempts"], 1);
    assert_eq!(report["job"]["spec"]["prompt"], "a cat");
    assert_eq!(report["job"]["result"]["plan"]["frames"], 73);
    assert_eq!(report["versions"]["worker"], "0.0.0-fake");

    let seed = report["job"]["seed"].as_u64().unwrap();
    assert_eq!(farm.outputs(), [format!("cat-{seed}.mp4")]);
    let filed = farm.filed("cat", "");
    let names: Vec<_> = filed
        .iter()
        .map(|(_, path)| path.file_name().unwrap().to_string_lossy())
        .collect();
    assert_eq!(names, ["cat.1.report.json", "cat.1.yaml"]);
    let claimed = entries(&farm.path("jobs/claimed"));
    assert_eq!(
        claimed.iter().flat_map(|daemon| entries(daemon)).count(),
        0,
        "nothing stays claimed"
    );
    assert_eq!(
        entries(&farm.path("state/inputs")).len(),
        0,
        "the copy of the photo is gone"
    );
}
