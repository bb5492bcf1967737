//! `after`: which jobs a job waits for, and what becomes of it when they have no video.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use framepack_jobs::{Code, Dependency, Failure, Job, JobId, StateName, composed};

use crate::record::Record;

/// Who has which name.
#[derive(Debug)]
pub(in crate::queue) struct Dependencies<'a> {
    jobs: &'a BTreeMap<JobId, Record>,
    /// The newest two jobs of each name and key; the second for a job that waits for one of its own name.
    named: HashMap<&'a str, [Option<JobId>; 2]>,
    /// Jobs that are about to end without a video, and how.
    doomed: HashMap<JobId, StateName>,
}

impl<'a> Dependencies<'a> {
    pub(super) fn of(jobs: &'a BTreeMap<JobId, Record>, queued: &BTreeSet<JobId>) -> Self {
        let by_name = |dependency: &Dependency| matches!(dependency, Dependency::Named(_));
        let is_needed = queued
            .iter()
            .any(|id| jobs[id].job.schedule.after.iter().any(by_name));
        let mut named: HashMap<&str, [Option<JobId>; 2]> = HashMap::new();
        for record in jobs.values().filter(|_| is_needed) {
            let Job { id, name, key, .. } = &record.job;
            for word in [name.as_str(), key.as_str()] {
                let newest = named.entry(word).or_default();
                if newest[0] != Some(*id) {
                    *newest = [Some(*id), newest[0]];
                }
            }
        }
        Self {
            jobs,
            named,
            doomed: HashMap::new(),
        }
    }

    /// The first job that `job` waits for and that is not done, with its number and state if it is there; or why
    /// it will never begin.
    pub(super) fn of_job(&self, job: &Job) -> Result<Option<Missing>, Failure> {
        let mut missing = None;
        for dependency in &job.schedule.after {
            let found = self.find(dependency, job.id);
            match found {
                Some((_, StateName::Done)) => {}
                Some((id, state)) if state.is_finished() => return Err(no_video(id, state)),
                found => {
                    missing.get_or_insert_with(|| (dependency.clone(), found));
                }
            }
        }
        Ok(missing)
    }

    /// All jobs that `job` waits for and that are not done; `None`: one of them is not there.
    pub(super) fn not_done(&self, job: &Job) -> Option<Vec<JobId>> {
        let mut not_done = Vec::new();
        for dependency in &job.schedule.after {
            let (id, state) = self.find(dependency, job.id)?;
            if state != StateName::Done {
                not_done.push(id);
            }
        }
        Some(not_done)
    }

    /// The queued jobs that wait for themselves, or for such a job: they would wait for ever.
    pub(super) fn waiting_for_themselves(&self, queued: &BTreeSet<JobId>) -> Vec<JobId> {
        // Kahn's algorithm: jobs that wait for no waiting job are removed, until only cycles are left.
        let mut waits_for: HashMap<JobId, usize> = HashMap::new();
        let mut waited_for_by: HashMap<JobId, Vec<JobId>> = HashMap::new();
        let jobs = queued.iter().map(|id| &self.jobs[id].job);
        for job in jobs.filter(|job| !job.schedule.after.is_empty()) {
            let id = job.id;
            let found = (job.schedule.after.iter())
                .filter_map(|dependency| self.find(dependency, id))
                .map(|(other, _)| other)
                .filter(|other| queued.contains(other));
            let others: HashSet<JobId> = found.collect();
            waits_for.insert(id, others.len());
            for other in others {
                waited_for_by.entry(other).or_default().push(id);
            }
        }
        let is_free = |id: &JobId| waits_for.get(id).is_none_or(|others| *others == 0);
        let mut free: VecDeque<JobId> = waited_for_by.keys().copied().filter(is_free).collect();
        while let Some(id) = free.pop_front() {
            for waiting in waited_for_by.remove(&id).unwrap_or_default() {
                let others = waits_for.entry(waiting).or_default();
                *others -= 1;
                if *others == 0 {
                    free.push_back(waiting);
                }
            }
        }
        let mut circular: Vec<JobId> = waits_for
            .into_iter()
            .filter(|(_, others)| *others > 0)
            .map(|(id, _)| id)
            .collect();
        circular.sort();
        circular
    }

    pub(super) fn is_doomed(&self, job: JobId) -> bool {
        self.doomed.contains_key(&job)
    }

    pub(super) fn doom(&mut self, job: JobId, state: StateName) {
        self.doomed.insert(job, state);
    }

    fn find(&self, dependency: &Dependency, of: JobId) -> Option<(JobId, StateName)> {
        let id = match dependency {
            Dependency::Number(id) => *id,
            Dependency::Named(name) => {
                let newest = self.named.get(name.as_str());
                let newest = newest.or_else(|| self.named.get(composed(name).as_ref()))?;
                newest.iter().flatten().copied().find(|id| *id != of)?
            }
        };
        let state = self.jobs.get(&id)?.job.state.name();
        Some((id, self.doomed.get(&id).copied().unwrap_or(state)))
    }
}

/// A dependency that is not done.
type Missing = (Dependency, Option<(JobId, StateName)>);

fn no_video(id: JobId, state: StateName) -> Failure {
    let message = format!("it runs after job {id}, which is {state}");
    Failure::new(Code::DEPENDENCY_FAILED, message).naming(id)
}

/// Why a job is given up that waits for itself.
pub(in crate::queue) fn circular() -> Failure {
    let message = "circular dependency: the jobs in its `after` wait for it";
    Failure::new(Code::DEPENDENCY_CIRCLE, message)
}
