//! The devices take turns until no job is left.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use framepack_ipc::{estimate::Estimate, worker::Temperature};
use framepack_jobs::{AtEnd, Job, JobId};

use super::waits::Availability;
use crate::queue::schedule::{Lineup, SchedulingContext, Warm};

/// A window that is closed opens no sooner than this.
const MINUTE_SECS: f64 = 60.0;

/// A time from now on, or why nobody knows it.
pub(super) type Time = Result<Estimate, String>;

/// A device, and when it is free.
#[derive(Debug, Clone)]
pub(super) struct Lane {
    /// Its name.
    pub(super) device: String,
    /// When it can take the next job.
    pub(super) free: Time,
    /// What the last job leaves ready.
    pub(super) warm: Option<Warm>,
    /// How warm that is.
    pub(super) temperature: Temperature,
}

/// When a job begins and ends.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Turn {
    pub(super) begins: Time,
    pub(super) ends: Time,
    /// Whether it waits for something that does not come by itself.
    pub(super) is_stuck: bool,
}

/// Jobs on their way through the devices.
pub(super) struct Simulation<'a, 'c> {
    context: &'c SchedulingContext<'a>,
    lanes: Vec<Lane>,
    /// Those that may begin by now, in the order of the schedule.
    lineup: Lineup<'a>,
    /// From when on those in the line could begin that had to wait.
    arrivals: HashMap<JobId, Estimate>,
    waiting: BTreeMap<JobId, Waiting<'a>>,
    /// Also of jobs that run already.
    turns: HashMap<JobId, Turn>,
    /// Turns come in their order: none begins earlier than the one before it may.
    earliest_secs: f64,
    duration: &'c mut dyn FnMut(JobId, &str, Temperature) -> Time,
}

/// A job that may begin later.
#[derive(Debug)]
struct Waiting<'a> {
    job: &'a Job,
    from: Estimate,
    /// Jobs that have to end before.
    after: Vec<JobId>,
}

impl Turn {
    /// The end of a job that runs.
    pub(super) fn running(ends: Time) -> Self {
        Self {
            begins: Ok(Estimate::exactly(0.0)),
            ends,
            is_stuck: false,
        }
    }

    /// Nobody knows.
    fn unknown(why: &str) -> Self {
        Self {
            begins: Err(why.to_owned()),
            ends: Err(why.to_owned()),
            is_stuck: false,
        }
    }
}

impl<'a, 'c> Simulation<'a, 'c> {
    /// `duration`: how long a job takes on a device of a name, with this loaded.
    pub(super) fn new(
        context: &'c SchedulingContext<'a>,
        lanes: Vec<Lane>,
        lineup: Lineup<'a>,
        duration: &'c mut dyn FnMut(JobId, &str, Temperature) -> Time,
    ) -> Self {
        Self {
            context,
            lanes,
            lineup,
            arrivals: HashMap::new(),
            waiting: BTreeMap::new(),
            turns: HashMap::new(),
            earliest_secs: 0.0,
            duration,
        }
    }

    /// Adds a job that runs.
    pub(super) fn add_running(&mut self, id: JobId, ends: Time) {
        self.turns.insert(id, Turn::running(ends));
    }

    /// Adds a job that is not in the line yet.
    pub(super) fn add(&mut self, job: &'a Job, availability: Availability) {
        match availability {
            Availability::Now | Availability::Never => {}
            Availability::Later { from, after } => {
                self.waiting.insert(job.id, Waiting { job, from, after });
            }
            Availability::Unknown(why) => {
                let turn = Turn::unknown(&why);
                let is_stuck = true;
                self.turns.insert(job.id, Turn { is_stuck, ..turn });
            }
        }
    }

    /// Lets all jobs begin and end.
    pub(super) fn run(mut self) -> HashMap<JobId, Turn> {
        self.settle();
        while let Some((lane, free)) = self.next_lane() {
            self.line_up(free.secs);
            if let Some(job) = self.next_job(lane, free.secs) {
                self.begin(job, lane, free);
                self.settle();
            } else if let Some(next) = self.next_arrival() {
                self.lanes[lane].free = Ok(free.later(next));
            } else {
                break;
            }
        }
        self.give_up();
        self.turns
    }

    /// The device that is free first.
    fn next_lane(&self) -> Option<(usize, Estimate)> {
        let free = self.lanes.iter().enumerate();
        let known = free.filter_map(|(lane, state)| Some((lane, *state.free.as_ref().ok()?)));
        known.min_by(|(_, one), (_, other)| one.secs.total_cmp(&other.secs))
    }

    /// Puts those into the line that may begin by then.
    fn line_up(&mut self, secs: f64) {
        let has_come = |_: &JobId, job: &mut Waiting<'_>| job.is_free() && job.from.secs <= secs;
        for (id, waiting) in self.waiting.extract_if(.., has_come) {
            self.lineup.add(waiting.job, self.context.now());
            self.arrivals.insert(id, waiting.from);
        }
    }

    /// The next one in the line that may begin then.
    fn next_job(&mut self, lane: usize, secs: f64) -> Option<&'a Job> {
        loop {
            let job = self.lineup.next(self.lanes[lane].warm)?.job;
            let at = self.context.after(secs);
            let schedule = &job.schedule;
            if job.runs.attempts == 0 && schedule.deadline.is_some_and(|deadline| deadline < at) {
                let turn = Turn::unknown("its deadline passes before its turn");
                self.turns.insert(job.id, turn);
                self.settle();
                continue;
            }
            match schedule
                .window
                .filter(|window| !self.context.is_open(*window, at))
            {
                None => return Some(job),
                Some(window) => {
                    let opens = self.context.opens(window, at);
                    let opens_secs = opens.secs_since(self.context.now());
                    let waiting = Waiting {
                        job,
                        from: Estimate::exactly(opens_secs.max(secs + MINUTE_SECS)),
                        after: Vec::new(),
                    };
                    self.waiting.insert(job.id, waiting);
                }
            }
        }
    }

    /// When the next one may begin that is not in the line.
    fn next_arrival(&self) -> Option<Estimate> {
        let free = self.waiting.values().filter(|job| job.is_free());
        let arrivals = free.map(|job| job.from);
        arrivals.min_by(|one, other| one.secs.total_cmp(&other.secs))
    }

    /// Lets a job begin.
    fn begin(&mut self, job: &Job, lane: usize, free: Estimate) {
        let mut begins = match self.arrivals.get(&job.id) {
            Some(from) => free.later(*from),
            None => free,
        };
        if self.lanes.iter().any(|lane| lane.free.is_err()) {
            // A device of which nobody knows when it is free may take it before.
            begins.low_secs = self.earliest_secs.min(begins.low_secs);
        }
        self.earliest_secs = begins.low_secs;
        let (lane, warm) = (&mut self.lanes[lane], Warm::after(job));
        let temperature = match &lane.warm {
            Some(ready) if ready.has_model_of(&warm) => lane.temperature,
            _ => Temperature::Cold,
        };
        let duration = (self.duration)(job.id, &lane.device, temperature);
        let mut ends = duration.map(|duration| begins + duration);
        (lane.warm, lane.temperature) = (Some(warm), Temperature::Hot);
        lane.free = ends.clone().map_err(|why| {
            format!(
                "it comes behind job {}, of which is unknown how long it takes: {why}",
                job.id
            )
        });
        if let (Ok(end), Some(window)) = (&ends, job.schedule.window)
            && window.at_end() != AtEnd::Finish
            && !self.context.is_open(window, self.context.after(end.secs))
        {
            ends = Err(format!("its window {window} closes before it is done"));
        }
        let turn = Turn {
            begins: Ok(begins),
            ends,
            is_stuck: false,
        };
        self.turns.insert(job.id, turn);
    }

    /// Jobs that wait for others go by the ends of those, as far as these are known.
    fn settle(&mut self) {
        loop {
            let mut unknown = Vec::new();
            for (id, waiting) in &mut self.waiting {
                let (from, turns) = (&mut waiting.from, &self.turns);
                let mut missing = None;
                waiting.after.retain(|other| match turns.get(other) {
                    None => true,
                    Some(turn) => {
                        match &turn.ends {
                            Ok(ends) => *from = from.later(*ends),
                            Err(why) => missing = Some((*other, turn.is_stuck, why.clone())),
                        }
                        false
                    }
                });
                unknown.extend(missing.map(|missing| (*id, missing)));
            }
            if unknown.is_empty() {
                return;
            }
            for (id, (other, is_stuck, why)) in unknown {
                self.waiting.remove(&id);
                let turn = Turn::unknown(&format!("after job {other}: {why}"));
                self.turns.insert(id, Turn { is_stuck, ..turn });
            }
        }
    }

    /// No device is left for the others of which is known when it is free.
    fn give_up(&mut self) {
        let mut reasons = self
            .lanes
            .iter()
            .filter_map(|lane| lane.free.as_ref().err());
        let why = reasons.next().cloned();
        let why = why.unwrap_or_else(|| "no device is ready".to_owned());
        while let Some(turn) = self.lineup.next(None) {
            self.turns.insert(turn.job.id, Turn::unknown(&why));
        }
        for id in std::mem::take(&mut self.waiting).into_keys() {
            self.turns.insert(id, Turn::unknown(&why));
        }
    }
}

impl Waiting<'_> {
    /// Whether it waits for no other job.
    fn is_free(&self) -> bool {
        self.after.is_empty()
    }
}

impl fmt::Debug for Simulation<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation").finish_non_exhaustive()
    }
}
