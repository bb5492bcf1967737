//! Made-up queues on made-up devices.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use framepack_ipc::{
    estimate::{Basis, Estimate},
    worker::Temperature,
};
use framepack_jobs::{JobId, JobState, Timestamp};

use super::{
    simulation::{Lane, Simulation, Time, Turn},
    waits::availability,
};
use crate::{
    queue::{
        Submission,
        schedule::{LocalTime, SchedulingContext},
    },
    record::Record,
};

const NOON: &str = "2026-11-24T12:00:00.000000Z";

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

/// Jobs 1, 2, 3 … with these keys in their files.
fn jobs(files: &[&str]) -> BTreeMap<JobId, Record> {
    let numbered = files.iter().zip(1..);
    let record = |(keys, id): (&&str, u64)| {
        let submission = Submission::of_keys(&format!("job{id}"), keys);
        let mut record = submission.into_record(JobId(id), "/v.mp4".into());
        record.job.submitted_at = at(NOON);
        (JobId(id), record)
    };
    numbered.map(record).collect()
}

fn lane(free: Time) -> Lane {
    Lane {
        device: "a card".to_owned(),
        free,
        warm: None,
        temperature: Temperature::Cold,
    }
}

fn idle() -> Lane {
    lane(Ok(Estimate::exactly(0.0)))
}

/// A job takes 100 s, at least 90 and at most 120, and 10 s more with another model than the last one's; of a step
/// nobody knows how long it takes.
fn duration(jobs: &BTreeMap<JobId, Record>, id: JobId, temperature: Temperature) -> Time {
    if jobs[&id].job.spec.steps == Some(1) {
        return Err("never seen".to_owned());
    }
    let loading = if temperature == Temperature::Hot {
        0.0
    } else {
        10.0
    };
    Ok(Estimate {
        secs: 100.0 + loading,
        low_secs: 90.0 + loading,
        high_secs: 120.0 + loading,
        basis: Basis::Measured { jobs: 3 },
    })
}

fn simulated(jobs: &BTreeMap<JobId, Record>, lanes: Vec<Lane>) -> HashMap<JobId, Turn> {
    let is_queued = |record: &&Record| matches!(record.job.state, JobState::Queued);
    let queued = jobs.values().filter(is_queued).map(|record| record.job.id);
    let queued: BTreeSet<JobId> = queued.collect();
    let time = LocalTime {
        now: at(NOON),
        sure: at(NOON),
        zone: jiff::tz::TimeZone::UTC,
    };
    let context = SchedulingContext::new(jobs, &queued, time);
    let lineup = context.lineup(&HashMap::new(), &BTreeSet::new());
    let mut duration = |id, _: &str, temperature| duration(jobs, id, temperature);
    let mut simulation = Simulation::new(&context, lanes, lineup, &mut duration);
    let why = || "it waits".to_owned();
    simulation.add(
        context
            .queued()
            .map(|job| (job, availability(&context, job, why))),
    );
    simulation.run()
}

/// When each job begins, in seconds from noon, or why that is unknown.
fn begins(files: &[&str], lanes: Vec<Lane>) -> Vec<Result<f64, String>> {
    let jobs = jobs(files);
    let turns = simulated(&jobs, lanes);
    let begins = jobs.keys().map(|id| turns[id].begins.clone());
    begins.map(|time| time.map(|time| time.secs)).collect()
}

#[track_caller]
fn assert_begins(files: &[&str], lanes: Vec<Lane>, expected: &[f64]) {
    let expected: Vec<Result<f64, String>> = expected.iter().copied().map(Ok).collect();
    assert_eq!(begins(files, lanes), expected, "{files:?}");
}

#[test]
fn one_after_the_other_and_the_next_one_on_the_device_that_is_free_first() {
    assert_begins(&["", "", ""], vec![idle()], &[0.0, 110.0, 210.0]);
    assert_begins(&["", "priority: 5"], vec![idle()], &[110.0, 0.0]);
    let busy = lane(Ok(Estimate::exactly(130.0)));
    assert_begins(&["", "", ""], vec![busy, idle()], &[0.0, 110.0, 130.0]);
    // The model is loaded for the third one.
    assert_begins(&["", "model: f1", ""], vec![idle()], &[0.0, 210.0, 110.0]);
}

#[test]
fn ranges_add_up() {
    let jobs = jobs(&["", "", ""]);
    let end = simulated(&jobs, vec![idle()])[&JobId(3)]
        .ends
        .clone()
        .unwrap();
    assert_eq!(
        (end.low_secs, end.secs, end.high_secs),
        (280.0, 310.0, 370.0)
    );
    assert_eq!(end.basis, Basis::Measured { jobs: 3 });
}

#[test]
fn jobs_wait_for_their_time_their_window_and_other_jobs() {
    let hour = 3600.0;
    assert_begins(
        &["not_before: 2026-11-24T13:00:00Z", ""],
        vec![idle()],
        &[hour, 0.0],
    );
    assert_begins(
        &["window: 22:00-07:00", ""],
        vec![idle()],
        &[10.0 * hour, 0.0],
    );
    // The window closes before its turn comes.
    assert_begins(
        &["priority: 5", "window: 10:00-12:01"],
        vec![idle()],
        &[0.0, 22.0 * hour],
    );
    assert_begins(
        &["after: [3]", "", ""],
        vec![idle(), idle()],
        &[110.0, 0.0, 0.0],
    );
    assert_begins(
        &[
            "after: [2]",
            "after: [3]",
            "not_before: 2026-11-24T13:00:00Z",
        ],
        vec![idle()],
        &[hour + 210.0, hour + 110.0, hour],
    );
}

#[test]
fn what_cant_be_foreseen_says_why() {
    let why = |files: &[&str], job: usize| begins(files, vec![idle()]).remove(job - 1).unwrap_err();
    assert!(why(&["steps: 1", ""], 2).contains("behind job 1"));
    assert!(why(&["steps: 1", ""], 2).contains("never seen"));
    assert_eq!(
        why(&["steps: 1", "after: [1]"], 2),
        "after job 1: never seen"
    );
    assert_eq!(why(&["after: [7]"], 1), "it waits");
    assert_eq!(
        why(&["", "deadline: 2026-11-24T12:01:00Z"], 2),
        "its deadline passes before its turn"
    );
    assert_eq!(
        begins(&[""], Vec::new()),
        [Err("no device is ready".to_owned())]
    );
}

#[test]
fn a_device_of_which_nothing_is_known_may_take_a_job_earlier() {
    let unknown = lane(Err("job 9".to_owned()));
    let jobs = jobs(&["", "", ""]);
    let turns = simulated(&jobs, vec![unknown, idle()]);
    let begins = turns[&JobId(3)].begins.clone().unwrap();
    assert_eq!((begins.low_secs, begins.secs), (0.0, 210.0));
}

#[test]
fn a_job_whose_window_closes_while_it_runs_ends_later() {
    let keys = "window: {hours: \"11:00-12:01\", at_end: step}";
    let turn = simulated(&jobs(&[keys]), vec![idle()])[&JobId(1)].clone();
    assert_eq!(turn.begins, Ok(Estimate::exactly(0.0)));
    assert!(turn.ends.unwrap_err().contains("closes before it is done"));
}
