//! What the queue's view says of when jobs begin and end.

use std::collections::{BTreeSet, HashMap};

use framepack_ipc::{
    control::{WorkerState, WorkerStatus},
    estimate::{Estimate, Moment},
    queue::{QueueEntry, QueueView},
    worker::Temperature,
};
use framepack_jobs::{JobId, JobState, Timestamp};

use super::{
    duration::{Durations, name},
    running::left,
    simulation::{Lane, Simulation, Time, Turn},
    waits::availability,
};
use crate::queue::{core::Queue, schedule::SchedulingContext};

/// Says of each job in the view when it begins and ends, and when the queue drains. `obstacle`: why no job begins.
pub(in crate::queue) fn tell(
    queue: &Queue,
    context: &SchedulingContext<'_>,
    view: &mut QueueView,
    obstacle: Option<&str>,
) {
    let now = context.now();
    let running = running(queue);
    let lanes = match obstacle {
        None => lanes(queue, &running),
        Some(why) => vec![blocked(why)],
    };
    let mut durations = Durations::new(queue);
    let mut duration = |id, device: &str, temperature| durations.of(id, device, temperature);
    let lineup = queue.schedule.lineup(context, &BTreeSet::new());
    let mut simulation = Simulation::new(context, lanes, lineup, &mut duration);
    let reasons: HashMap<JobId, &str> = (view.jobs.iter())
        .map(|entry| (entry.id, entry.reason.as_str()))
        .collect();
    let why = |id| reasons.get(&id).copied().unwrap_or_default().to_owned();
    simulation.add(
        context
            .queued()
            .map(|job| (job, availability(context, job, || why(job.id)))),
    );
    for (id, ends) in &running {
        simulation.add_running(*id, ends.clone());
    }
    let turns = simulation.run();
    view.drains = drains(&view.jobs, &turns, now);
    for entry in &mut view.jobs {
        if let Some(turn) = turns.get(&entry.id) {
            let is_running = running.contains_key(&entry.id);
            entry.begins = (!is_running).then(|| moment(&turn.begins, now));
            entry.ends = Some(moment(&turn.ends, now));
        }
    }
}

/// When the jobs end that run.
fn running(queue: &Queue) -> HashMap<JobId, Time> {
    let running = queue.jobs.running();
    running
        .map(|record| (record.job.id, left(queue, record)))
        .collect()
}

/// The devices that may take a job, and when they are free.
fn lanes(queue: &Queue, running: &HashMap<JobId, Time>) -> Vec<Lane> {
    let is_usable =
        |worker: &&WorkerStatus| worker.outage.is_none() && worker.state != WorkerState::Faulty;
    let lane = |worker: &WorkerStatus| {
        let job = queue.jobs.running().find(|record| {
            matches!(&record.job.state, JobState::Running { device, .. } if *device == worker.device)
        });
        let free = match job.and_then(|record| Some((record.job.id, running.get(&record.job.id)?)))
        {
            None => Ok(Estimate::exactly(0.0)),
            Some((_, Ok(ends))) => Ok(*ends),
            Some((id, Err(why))) => Err(format!(
                "it comes behind job {id}, of which is unknown when it ends: {why}"
            )),
        };
        Lane {
            device: name(worker).to_owned(),
            free,
            warm: queue.schedule.warm(&worker.device),
            temperature: match worker.state {
                WorkerState::Busy => Temperature::Hot,
                _ => worker.temperature.unwrap_or(Temperature::Cold),
            },
        }
    };
    queue.runs.workers().filter(is_usable).map(lane).collect()
}

/// No device takes a job.
fn blocked(why: &str) -> Lane {
    Lane {
        device: String::new(),
        free: Err(why.to_owned()),
        warm: None,
        temperature: Temperature::Cold,
    }
}

/// When all have ended that begin by themselves.
fn drains(jobs: &[QueueEntry], turns: &HashMap<JobId, Turn>, now: Timestamp) -> Option<Moment> {
    let turns = jobs
        .iter()
        .filter_map(|entry| Some((entry.id, turns.get(&entry.id)?)));
    let mut last: Option<Estimate> = None;
    for (id, turn) in turns.filter(|(_, turn)| !turn.is_stuck) {
        match &turn.ends {
            Ok(ends) => last = Some(last.map_or(*ends, |last| last.later(*ends))),
            Err(why) => return Some(Moment::unknown(format!("job {id}: {why}"))),
        }
    }
    Some(Moment::after(now, last?))
}

fn moment(time: &Time, now: Timestamp) -> Moment {
    match time {
        Ok(estimate) => Moment::after(now, *estimate),
        Err(why) => Moment::unknown(why.as_str()),
    }
}
