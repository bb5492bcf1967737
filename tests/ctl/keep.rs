//! `cancel --keep`, and what people see of a video that was not finished.

use framepack_ipc::{
    control::{Request, Response},
    queue::{Change, ChangeOutcome, ChangeRequest, Changed, Scope},
};

use crate::{
    fake_daemon::talk,
    fixtures::{cancelled_with_video, job, running},
};

const PARTIAL: &str = "2 of 4 sections, 2.30 s of 4.83 s: its end, since this model makes a video from its end to its start image";

#[test]
fn a_job_that_ends_with_its_sections_is_cancelling() {
    let mut ending = job(1, running());
    ending.runs.keep_sections = true;
    let remark = "will be cancelled with a video of its finished section";
    let jobs = vec![Changed {
        job: Box::new(ending),
        outcome: ChangeOutcome::Stopping,
        remark: Some(remark.to_owned()),
    }];
    let answers = vec![Response::Changed { jobs, remark: None }];
    let talked = talk(&["cancel", "1", "--keep"], answers);
    let keep = Request::Change(ChangeRequest {
        scope: Scope::Jobs(vec!["1".parse().unwrap()]),
        change: Change::CancelKeep,
    });
    assert_eq!(talked.requests, [keep]);
    talked.ended.assert(
        0,
        "1\tcancelling\tsection 2/4 step 18/25\tcat\t2026-11-23T05:16:08.000001Z\t\n",
        &format!("warning: job 1 {remark}\n"),
    );
}

#[test]
fn what_is_in_the_video_is_said_wherever_the_job_is_shown() {
    let jobs = || Response::Jobs {
        jobs: vec![job(1, cancelled_with_video())],
    };
    let shown = talk(&["show", "1"], vec![jobs()]).ended;
    assert_eq!(shown.code, 0);
    let lines = [
        "state      cancelled".to_owned(),
        format!("partial    {PARTIAL}"),
        "result     640x608, 69 frames, 2.30 s, 2048 bytes".to_owned(),
    ];
    for line in lines {
        assert!(shown.stdout.contains(&line), "{line}: {}", shown.stdout);
    }
    let json = talk(&["show", "1", "--json"], vec![jobs()]).ended.json();
    let job = &json["items"][0];
    assert_eq!(job["state"], "cancelled");
    assert_eq!(job["result"]["partial"]["part"], "end");
    let listed = talk(&["list"], vec![jobs()]).ended.stdout;
    let video = format!("\t/outputs/cat-7.mp4 ({PARTIAL})\n");
    assert!(listed.ends_with(&video), "{listed}");
}
