//! `status`: the farm, or some jobs.

use framepack_ipc::control::Response;
use framepack_jobs::JobState;

use crate::{
    example,
    fake_daemon::{Talk, talk},
    fixtures::{failed, job},
    framepackctl_in,
    top::FakeFarm,
};

fn status(arguments: &[&str]) -> crate::Ended {
    let folder = tempfile::tempdir().unwrap();
    let _farm = FakeFarm::start(folder.path());
    framepackctl_in(folder.path(), arguments, "")
}

#[test]
fn programs_get_a_line_for_each_thing_with_or_without_the_commands_name() {
    let expected = "\
daemon\t0.1.0\t33120\t1\t2
degraded\tFP5023\t/mnt/videos has not answered since 22:10: jobs with files there wait
device\tcuda:0\tbusy\t317\t20615843020\t25769803776\t61\t318\t2\t
device\tcuda:1\tidle\t\t11811160064\t25769803776\t44\t21\t180\thot
memory\t24696061952\t68719476736
disk\toutputs\t227633266688\t966367641600\t/srv/outputs
disk\tstate\t227633266688\t966367641600\t/srv/state
running\t317\tsection 3/4 step 18/25\t68%\t1.41\t112\tcuda:0\tshot042/s7
failed\t314\tFP5004\t2026-11-28T22:05:00.000000Z\tshot041/s2\tlatents hold NaN in section 2
";
    for arguments in [&["status"][..], &[]] {
        status(arguments).assert(0, expected, "");
    }
}

#[test]
fn json_has_all_of_it() {
    let json = status(&["status", "--json"]).json();
    assert_eq!(json["kind"], "FarmStatus");
    assert_eq!(
        json["items"][0],
        serde_json::to_value(example::farm()).unwrap()
    );
    let picked = status(&["status", "--json=queued,running.id"]).json();
    assert_eq!(picked[0]["queued"], 2);
}

#[test]
fn a_job_has_its_state_and_its_last_log_lines() {
    let line = |n: u32| format!(r#"{{"at":"T{n}","level":"info","message":"event {n}","job":7}}"#);
    let asked = |arguments: &[&str]| {
        let state: JobState = failed();
        talk(
            arguments,
            vec![
                Response::Jobs {
                    jobs: vec![job(7, state)],
                },
                Response::Farm(Box::new(example::farm())),
                Response::Log {
                    lines: (1..15).map(line).collect(),
                },
                Response::End,
            ],
        )
    };
    let Talk { ended, .. } = asked(&["status", "7"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert!(lines[0].ends_with("7 cat failed"), "{}", ended.stdout);
    assert!(
        ended.stdout.contains("cat.jpg is not an image [FP2004]"),
        "{}",
        ended.stdout
    );
    assert_eq!(
        lines[lines.len() - 10],
        "T5 INFO  event 5",
        "{}",
        ended.stdout
    );
    let json = asked(&["status", "7", "--json"]).ended.json();
    assert_eq!(json["kind"], "JobStatus");
    assert_eq!(json["items"][0]["state"], "failed");
    assert_eq!(json["items"][0]["log"].as_array().unwrap().len(), 10);
}
