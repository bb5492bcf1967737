//! Faults of the models that jobs wait for: the farm is at fault, and the next job would meet it, too.
//!
//! A fault ends when a job gets past it. One job at a time tries, after pauses that grow, and at once when a look at the
//! bundle's files finds them other than before and sound. A job that does not get past it goes back to where it was.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use framepack_bundle::Look;
use framepack_ipc::control::Outage;
use framepack_jobs::{Failure, Job, JobId, Model, Timestamp};
use tracing::{info, warn};

/// Pause before the first job tries again; doubled with each that does not get past the fault.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// Time between two looks at the bundle.
const LOOK_PAUSE: Duration = Duration::from_secs(2);

/// What jobs wait for, by their model.
#[derive(Debug, Default)]
pub(super) struct Outages {
    current: BTreeMap<Model, ModelOutage>,
    looks: Looks,
}

/// A fault that jobs of one model meet.
#[derive(Debug)]
struct ModelOutage {
    model: Model,
    failure: Failure,
    since: Timestamp,
    /// Jobs that have met it since.
    tries: u32,
    /// When a job may try.
    due: Instant,
    /// The same for people.
    due_at: Timestamp,
    /// The job that tries.
    probe: Option<JobId>,
}

/// Looks at the bundle's files.
#[derive(Debug, Default)]
struct Looks {
    last: Option<Look>,
    is_looking: bool,
    next: Option<Instant>,
}

impl Outages {
    /// A job of this model met a fault.
    pub(super) fn met(&mut self, model: Model, job: JobId, failure: Failure) {
        let is_known = self.current.values().any(|known| known.is_like(&failure));
        if !is_known {
            warn!(
                code = %failure.code,
                "jobs wait until this is mended, and lose nothing: {}{}",
                failure.message,
                failure.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default()
            );
        }
        let outage = self.current.entry(model);
        let outage = outage.or_insert_with(|| ModelOutage::new(model, failure.clone()));
        // Others may meet it, too, which began before it was known.
        if outage.tries == 0 || outage.probe == Some(job) {
            outage.put_off();
        }
        outage.failure = failure;
    }

    /// The bundle is not there, which was seen before any job met it. The first job tries at once.
    pub(super) fn expect(&mut self, failure: &Failure) {
        warn!(code = %failure.code, "jobs will wait: {}", failure.message);
        for model in Model::ALL {
            let outage = ModelOutage::new(model, failure.clone());
            self.current.insert(model, outage);
        }
    }

    /// A job of this model got past everything that may be wrong with it. Whether it was the one that tried.
    pub(super) fn passed(&mut self, model: Model, job: JobId) -> bool {
        let outage = self.current.get(&model);
        if outage.is_none_or(|outage| outage.probe != Some(job)) {
            return false;
        }
        let Some(outage) = self.current.remove(&model) else {
            return false;
        };
        // What no job has met was a guess.
        self.current.retain(|_, other| other.tries > 0);
        if !self
            .current
            .values()
            .any(|other| other.is_like(&outage.failure))
        {
            info!(code = %outage.failure.code, "mended, jobs go on: {}", outage.failure.message);
        }
        // What was wrong for one model was mostly wrong for the others.
        self.try_now();
        true
    }

    /// Why a job waits.
    pub(super) fn of(&self, job: &Job) -> Option<&Failure> {
        let outage = self.current.get(&job.rendered_model())?;
        (outage.probe != Some(job.id)).then_some(&outage.failure)
    }

    /// The models of which a job may try now, given which jobs are with a worker.
    pub(super) fn due(&self, is_begun: impl Fn(JobId) -> bool) -> Vec<Model> {
        let now = Instant::now();
        let is_due = |outage: &&ModelOutage| outage.due <= now && !outage.is_tried(&is_begun);
        let due = self.current.values().filter(is_due);
        due.map(|outage| outage.model).collect()
    }

    /// Whether any job waits for a model.
    pub(super) fn is_empty(&self) -> bool {
        self.current.is_empty()
    }

    /// This job tries next.
    pub(super) fn choose(&mut self, model: Model, job: Option<JobId>) {
        if let Some(outage) = self.current.get_mut(&model) {
            outage.probe = job;
        }
    }

    /// A job of each model may try at once.
    pub(super) fn try_now(&mut self) {
        for outage in self.current.values_mut() {
            outage.due = Instant::now();
            outage.due_at = Timestamp::now();
        }
    }

    /// Whether it is time to look at the bundle; the answer is expected from then on.
    pub(super) fn wants_look(&mut self) -> bool {
        let is_due = self.looks.next.is_none_or(|next| next <= Instant::now());
        let wants = !self.current.is_empty() && !self.looks.is_looking && is_due;
        self.looks.is_looking |= wants;
        wants
    }

    /// What a look at the bundle found; `None`: its share does not answer. Whether jobs may begin now. A bundle that has
    /// become sound is tried by a job of each model; where there is none, the look has to do.
    pub(super) fn looked(&mut self, look: Option<Look>, has_jobs: impl Fn(Model) -> bool) -> bool {
        self.looks.is_looking = false;
        self.looks.next = Some(Instant::now() + LOOK_PAUSE);
        let Some(look) = look else { return false };
        let is_sound = look.findings.is_empty();
        let last = self.looks.last.replace(look);
        let is_other = last.is_some_and(|last| Some(last) != self.looks.last);
        let mut is_over = false;
        self.current.retain(|model, outage| {
            let is_mended = is_sound && !has_jobs(*model) && (is_other || outage.tries == 0);
            is_over |= is_mended;
            !is_mended
        });
        if is_over && self.current.is_empty() {
            info!("the model bundle looks sound again");
        }
        let may_try = is_sound && is_other;
        if may_try {
            self.try_now();
        }
        if self.current.is_empty() {
            self.looks = Looks::default();
        }
        may_try || is_over
    }

    /// How soon something is to be done.
    pub(super) fn patience(&self) -> Option<Duration> {
        let now = Instant::now();
        let dues = self.current.values().map(|outage| outage.due);
        // What is due waits for a job or a worker, and is no reason to hurry.
        let dues = dues.filter(|due| *due > now);
        let look = (!self.current.is_empty()).then(|| self.looks.next.unwrap_or(now + LOOK_PAUSE));
        let next = dues
            .chain(look.map(|look| look.max(now + LOOK_PAUSE / 4)))
            .min()?;
        Some(next.saturating_duration_since(now))
    }

    /// For people: a fault that all models have is one.
    pub(super) fn told(&self, is_begun: impl Fn(JobId) -> bool) -> Vec<Outage> {
        let mut told: Vec<Outage> = Vec::new();
        for outage in self.current.values() {
            let same = told.iter_mut().find(|told| {
                told.code == outage.failure.code && told.message == outage.failure.message
            });
            match same {
                Some(told) => told.models.push(outage.model),
                None => told.push(outage.told(&is_begun)),
            }
        }
        for outage in &mut told {
            if outage.models.len() == Model::ALL.len() {
                outage.models.clear();
            }
        }
        told
    }
}

impl ModelOutage {
    fn new(model: Model, failure: Failure) -> Self {
        Self {
            model,
            failure,
            since: Timestamp::now(),
            tries: 0,
            due: Instant::now(),
            due_at: Timestamp::now(),
            probe: None,
        }
    }

    fn is_like(&self, failure: &Failure) -> bool {
        self.failure.code == failure.code && self.failure.message == failure.message
    }

    /// Another job may try after a pause.
    fn put_off(&mut self) {
        let pause = FIRST_PAUSE
            .saturating_mul(2_u32.saturating_pow(self.tries))
            .min(LONGEST_PAUSE);
        self.tries += 1;
        self.probe = None;
        self.due = Instant::now() + pause;
        self.due_at = Timestamp::now().plus(pause);
    }

    fn is_tried(&self, is_begun: impl Fn(JobId) -> bool) -> bool {
        self.probe.is_some_and(is_begun)
    }

    fn told(&self, is_begun: impl Fn(JobId) -> bool) -> Outage {
        Outage {
            code: self.failure.code.clone(),
            message: self.failure.message.clone(),
            hint: self.failure.hint.clone(),
            since: self.since,
            next_try: (!self.is_tried(is_begun)).then_some(self.due_at),
            devices: Vec::new(),
            models: vec![self.model],
        }
    }
}

#[cfg(test)]
mod tests {
    use framepack_jobs::Code;

    use super::*;

    const SOUND: Look = Look {
        findings: Vec::new(),
        signature: 1,
        transformer_bytes: 0,
    };

    fn failure(code: Code) -> Failure {
        Failure::new(code, "m")
    }

    fn due(outages: &Outages) -> Vec<Model> {
        outages.due(|_| false)
    }

    #[test]
    fn a_fault_ends_when_the_job_that_tries_gets_past_it() {
        let mut outages = Outages::default();
        outages.met(Model::Original, JobId(1), failure(Code::WEIGHTS_TRUNCATED));
        assert_eq!(due(&outages), [], "not at once");
        outages.try_now();
        assert_eq!(due(&outages), [Model::Original]);
        outages.choose(Model::Original, Some(JobId(2)));
        assert_eq!(outages.due(|job| job == JobId(2)), [], "one at a time");
        // One that began before does not show that another could begin.
        assert!(!outages.passed(Model::Original, JobId(1)));
        assert!(!outages.passed(Model::F1, JobId(2)));
        assert!(outages.passed(Model::Original, JobId(2)));
        assert!(outages.is_empty());
    }

    #[test]
    fn pauses_grow_with_the_jobs_that_try_and_not_with_others() {
        let mut outages = Outages::default();
        let pause = |outages: &Outages| outages.current[&Model::Original].tries;
        for job in 1..=3 {
            outages.met(Model::Original, JobId(job), failure(Code::MODEL_POINTER));
        }
        assert_eq!(pause(&outages), 1, "they had begun before");
        outages.choose(Model::Original, Some(JobId(4)));
        outages.met(Model::Original, JobId(4), failure(Code::MODEL_POINTER));
        assert_eq!(pause(&outages), 2);
        assert_eq!(due(&outages), []);
    }

    #[test]
    fn files_that_have_changed_and_look_sound_are_tried_at_once() {
        let jobs = |_| true;
        let mut outages = Outages::default();
        outages.met(Model::F1, JobId(1), failure(Code::TENSOR_SHAPE));
        // It was as sound before: a look does not see this fault.
        assert!(!outages.looked(Some(SOUND), jobs));
        assert!(!outages.looked(Some(SOUND), jobs));
        assert!(!outages.looked(None, jobs));
        let other = Look {
            signature: 2,
            ..SOUND
        };
        assert!(outages.looked(Some(other), jobs));
        assert_eq!(due(&outages), [Model::F1]);
        // Without a job that could try, the look has to do.
        assert!(outages.looked(Some(SOUND), |_| false));
        assert!(outages.is_empty());
    }

    #[test]
    fn a_bundle_that_comes_after_the_start_ends_what_was_expected() {
        let mut outages = Outages::default();
        outages.expect(&failure(Code::MODEL_INCOMPLETE));
        assert_eq!(due(&outages), Model::ALL, "the first job tries at once");
        let told = outages.told(|_| false);
        assert_eq!(told.len(), 1, "one message: {told:?}");
        assert!(told[0].models.is_empty());
        assert!(outages.looked(Some(SOUND), |_| false));
        assert!(outages.is_empty());

        outages.expect(&failure(Code::MODEL_INCOMPLETE));
        outages.choose(Model::F1, Some(JobId(1)));
        assert!(outages.passed(Model::F1, JobId(1)));
        assert!(outages.is_empty(), "nobody has met it");
    }
}
