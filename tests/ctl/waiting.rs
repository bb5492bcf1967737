//! Why jobs wait, in `list` and `show`.

use framepack_ipc::{
    control::{Outage, Response},
    queue::{QueueEntry, QueueView, Standing},
};
use framepack_jobs::{Code, JobId, JobState};

use crate::{fake_daemon::talk, fixtures::job, jobs::all_jobs};

pub(crate) fn queue(jobs: Vec<QueueEntry>, outages: Vec<Outage>) -> Response {
    Response::Queue(QueueView {
        paused: None,
        paused_groups: Vec::new(),
        jobs,
        outages,
        drains: None,
    })
}

pub(crate) fn nothing_waits() -> Response {
    queue(Vec::new(), Vec::new())
}

#[test]
fn a_job_that_waits_says_for_what_and_what_to_do() {
    let message = "bundle /models: no such folder";
    let entry = QueueEntry {
        turn: None,
        id: JobId(4),
        name: "cat".to_owned(),
        standing: Standing::Waiting,
        priority: 0,
        group: None,
        reason: format!("waiting until the farm is mended: {message} [FP3012]"),
        until: None,
        begins: None,
        ends: None,
    };
    let outage = Outage {
        code: Code::MODEL_INCOMPLETE.into(),
        message: message.to_owned(),
        hint: Some("run `framepackctl models fetch`".to_owned()),
        since: "2026-11-23T05:16:08.000001Z".parse().unwrap(),
        next_try: None,
        trying: false,
        devices: Vec::new(),
        models: Vec::new(),
    };
    let told = format!("{}; run `framepackctl models fetch`\n", entry.reason);
    let waits = || queue(vec![entry.clone()], vec![outage.clone()]);
    let list = talk(&["list"], vec![all_jobs(), waits()]).ended.stdout;
    assert!(list.ends_with(&told), "{list}");
    let jobs = vec![job(4, JobState::Queued)];
    let show = talk(&["show", "4"], vec![Response::Jobs { jobs }, waits()]);
    let line = format!("waits      {told}");
    assert!(show.ended.stdout.contains(&line), "{}", show.ended.stdout);
}
