//! `show`: all that there is to tell of a job.

use framepack_ipc::control::Response;
use framepack_jobs::JobState;

use crate::{
    fake_daemon::talk,
    fixtures::{done, job},
};

#[test]
fn show_tells_everything_about_a_job() {
    let jobs = vec![job(1, done())];
    talk(&["show", "1"], vec![Response::Jobs { jobs }])
        .ended
        .assert(
            0,
            "\
job        1
name       cat
state      done
submitted  2026-11-23T05:16:08.000001Z
started    2026-11-23T05:16:09.000000Z
finished   2026-11-23T05:16:19.500000Z (after 10.5 s)
device     cpu (f32)
attention  math (as in the run that was continued)
result     640x608, 145 frames, 4.83 s, 4096 bytes
attempts   1
image      /photos/cat.jpg
prompt     A cat yawns.
seed       7
video      /outputs/cat-7.mp4
key        k
",
            "",
        );
}

#[test]
fn show_tells_what_the_job_asked_of_its_attention() {
    let attention = |attention: serde_json::Value| {
        let mut done = job(1, done());
        let JobState::Done { result, .. } = &mut done.state else {
            panic!("{:?}", done.state);
        };
        result.attention = serde_json::from_value(attention).unwrap();
        let ended = talk(&["show", "1"], vec![Response::Jobs { jobs: vec![done] }]).ended;
        let mut lines = ended.stdout.lines();
        let line = lines.find(|line| line.starts_with("attention")).unwrap();
        line.to_owned()
    };
    assert_eq!(
        attention(serde_json::json!({
            "backend": "memory-efficient", "chosen_by": "setting", "mode": "standard"
        })),
        "attention  memory-efficient (set for the job; attention: standard)"
    );
    assert_eq!(
        attention(serde_json::json!({
            "backend": "torch", "chosen_by": "setting", "mode": "off", "reason": "on a processor it is torch's"
        })),
        "attention  torch (set for the job; attention: off; on a processor it is torch's)"
    );
    assert_eq!(
        attention(serde_json::json!({"backend": "torch", "chosen_by": "device", "mode": "auto"})),
        "attention  torch (chosen for the device)"
    );
}
