//! How long a job will still take that runs: by its own steps where it has made some, else by what others took.

use std::time::Instant;

use framepack_ipc::{
    estimate::{Basis, Estimate},
    pace::{Pace, steps_and_decodes},
    worker::Temperature,
};
use framepack_jobs::{JobState, Progress};

use super::duration::name;
use crate::{
    history::{Question, Range, Times, Work},
    queue::core::Queue,
    record::Record,
};

/// How far the steps to come may differ from those that were made.
const STEPS: Range = Range {
    mid: 1.0,
    low: 0.85,
    high: 1.2,
};
/// What is added for what no job was seen to do yet, as a share of the steps.
const UNSEEN: f64 = 0.5;

/// How long it will still take; `Err`: why nobody knows.
pub(super) fn left(queue: &Queue, record: &Record) -> Result<Estimate, String> {
    let JobState::Running {
        device,
        plan,
        progress,
        paused,
        ..
    } = &record.job.state
    else {
        return Err("it does not run".to_owned());
    };
    if *paused {
        return Err("it is paused".to_owned());
    }
    let worker = queue.runs.workers().find(|worker| worker.device == *device);
    let kind = queue.history.kind(record);
    let times = queue.history.times(&Question {
        kind: &kind,
        device: worker.map_or(device, name),
        temperature: record
            .private
            .began
            .map_or(Temperature::Cold, |began| began.temperature),
        work: plan.as_ref().map(Work::of_plan),
    });
    let Some(pace) = queue.runs.pace(record.job.id) else {
        return Err("its run has just ended".to_owned());
    };
    if let Some(progress) = progress
        && let Some(left) = by_pace(progress, pace, times.as_ref().ok())
    {
        return Ok(left);
    }
    let begun = record.private.began.map(|began| began.kept);
    let times = times?;
    let share = |sections: u32| f64::from(sections) / f64::from(times.sections.max(1));
    let kept = share(begun.unwrap_or_default().sections);
    let all = times.without([kept, kept]);
    // By the clock of the run: a pause is no progress, and neither is the machine's sleep.
    let left = all.sum().after(pace.ran(Instant::now()).as_secs_f64());
    Ok(left.estimate(all.basis))
}

/// By the job's own steps.
fn by_pace(progress: &Progress, pace: &Pace, times: Option<&Times>) -> Option<Estimate> {
    if let Some(writing) = pace.writing(Instant::now()) {
        let left = times?.writing.after(writing.as_secs_f64());
        return Some(left.estimate(Basis::Progress));
    }
    let (steps, decodes) = steps_and_decodes(progress)?;
    let secs = pace.secs_per_step()? * f64::from(steps);
    let sampling = Range::exactly(secs).times(STEPS);
    let unseen = Range {
        mid: 0.0,
        low: 0.0,
        high: UNSEEN * secs,
    };
    let share = times.map(|times| f64::from(decodes) / f64::from(times.sections.max(1)));
    let decoding = match (pace.decode_secs(), times, share) {
        (Some(secs), ..) => Range::exactly(secs * f64::from(decodes)).times(STEPS),
        (None, Some(times), Some(share)) => times.decoding.times(Range::exactly(share)),
        _ => unseen,
    };
    let writing = times.map_or(unseen, |times| times.writing);
    Some((sampling + decoding + writing).estimate(Basis::Progress))
}
