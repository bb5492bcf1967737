//! The commands that are looked at, and what the daemon answers them.
//!
//! Times are those of 2020, which are told as dates whenever the tests are run, or so far from now in seconds that they
//! are told in the same words for a while.

use std::{sync::LazyLock, time::Duration};

use framepack_ipc::{
    ErrorBody,
    control::{EnableOutcome, Enabling, Response, Submission, SubmitOutcome},
    estimate::{Basis, Estimate, Moment, Prediction},
    plan::JobPlan,
    queue::{ChangeOutcome, Changed, QueueEntry, QueueView, Standing},
};
use framepack_jobs::{Code, Job, JobId, JobState, Timestamp};

use super::farm::{caches, checks, logs, scan, settings, state, status};
use crate::{
    fixtures::{cancelled, done, failed, job, running},
    plan::plan,
    waiting::nothing_waits,
};

/// A command and its answers.
pub(super) struct Case {
    /// Of its files.
    pub(super) name: &'static str,
    pub(super) arguments: &'static [&'static str],
    pub(super) answers: fn() -> Vec<Response>,
}

pub(super) fn cases() -> Vec<Case> {
    let case = |name, arguments, answers| Case {
        name,
        arguments,
        answers,
    };
    vec![
        case("list", &["list"], list),
        case("list-none", &["list"], || vec![jobs(Vec::new())]),
        case("list-no-legend", &["list", "--no-legend"], list),
        case("show", &["show", "1", "2"], || {
            vec![jobs(vec![job_1(), old(job(2, failed()))])]
        }),
        case("show-running", &["show", "3"], || {
            let mut runs = old(job(3, running()));
            if let JobState::Running { started_at, .. } = &mut runs.state {
                *started_at = at("2020-11-23T05:16:09.000000Z");
            }
            vec![jobs(vec![runs]), crate::waiting::nothing_waits()]
        }),
        case("queue", &["queue"], || vec![Response::Queue(queue())]),
        case("submit", &["submit", "cat.yaml"], || {
            vec![submitted(SubmitOutcome::Created)]
        }),
        case("submit-duplicate", &["submit", "cat.yaml"], || {
            vec![submitted(SubmitOutcome::Duplicate)]
        }),
        case("wait", &["wait", "1", "2"], || {
            let ended = [job_1(), old(job(2, failed()))];
            let jobs = ended.to_vec();
            let ended = ended.map(|job| Response::Job(Box::new(job)));
            let told = ended.into_iter().chain([Response::End]);
            [Response::Jobs { jobs }].into_iter().chain(told).collect()
        }),
        case("cancel", &["cancel", "1-3"], cancel),
        case("hold", &["hold", "4"], || {
            let mut held = job(4, JobState::Queued);
            held.runs.held = true;
            changed(vec![(held, ChangeOutcome::Changed, None)])
        }),
        case("priority", &["priority", "4", "7"], || {
            changed(vec![(
                job(4, JobState::Queued),
                ChangeOutcome::Changed,
                None,
            )])
        }),
        case("plan", &["plan", "7"], || {
            let time = Prediction::Known(known(250.0));
            vec![Response::Planned(Box::new(JobPlan {
                memory: plan(),
                time: Some(time),
            }))]
        }),
        case("ping", &["ping"], || vec![Response::Pong(status())]),
        case("doctor", &["doctor"], || {
            vec![Response::Checked { checks: checks() }]
        }),
        case("config", &["config", "show"], || {
            vec![Response::Config {
                settings: settings(),
            }]
        }),
        case("config-origin", &["config", "show", "--origin"], || {
            vec![Response::Config {
                settings: settings(),
            }]
        }),
        case("gpu", &["gpu", "enable", "cuda:1"], || {
            vec![Response::Enabled(Enabling {
                device: "cuda:1".to_owned(),
                outcome: EnableOutcome::Enabled,
            })]
        }),
        case("folder", &["folder", "scan"], || {
            vec![Response::Scanned(scan())]
        }),
        case("state", &["state", "check"], || {
            vec![Response::State(state())]
        }),
        case("logs", &["logs", "1"], logs),
        case("cache", &["cache", "ls"], || {
            vec![Response::Caches { caches: caches() }]
        }),
        case("show-due", &["show", "4"], || {
            let mut due = old(job(4, JobState::Queued));
            due.runs.retry_at = Some(at("2020-11-23T05:17:00.000000Z"));
            vec![jobs(vec![due]), nothing_waits()]
        }),
        case("explain", &["explain", "FP2004"], Vec::new),
        case("error", &["show", "99"], || {
            let error = ErrorBody::new(Code::NO_SUCH_JOB, "no such job: 99");
            vec![Response::Error(error.into())]
        }),
    ]
}

/// When a job began that is told to have run for 2 h 5 min, for half a minute.
pub(super) static RECENT: LazyLock<Timestamp> =
    LazyLock::new(|| Timestamp::now().minus(Duration::from_secs(2 * 3600 + 5 * 60 + 5)));

pub(super) fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

/// The job as it would have been in 2020.
fn old(mut job: Job) -> Job {
    job.submitted_at = at("2020-11-23T05:16:08.000001Z");
    match &mut job.state {
        JobState::Done {
            started_at,
            finished_at,
            ..
        } => {
            *started_at = at("2020-11-23T05:16:09.000000Z");
            *finished_at = at("2020-11-23T05:20:19.000000Z");
        }
        JobState::Failed { finished_at, .. } | JobState::Cancelled { finished_at, .. } => {
            *finished_at = at("2020-11-23T05:16:19.500000Z");
        }
        _ => {}
    }
    job
}

fn job_1() -> Job {
    let mut job = old(job(1, done()));
    job.spec.prompt =
        "A cat yawns, stretches, looks at the camera for a while and then walks slowly out \
                       of the picture to the left."
            .into();
    job
}

pub(super) fn jobs(jobs: Vec<Job>) -> Response {
    Response::Jobs { jobs }
}

fn list() -> Vec<Response> {
    let mut long = old(job(2, failed()));
    long.name = "shot042-take7-the-cat-walks-out-of-the-picture-to-the-left".into();
    let mut runs = job(3, running());
    runs.name = "日本語の映画".into();
    runs.schedule.group = Some("night".to_owned());
    if let JobState::Running { started_at, .. } = &mut runs.state {
        *started_at = *RECENT;
    }
    runs.submitted_at = at("2020-11-23T05:16:08.000001Z");
    let mut waits = job(4, JobState::Queued);
    waits.submitted_at = at("2020-11-23T05:16:08.000001Z");
    let mut held = job(5, JobState::Queued);
    held.runs.held = true;
    held.submitted_at = waits.submitted_at;
    held.name = "a\u{1b}[2Jb".into();
    let cancelled = old(job(112, cancelled()));
    let all = vec![job_1(), long, runs, waits, held, cancelled];
    vec![jobs(all), Response::Queue(queue())]
}

fn queue() -> QueueView {
    let entry = |id, standing, turn, reason: &str| QueueEntry {
        turn,
        id: JobId(id),
        name: "cat".to_owned(),
        standing,
        priority: 0,
        group: None,
        reason: reason.to_owned(),
        until: None,
        begins: None,
        ends: None,
    };
    let then = |secs| {
        Some(Moment::after(
            at("2020-11-23T05:16:08.000001Z"),
            known(secs),
        ))
    };
    let mut runs = entry(3, Standing::Running, None, "on cuda:0");
    runs.ends = then(250.0);
    runs.name = "日本語の映画".into();
    runs.group = Some("night".to_owned());
    let mut waits = entry(4, Standing::Waiting, None, "after job 3, which is running");
    waits.until = Some(at("2099-01-01T07:00:00.000000Z"));
    let mut next = entry(
        6,
        Standing::Ready,
        Some(1),
        "moved up: its LoRA is loaded already",
    );
    next.priority = 5;
    next.begins = then(250.0);
    next.ends = then(500.0);
    let mut held = entry(5, Standing::Held, None, "held by a user");
    held.begins = Some(Moment::unknown("held"));
    QueueView {
        paused: None,
        paused_groups: vec!["night".to_owned()],
        jobs: vec![runs, next, waits, held],
        outages: Vec::new(),
        drains: Some(Moment::unknown("job 5 is held")),
    }
}

fn known(secs: f64) -> Estimate {
    Estimate {
        secs,
        low_secs: secs,
        high_secs: secs,
        basis: Basis::Measured { jobs: 3 },
    }
}

fn submitted(outcome: SubmitOutcome) -> Response {
    let mut job = old(job(7, JobState::Queued));
    job.warnings = vec!["the picture is smaller than the video".to_owned()];
    Response::Submitted(Submission {
        job: Box::new(job),
        outcome,
        settings_differ: Vec::new(),
    })
}

fn changed(jobs: Vec<(Job, ChangeOutcome, Option<&str>)>) -> Vec<Response> {
    let jobs = jobs.into_iter().map(|(job, outcome, remark)| Changed {
        job: Box::new(old(job)),
        outcome,
        remark: remark.map(str::to_owned),
    });
    vec![Response::Changed {
        jobs: jobs.collect(),
        remark: None,
    }]
}

fn cancel() -> Vec<Response> {
    let stops = Some("will stop before its next step");
    changed(vec![
        (job(1, cancelled()), ChangeOutcome::Changed, None),
        (job(2, running()), ChangeOutcome::Stopping, stops),
        (
            job(3, done()),
            ChangeOutcome::Refused,
            Some("is already done"),
        ),
    ])
}
