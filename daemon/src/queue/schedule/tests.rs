//! Tables: what a job waits for, and who is next.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use framepack_jobs::{Dependency, JobId, JobState, Settings, StateName, Timestamp};

use super::{
    context::{Eligibility, SchedulingContext, Wait, next_change},
    dependencies::circular,
    lineup::{MAX_OVERTAKEN, Overtaken, TurnReason, Warm},
    local_time::LocalTime,
};
use crate::{queue::Submission, record::Record};

const NOON: &str = "2026-11-24T12:00:00.000000Z";

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

fn noon() -> LocalTime {
    LocalTime {
        now: at(NOON),
        sure: at(NOON),
        zone: jiff::tz::TimeZone::UTC,
    }
}

/// Jobs 1, 2, 3 … with these keys in their files, accepted an hour ago.
fn jobs(files: &[&str]) -> BTreeMap<JobId, Record> {
    let numbered = files.iter().zip(1..);
    numbered
        .map(|(keys, id)| (JobId(id), record(JobId(id), keys)))
        .collect()
}

fn record(id: JobId, keys: &str) -> Record {
    let submission = Submission::of_keys(&format!("job{id}"), keys);
    let mut record = submission.into_record(id, "/v.mp4".into());
    record.job.submitted_at = at("2026-11-24T11:00:00.000000Z");
    record
}

fn end(jobs: &mut BTreeMap<JobId, Record>, id: u64, name: StateName) {
    let finished_at = at(NOON);
    let state = match name {
        StateName::Cancelled => JobState::cancelled(finished_at),
        StateName::Expired => JobState::Expired {
            finished_at,
            failure: circular(),
        },
        StateName::Done => serde_json::from_value(serde_json::json!({
            "state": "done", "started_at": NOON, "finished_at": NOON,
            "result": {
                "video": "/v.mp4", "contact_sheet": "/c.png", "video_bytes": 1, "latents_sha256": "",
                "plan": {"width_px": 1, "height_px": 1, "sections": 1, "steps": 1, "latent_window": 9,
                    "frames": 1, "secs": 1.0},
                "warnings": [], "phases": [], "device": "cpu", "dtype": "f32", "peak_device_bytes": null,
            },
        }))
        .unwrap(),
        other => panic!("{other}"),
    };
    jobs.get_mut(&JobId(id)).unwrap().job.state = state;
}

fn queued(jobs: &BTreeMap<JobId, Record>) -> BTreeSet<JobId> {
    let records = jobs
        .values()
        .filter(|record| record.job.is(StateName::Queued));
    records.map(|record| record.job.id).collect()
}

#[track_caller]
fn eligibility(jobs: &BTreeMap<JobId, Record>, id: u64, time: LocalTime) -> Eligibility {
    let groups = BTreeSet::from(["paused".to_owned()]);
    SchedulingContext::new(jobs, &queued(jobs), time)
        .with_paused(&groups)
        .judge(&jobs[&JobId(id)].job)
}

#[test]
fn what_a_job_waits_for() {
    let later = "2026-11-24T13:00:00.000000Z";
    for (keys, expected) in [
        ("", Eligibility::Ready),
        (
            "group: paused",
            Eligibility::Waits(Wait::GroupPaused("paused".to_owned())),
        ),
        ("group: other", Eligibility::Ready),
        ("not_before: 2026-11-24T12:00:00Z", Eligibility::Ready),
        (
            "not_before: 2026-11-24T13:00:00Z",
            Eligibility::Waits(Wait::NotBefore(at(later))),
        ),
        ("deadline: 2026-11-24T12:00:01Z", Eligibility::Ready),
        ("deadline: 2026-11-24T12:00:00Z", Eligibility::Expired),
        ("window: 12:00-12:01", Eligibility::Ready),
        (
            "window: 22:00-07:00",
            Eligibility::Waits(Wait::Window {
                window: "22:00-07:00".parse().unwrap(),
                opens: at("2026-11-24T22:00:00.000000Z"),
            }),
        ),
        (
            "after: 7",
            Eligibility::Waits(Wait::After(Dependency::Number(JobId(7)), None)),
        ),
    ] {
        assert_eq!(eligibility(&jobs(&[keys]), 1, noon()), expected, "{keys}");
    }
    let mut held = jobs(&["window: 22:00-07:00"]);
    held.get_mut(&JobId(1)).unwrap().job.runs.held = true;
    assert_eq!(
        eligibility(&held, 1, noon()),
        Eligibility::Waits(Wait::Held)
    );
    let mut failed = jobs(&[""]);
    failed.get_mut(&JobId(1)).unwrap().job.runs.retry_at = Some(at(later));
    assert_eq!(
        eligibility(&failed, 1, noon()),
        Eligibility::Waits(Wait::Retry(at(later)))
    );
    let time = LocalTime {
        now: at(later),
        ..noon()
    };
    assert_eq!(eligibility(&failed, 1, time), Eligibility::Ready);
    // Nor does a clock that was set back make a pause longer than pauses are.
    failed.get_mut(&JobId(1)).unwrap().job.runs.retry_at = Some(at("2026-11-25T12:00:01.000000Z"));
    assert_eq!(eligibility(&failed, 1, noon()), Eligibility::Ready);
    // A clock that is not believed lets no deadline pass.
    let unsure = LocalTime {
        sure: at("2026-11-24T11:59:59.000000Z"),
        ..noon()
    };
    let due = jobs(&["deadline: 2026-11-24T12:00:00Z"]);
    assert_eq!(eligibility(&due, 1, unsure), Eligibility::Ready);
    // A deadline is one for the begin.
    let mut begun = jobs(&["deadline: 2026-11-24T12:00:00Z"]);
    begun.get_mut(&JobId(1)).unwrap().job.runs.attempts = 1;
    assert_eq!(eligibility(&begun, 1, noon()), Eligibility::Ready);
}

#[test]
fn a_job_runs_after_those_that_it_names() {
    let mut jobs = jobs(&[
        "name: a",
        "name: b, key: take",
        "after: [1, b]",
        "after: job2",
    ]);
    let waits = |dependency, id| {
        let found = Some((JobId(id), StateName::Queued));
        Eligibility::Waits(Wait::After(dependency, found))
    };
    let named = |name: &str| Dependency::Named(name.to_owned());
    assert_eq!(
        eligibility(&jobs, 3, noon()),
        waits(Dependency::Number(JobId(1)), 1)
    );
    assert_eq!(eligibility(&jobs, 4, noon()), waits(named("job2"), 2));
    end(&mut jobs, 1, StateName::Done);
    assert_eq!(eligibility(&jobs, 3, noon()), waits(named("b"), 2));
    end(&mut jobs, 2, StateName::Done);
    assert_eq!(eligibility(&jobs, 3, noon()), Eligibility::Ready);
    assert_eq!(eligibility(&jobs, 4, noon()), Eligibility::Ready);
    for state in [StateName::Cancelled, StateName::Expired] {
        end(&mut jobs, 2, state);
        let Eligibility::Fails(failure) = eligibility(&jobs, 3, noon()) else {
            panic!("it can't begin any more");
        };
        assert_eq!(failure.code, "FP7201");
        assert_eq!(
            failure.message,
            format!("it runs after job 2, which is {state}")
        );
    }
}

#[test]
fn a_name_means_its_newest_job_but_not_the_one_that_waits() {
    let mut jobs = jobs(&[
        "name: shot",
        "name: shot",
        "name: shot, after: shot",
        "name: x, after: shot",
    ]);
    end(&mut jobs, 2, StateName::Done);
    assert_eq!(eligibility(&jobs, 3, noon()), Eligibility::Ready);
    let found = Some((JobId(3), StateName::Queued));
    let expected = Wait::After(Dependency::Named("shot".to_owned()), found);
    assert_eq!(eligibility(&jobs, 4, noon()), Eligibility::Waits(expected));
}

#[test]
fn circles_are_found_with_all_that_wait_for_them() {
    for (files, expected) in [
        (&["", "after: 1", "after: [1, 2]"][..], &[][..]),
        (&["after: 2", "after: 3", "after: 1", ""], &[1, 2, 3]),
        (&["after: 1"], &[1]),
        (
            &["after: 2", "after: 1", "after: 2", "after: 9"],
            &[1, 2, 3],
        ),
        (&["name: a, after: b", "name: b, after: c", "name: c"], &[]),
        (&["name: a, after: b", "name: b, after: a"], &[1, 2]),
    ] {
        let jobs = jobs(files);
        let queued = queued(&jobs);
        let found = SchedulingContext::new(&jobs, &queued, noon()).waiting_for_themselves();
        let expected: Vec<JobId> = expected.iter().map(|id| JobId(*id)).collect();
        assert_eq!(found, expected, "{files:?}");
    }
}

/// The numbers of the jobs in their order, for a device that begins with this job's models.
fn order(jobs: &BTreeMap<JobId, Record>, warm: Option<u64>) -> Vec<(u64, TurnReason)> {
    let queued = queued(jobs);
    let mut lineup =
        SchedulingContext::new(jobs, &queued, noon()).lineup(&Overtaken::new(), &BTreeSet::new());
    let mut warm = warm.map(|id| Warm::after(&jobs[&JobId(id)].job));
    let mut order = Vec::new();
    while let Some(turn) = lineup.next(warm) {
        warm = Some(Warm::after(turn.job));
        order.push((turn.job.id.0, turn.why));
    }
    order
}

#[test]
fn priority_then_number_then_what_is_warm() {
    use TurnReason::{Encoded, ModelLoaded, Order};
    for (files, warm, expected) in [
        (&[][..], None, &[][..]),
        (&["", "", ""], None, &[(1, Order), (2, Order), (3, Order)]),
        (
            &["prompt: a", "priority: -1", "priority: 2", "prompt: b"],
            None,
            &[(3, Order), (1, Order), (4, Order), (2, Order)],
        ),
        (
            &[
                "prompt: a",
                "model: f1",
                "prompt: b",
                "prompt: a",
                "model: f1",
            ],
            None,
            &[
                (1, Order),
                (4, Encoded),
                (3, ModelLoaded),
                (2, Order),
                (5, Order),
            ],
        ),
        (
            &["prompt: a", "model: f1", "prompt: b"],
            Some(2),
            &[(2, Encoded), (1, Order), (3, Order)],
        ),
    ] {
        assert_eq!(order(&jobs(files), warm), expected, "{files:?}");
    }
}

#[test]
fn a_day_of_waiting_counts_as_a_point_of_priority() {
    let mut jobs = jobs(&["priority: 3", "priority: 5"]);
    let order_on = |jobs: &BTreeMap<JobId, Record>| order(jobs, None)[0].0;
    assert_eq!(order_on(&jobs), 2);
    jobs.get_mut(&JobId(1)).unwrap().job.submitted_at = at("2026-11-21T12:00:00.000000Z");
    assert_eq!(order_on(&jobs), 1, "3 + 3 days against 5");
}

#[test]
fn nothing_starves_however_many_warm_jobs_come() {
    let mut jobs = jobs(&["model: f1", "prompt: a"]);
    let mut overtaken = Overtaken::new();
    let mut warm = Some(Warm::after(&jobs[&JobId(2)].job));
    for began in 0.. {
        let queued = queued(&jobs);
        let mut lineup =
            SchedulingContext::new(&jobs, &queued, noon()).lineup(&overtaken, &BTreeSet::new());
        let next = lineup.next(warm).unwrap().job;
        let (id, left) = (next.id, Warm::after(next));
        overtaken = lineup.into_overtaken();
        if id == JobId(1) {
            assert_eq!(began, MAX_OVERTAKEN);
            return;
        }
        warm = Some(left);
        jobs.remove(&id);
        // Somebody drops another one for the model that is loaded.
        let id = JobId(id.0 + 1);
        jobs.insert(id, record(id, "prompt: a"));
    }
}

#[test]
fn a_low_priority_runs_though_higher_ones_come_every_day() {
    let mut jobs = jobs(&["priority: 0"]);
    let mut now = at(NOON);
    for day in 0..20 {
        let id = JobId(day + 2);
        let mut rival = record(id, "priority: 10");
        rival.job.submitted_at = now;
        jobs.insert(id, rival);
        let time = LocalTime { now, ..noon() };
        let queued = queued(&jobs);
        let next = SchedulingContext::new(&jobs, &queued, time)
            .lineup(&Overtaken::new(), &BTreeSet::new())
            .next(None)
            .unwrap();
        if next.job.id == JobId(1) {
            assert_eq!(day, 10);
            return;
        }
        let began = next.job.id;
        jobs.remove(&began);
        now = now.plus(Duration::from_hours(24));
    }
    panic!("it never began");
}

#[test]
fn ten_thousand_jobs_come_out_once_each() {
    let files: Vec<String> = (0..10_000)
        .map(|n| {
            format!(
                "prompt: p{}, priority: {}, model: {}",
                n % 7,
                n % 3,
                ["original", "f1"][n % 2]
            )
        })
        .collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let jobs = jobs(&files);
    let order = order(&jobs, None);
    let once: BTreeSet<u64> = order.iter().map(|(id, _)| *id).collect();
    assert_eq!((order.len(), once.len()), (10_000, 10_000));
    let priorities: Vec<i32> = order
        .iter()
        .map(|(id, _)| jobs[&JobId(*id)].job.schedule.priority)
        .collect();
    assert!(priorities.is_sorted_by(|a, b| a >= b));
}

#[test]
fn when_a_verdict_may_change() {
    let files = [
        "",
        "not_before: 2026-11-24T13:00:00Z, deadline: 2026-11-24T14:00:00Z",
        "window: 22:00-07:00, deadline: 2026-11-24T14:00:00Z",
        "deadline: 2026-11-24T14:00:00Z",
    ];
    let jobs = jobs(&files);
    let queued = queued(&jobs);
    let context = SchedulingContext::new(&jobs, &queued, noon());
    let changes: Vec<_> = context
        .queued()
        .map(|job| next_change(job, &context.judge(job), [at(NOON); 2]))
        .collect();
    let hour = |hour: u32| Some(at(&format!("2026-11-24T{hour}:00:00.000000Z")));
    assert_eq!(changes, [None, hour(13), hour(14), hour(14)]);
}

#[test]
fn what_is_loaded_goes_by_the_farms_defaults_too() {
    let mut jobs = jobs(&["model: f1", "model: original", "priority: 0"]);
    let loaded = |jobs: &BTreeMap<JobId, Record>, id| Warm::after(&jobs[&JobId(id)].job);
    assert_eq!(loaded(&jobs, 3), loaded(&jobs, 2));
    let mut farm = Settings::default();
    farm.set("model", "f1".into());
    jobs.get_mut(&JobId(3)).unwrap().job.farm_defaults = farm;
    assert_eq!(loaded(&jobs, 3), loaded(&jobs, 1));
}

#[test]
fn a_job_that_is_to_end_with_its_sections_is_first_and_waits_for_nothing_of_its_own() {
    let files = [
        "priority: 1000",
        "group: night, not_before: 2030-01-01T00:00:00Z, window: 22:00-06:00",
    ];
    let mut jobs = jobs(&files);
    let runs = &mut jobs.get_mut(&JobId(2)).unwrap().job.runs;
    (runs.keep_sections, runs.sections_done, runs.attempts) = (true, 1, 1);
    runs.held = true;
    let order = order(&jobs, None);
    assert_eq!(order[0].0, 2);
    let queued: BTreeSet<JobId> = jobs.keys().copied().collect();
    let paused = BTreeSet::from(["night".to_owned()]);
    let judge = |jobs: &BTreeMap<JobId, Record>| {
        let context = SchedulingContext::new(jobs, &queued, noon()).with_paused(&paused);
        context.judge(&jobs[&JobId(2)].job)
    };
    assert_eq!(judge(&jobs), Eligibility::Ready);
    let again = at("2026-11-24T12:00:10.000000Z");
    jobs.get_mut(&JobId(2)).unwrap().job.runs.retry_at = Some(again);
    assert_eq!(judge(&jobs), Eligibility::Waits(Wait::Retry(again)));
}
