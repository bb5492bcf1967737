//! Faults of the models that jobs wait for: the farm is at fault, and the next job would meet it, too.
//!
//! A fault ends when a job gets past it. One job at a time tries, after pauses that grow, and at once when a look at the
//! bundle's files finds them other than before and sound. A job that does not get past it goes back to where it was.
//! While no job can try, a look that finds them so ends the fault.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use framepack_bundle::Look;
use framepack_ipc::control::Outage;
use framepack_jobs::{Failure, Job, JobId, Model};
use tracing::{info, warn};

use crate::outage::{LastingFault, News, Pauses};

/// Before a job tries again.
const PAUSES: Pauses = Pauses {
    first: Duration::from_secs(5),
    longest: Duration::from_mins(5),
};
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
    fault: LastingFault,
    /// The job that tries.
    probe: Option<JobId>,
    /// The files, as they were before it was met last.
    met_with: Option<Signature>,
    /// The same for the job that tries.
    tried_with: Option<Signature>,
    /// A look since has found them other than that, and sound.
    looks_mended: bool,
}

/// What a look at a bundle has that is other when a file is.
type Signature = u64;

/// Looks at the bundle's files.
#[derive(Debug, Default)]
struct Looks {
    last: Option<Signature>,
    is_looking: bool,
    next: Option<Instant>,
}

impl Outages {
    /// A job of this model met a fault.
    pub(super) fn met(&mut self, model: Model, job: JobId, failure: Failure) {
        let mut others = self.current.values();
        let is_told = others.any(|known| known.fault.failure().code == failure.code);
        let outage = self.current.get_mut(&model);
        let news = if let Some(outage) = outage {
            outage.met(job, failure.clone())
        } else {
            let fault = LastingFault::first_met(failure.clone(), PAUSES);
            self.current.insert(model, ModelOutage::new(fault));
            News::New
        };
        if news == News::New && !is_told {
            warn!(
                code = %failure.code,
                "jobs wait until this is mended, and lose nothing: {}{}",
                failure.message,
                failure.hint.map(|hint| format!(" ({hint})")).unwrap_or_default()
            );
        }
    }

    /// The bundle is not there, which was seen before any job met it. The first job tries at once.
    pub(super) fn expect(&mut self, failure: &Failure) {
        warn!(code = %failure.code, "jobs will wait: {}", failure.message);
        for model in Model::ALL {
            let fault = LastingFault::expected(failure.clone(), PAUSES);
            self.current.insert(model, ModelOutage::new(fault));
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
        self.current.retain(|_, other| other.fault.is_met());
        let failure = outage.fault.failure();
        let mut others = self.current.values();
        if !others.any(|other| other.fault.is_like(failure)) {
            info!(code = %failure.code, "mended, jobs go on: {}", failure.message);
        }
        // What was wrong for one model was mostly wrong for the others.
        self.try_now();
        true
    }

    /// Why a job waits.
    pub(super) fn of(&self, job: &Job) -> Option<&Failure> {
        let outage = self.current.get(&job.rendered_model())?;
        (outage.probe != Some(job.id)).then_some(outage.fault.failure())
    }

    /// The models of which a job may try now, given which jobs are with a worker.
    pub(super) fn due(&self, is_begun: impl Fn(JobId) -> bool) -> Vec<Model> {
        let is_due = |outage: &ModelOutage| outage.fault.is_due() && !outage.is_tried(&is_begun);
        let due = self.current.iter().filter(|(_, outage)| is_due(outage));
        due.map(|(model, _)| *model).collect()
    }

    /// Whether any job waits for a model.
    pub(super) fn is_empty(&self) -> bool {
        self.current.is_empty()
    }

    /// This job tries next.
    pub(super) fn choose(&mut self, model: Model, job: Option<JobId>) {
        if let Some(outage) = self.current.get_mut(&model) {
            outage.probe = job;
            outage.tried_with = self.looks.last;
        }
    }

    /// A job of each model may try at once.
    pub(super) fn try_now(&mut self) {
        for outage in self.current.values_mut() {
            outage.fault.try_now();
        }
    }

    /// Whether it is time to look at the bundle; the answer is expected from then on.
    pub(super) fn wants_look(&mut self) -> bool {
        let is_due = self.looks.next.is_none_or(|next| next <= Instant::now());
        let wants = !self.current.is_empty() && !self.looks.is_looking && is_due;
        self.looks.is_looking |= wants;
        wants
    }

    /// What a look at the bundle found; `None`: its share does not answer. Whether jobs may begin now. Files that have
    /// become sound are tried by a job of their model; where none can (`can_try`, given the one that does), the look has to do.
    pub(super) fn looked(
        &mut self,
        look: Option<Look>,
        can_try: impl Fn(Model, Option<JobId>) -> bool,
    ) -> bool {
        self.looks.is_looking = false;
        self.looks.next = Some(Instant::now() + LOOK_PAUSE);
        let Some(look) = look else { return false };
        self.looks.last = Some(look.signature);
        let count = self.current.len();
        let mut may_try = false;
        self.current.retain(|model, outage| {
            let is_new = outage.looked(*model, &look);
            let is_over = outage.looks_mended && !can_try(*model, outage.probe);
            may_try |= is_new && !is_over;
            !is_over
        });
        let is_over = self.current.len() < count;
        if is_over && self.current.is_empty() {
            info!("the model bundle looks sound again");
        }
        if self.current.is_empty() {
            self.looks = Looks::default();
        }
        may_try || is_over
    }

    /// How soon something is to be done.
    pub(super) fn patience(&self) -> Option<Duration> {
        let now = Instant::now();
        let dues = self.current.values().map(|outage| outage.fault.due());
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
        for (model, outage) in &self.current {
            let failure = outage.fault.failure();
            let same = told
                .iter_mut()
                .find(|told| told.code == failure.code && told.message == failure.message);
            match same {
                Some(told) => told.models.push(*model),
                None => told.push(Outage {
                    models: vec![*model],
                    ..outage.fault.told(outage.is_tried(&is_begun))
                }),
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
    fn new(fault: LastingFault) -> Self {
        Self {
            fault,
            probe: None,
            met_with: None,
            tried_with: None,
            looks_mended: false,
        }
    }

    /// A job met this. Others may meet it, too, which began before it was known: they say nothing new.
    fn met(&mut self, job: JobId, failure: Failure) -> News {
        if self.fault.is_met() && self.probe != Some(job) {
            return News::Known;
        }
        self.met_with = self.tried_with.take();
        self.looks_mended = false;
        self.probe = None;
        self.fault.met(failure)
    }

    /// A look found the files like this. Whether they may be mended by now, and were not before; a job may try then.
    fn looked(&mut self, model: Model, look: &Look) -> bool {
        let before = *self.met_with.get_or_insert(look.signature);
        let is_other = before != look.signature || !self.fault.is_met();
        let was_mended = self.looks_mended;
        self.looks_mended = look.is_sound_for(model) && (is_other || was_mended);
        let is_new = self.looks_mended && !was_mended;
        if is_new {
            self.fault.try_now();
        }
        is_new
    }

    fn is_tried(&self, is_begun: impl Fn(JobId) -> bool) -> bool {
        self.probe.is_some_and(is_begun)
    }
}

#[cfg(test)]
mod tests;
