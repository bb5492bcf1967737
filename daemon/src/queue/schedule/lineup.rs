//! The order of the jobs that may begin.
//!
//! By priority, then by number; each whole day that a job has waited counts as a point of priority, so that none
//! waits for ever. A job that is only to end with the sections that it has goes before all others. Among jobs of one priority, one that the device is warm for goes first, but the job whose turn it
//! is by number is not overtaken more than [`MAX_OVERTAKEN`] times.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
};

use framepack_jobs::{Job, JobId, Model, Timestamp};

/// How often a job lets others go first for which the device is warm. Loading a model costs a part of a job's time,
/// so this many jobs for one change of models are enough.
pub(in crate::queue) const MAX_OVERTAKEN: u32 = 20;
const SECS_PER_DAY: f64 = 24.0 * 60.0 * 60.0;

/// How often each job was overtaken.
pub(in crate::queue) type Overtaken = HashMap<JobId, u32>;

/// What a device has ready after a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::queue) struct Warm {
    /// The transformer.
    model: Model,
    /// The embeddings: a hash of prompts and image. The image goes by its path, and two contents may have one
    /// hash, since this only decides an order.
    content: u64,
}

impl Warm {
    /// What is ready after this job.
    pub(in crate::queue) fn after(job: &Job) -> Self {
        let mut content = DefaultHasher::new();
        let spec = job.rendered_spec();
        (&spec.prompt, &spec.negative_prompt, &job.image).hash(&mut content);
        Self {
            model: spec.model,
            content: content.finish(),
        }
    }

    /// Whether the transformer is ready that another job needs.
    pub(in crate::queue) fn has_model_of(&self, other: &Self) -> bool {
        self.model == other.model
    }
}

/// A job whose turn it is.
#[derive(Debug, Clone, Copy)]
pub(in crate::queue) struct Turn<'a> {
    pub(in crate::queue) job: &'a Job,
    pub(in crate::queue) why: TurnReason,
}

/// Why it is this job's turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::queue) enum TurnReason {
    /// Its priority and its number.
    Order,
    /// It goes ahead: its model is loaded.
    ModelLoaded,
    /// It goes ahead: its model is loaded, and its prompt and image are encoded.
    Encoded,
}

/// Jobs that may begin. Each turn takes one out.
#[derive(Debug)]
pub(in crate::queue) struct Lineup<'a> {
    levels: BTreeMap<Reverse<i64>, PriorityLevel<'a>>,
    overtaken: Overtaken,
}

/// Jobs of one priority.
#[derive(Debug, Default)]
struct PriorityLevel<'a> {
    jobs: BTreeMap<JobId, (&'a Job, Warm)>,
    by_model: HashMap<Model, BTreeSet<JobId>>,
    by_warm: HashMap<Warm, BTreeSet<JobId>>,
}

impl<'a> Lineup<'a> {
    pub(super) fn new(
        ready: impl Iterator<Item = &'a Job>,
        now: Timestamp,
        overtaken: &Overtaken,
    ) -> Self {
        let mut lineup = Self {
            levels: BTreeMap::new(),
            overtaken: overtaken.clone(),
        };
        for job in ready {
            lineup.add(job, now);
        }
        lineup
    }

    /// Adds a job that may begin now, too.
    pub(in crate::queue) fn add(&mut self, job: &'a Job, now: Timestamp) {
        let level = self.levels.entry(Reverse(rank(job, now)));
        level.or_default().add(job);
    }

    /// How often each job was overtaken, with the turns that were taken.
    pub(in crate::queue) fn into_overtaken(self) -> Overtaken {
        self.overtaken
    }

    /// The job that a device with this ready gets next.
    pub(in crate::queue) fn next(&mut self, warm: Option<Warm>) -> Option<Turn<'a>> {
        let mut level = self.levels.first_entry()?;
        let turn = level.get_mut().next(warm, &mut self.overtaken)?;
        if level.get().jobs.is_empty() {
            level.remove();
        }
        Some(turn)
    }
}

/// A job's priority, with a point for each day that it has waited.
fn rank(job: &Job, now: Timestamp) -> i64 {
    if job.runs.keep_sections {
        return i64::MAX;
    }
    let days = now.secs_since(job.submitted_at) / SECS_PER_DAY;
    i64::from(job.schedule.priority) + days as i64
}

impl<'a> PriorityLevel<'a> {
    fn add(&mut self, job: &'a Job) {
        let warm = Warm::after(job);
        self.by_model.entry(warm.model).or_default().insert(job.id);
        self.by_warm.entry(warm).or_default().insert(job.id);
        self.jobs.insert(job.id, (job, warm));
    }

    fn next(&mut self, warm: Option<Warm>, overtaken: &mut Overtaken) -> Option<Turn<'a>> {
        let (&first, _) = self.jobs.first_key_value()?;
        let is_patient = overtaken.get(&first).copied().unwrap_or(0) < MAX_OVERTAKEN;
        let (id, why) = warm
            .filter(|_| is_patient)
            .and_then(|warm| self.warm_for(warm))
            .filter(|(id, _)| *id != first)
            .unwrap_or((first, TurnReason::Order));
        if id != first {
            *overtaken.entry(first).or_default() += 1;
        }
        overtaken.remove(&id);
        let job = self.take(id)?;
        Some(Turn { job, why })
    }

    /// The first job that needs what is ready.
    fn warm_for(&self, warm: Warm) -> Option<(JobId, TurnReason)> {
        let encoded = self.by_warm.get(&warm).and_then(BTreeSet::first);
        if let Some(id) = encoded {
            return Some((*id, TurnReason::Encoded));
        }
        let loaded = self.by_model.get(&warm.model).and_then(BTreeSet::first);
        loaded.map(|id| (*id, TurnReason::ModelLoaded))
    }

    fn take(&mut self, id: JobId) -> Option<&'a Job> {
        let (job, warm) = self.jobs.remove(&id)?;
        self.by_model.get_mut(&warm.model)?.remove(&id);
        let same = self.by_warm.get_mut(&warm)?;
        same.remove(&id);
        if same.is_empty() {
            self.by_warm.remove(&warm);
        }
        Some(job)
    }
}
