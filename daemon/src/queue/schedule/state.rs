//! The owner of what decides when jobs begin, beside the jobs themselves.

use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
    time::{Duration, Instant},
};

use framepack_bundle::Look;
use framepack_ipc::control::Outage;
use framepack_jobs::{Failure, Job, JobId, JobState, Model, StateName, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tracing::{info, warn};

use super::{
    context::SchedulingContext,
    lineup::{Lineup, Overtaken, Warm},
    local_time::LocalTime,
    outage::Outages,
    silence::Silence,
    sweep::doomed,
};
use crate::{
    disk::{DiskFull, SilentShares},
    queue::jobs::Jobs,
    store::StoreError,
};

/// Where the store keeps the pauses.
const PAUSES: &str = "pauses";
/// How often a full disk is looked at again.
const LOOK_FOR_ROOM: Duration = Duration::from_secs(3);

/// What users have paused; survives the daemon.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
struct Pauses {
    /// No job begins.
    all: bool,
    /// No job of these groups begins.
    groups: BTreeSet<String>,
}

/// Pauses, what devices have ready, and when there is something to be decided.
#[derive(Debug)]
pub(in crate::queue) struct Schedule {
    pauses: Pauses,
    /// By device: what its last job has left ready.
    warm: HashMap<String, Warm>,
    overtaken: Overtaken,
    /// Something has changed that may let a job begin.
    may_begin: bool,
    /// Something has changed that may end a job that waits.
    may_end: bool,
    /// When either may be so by itself.
    due: Option<Timestamp>,
    /// The time of the last look.
    looked_at: Option<Timestamp>,
    /// Why the next job has no room on the disks, and when to look again.
    no_room: Option<(DiskFull, Instant)>,
    /// It had none when it was looked at last.
    had_no_room: bool,
    silent: Silence,
    outages: Outages,
}

impl Schedule {
    pub(in crate::queue) fn open(
        jobs: &Jobs,
        silent: watch::Receiver<SilentShares>,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            pauses: jobs.note(PAUSES)?.unwrap_or_default(),
            warm: HashMap::new(),
            overtaken: Overtaken::new(),
            may_begin: true,
            may_end: true,
            due: None,
            looked_at: None,
            no_room: None,
            had_no_room: false,
            silent: Silence::new(silent),
            outages: Outages::default(),
        })
    }

    /// A job has come, ended or been changed: all others are looked at again.
    pub(in crate::queue) fn look_again(&mut self) {
        self.may_begin = true;
        self.may_end = true;
    }

    /// A worker is free, or a job is: another turn may come.
    pub(in crate::queue) fn look_for_turns(&mut self) {
        self.may_begin = true;
    }

    /// Whether a job may begin for all that is known; until something changes, this is asked once.
    pub(in crate::queue) fn takes_turns(&mut self) -> bool {
        let now = Instant::now();
        let is_full = self.no_room.as_ref().is_some_and(|(_, again)| *again > now);
        !is_full && !self.pauses.all && std::mem::take(&mut self.may_begin)
    }

    /// What is looked at when jobs are judged.
    pub(in crate::queue) fn context<'a>(
        &'a self,
        jobs: &'a Jobs,
        time: LocalTime,
    ) -> SchedulingContext<'a> {
        self.but_for_outages(jobs, time).with_outages(&self.outages)
    }

    /// The same as if all models could be used.
    fn but_for_outages<'a>(&'a self, jobs: &'a Jobs, time: LocalTime) -> SchedulingContext<'a> {
        SchedulingContext::new(jobs.all(), jobs.queued(), time)
            .with_paused(&self.pauses.groups)
            .with_silent(&self.silent)
    }

    /// The jobs that may begin, in their order, but for those of `others`.
    pub(in crate::queue) fn lineup<'a>(
        &self,
        context: &SchedulingContext<'a>,
        others: &BTreeSet<JobId>,
    ) -> Lineup<'a> {
        context.lineup(&self.overtaken, others)
    }

    /// So many turns were taken.
    pub(in crate::queue) fn note_turns(&mut self, turns: usize, overtaken: Overtaken) {
        self.overtaken = overtaken;
        if turns == 0 {
            // There is no next job that could lack room.
            self.no_room = None;
        }
    }

    /// What a device has ready.
    pub(in crate::queue) fn warm(&self, device: &str) -> Option<Warm> {
        self.warm.get(device).copied()
    }

    /// A device gets this job.
    pub(in crate::queue) fn note_begun(&mut self, device: &str, job: &Job) {
        self.warm.insert(device.to_owned(), Warm::after(job));
    }

    /// A device has loaded a model without a job.
    pub(in crate::queue) fn note_loaded(&mut self, device: &str, model: Model) {
        self.warm.insert(device.to_owned(), Warm::with(model));
    }

    /// A device has a new process, which has loaded nothing yet, or has given all up.
    pub(in crate::queue) fn note_cold(&mut self, device: &str) {
        self.warm.remove(device);
    }

    /// A job has ended.
    pub(in crate::queue) fn note_ended(&mut self, id: JobId) {
        self.overtaken.remove(&id);
    }

    /// A job is another one now, or none: all others are looked at again.
    pub(in crate::queue) fn note_replaced(&mut self, id: JobId) {
        self.silent.forget(id);
        self.look_again();
    }

    /// Whether a queued job waits for itself, or for such a job: both would fail.
    pub(in crate::queue) fn waits_for_itself(
        &self,
        jobs: &Jobs,
        time: LocalTime,
        id: JobId,
    ) -> bool {
        let context = self.but_for_outages(jobs, time);
        context.waiting_for_themselves().contains(&id)
    }

    /// The jobs that can't begin any more, and how they end; nothing where nothing may have changed.
    pub(in crate::queue) fn sweep(
        &mut self,
        jobs: &Jobs,
        time: LocalTime,
    ) -> Vec<(JobId, JobState)> {
        // What was due later may be due now, if the clock was set back.
        let is_back = self.looked_at.replace(time.now) > Some(time.now);
        let is_due = self.may_end || is_back || self.due.is_some_and(|due| due <= time.now);
        if !is_due {
            return Vec::new();
        }
        let now = time.now;
        let (doomed, due) = doomed(self.context(jobs, time), now);
        self.may_begin = true;
        self.due = due;
        doomed
    }

    /// They have ended. Whoever waited for one of them was among them.
    pub(in crate::queue) fn swept(&mut self) {
        self.may_end = false;
    }

    /// The next job has no room on the disks: until it has, none begins.
    pub(in crate::queue) fn note_no_room(&mut self, full: DiskFull) {
        if !self.had_no_room {
            warn!("no job starts: {full}");
        }
        self.had_no_room = true;
        self.no_room = Some((full, Instant::now() + LOOK_FOR_ROOM));
    }

    /// A job had room.
    pub(in crate::queue) fn note_room(&mut self) {
        self.no_room = None;
        if std::mem::take(&mut self.had_no_room) {
            info!("there is enough disk space again");
        }
    }

    /// From time to time jobs are tried again on a full disk.
    pub(in crate::queue) fn look_for_room(&mut self) {
        let now = Instant::now();
        let is_due = self
            .no_room
            .as_ref()
            .is_some_and(|(_, again)| *again <= now);
        self.may_begin |= is_due;
    }

    /// A job met a share that does not answer.
    pub(in crate::queue) fn note_silent(&mut self, job: JobId, share: PathBuf) {
        self.silent.met(job, share);
    }

    /// Other shares answer than before, or it is time to look again.
    pub(in crate::queue) fn look_at_shares(&mut self) {
        if self.silent.look() {
            self.may_begin = true;
        }
    }

    /// A job met a fault of its model, or one is known of before any did.
    pub(in crate::queue) fn note_outage(&mut self, met: Option<&Job>, failure: Failure) {
        match met {
            Some(job) => self.outages.met(job.rendered_model(), job.id, failure),
            None => self.outages.expect(&failure),
        }
        self.may_begin = true;
    }

    /// A job has its model loaded and works with it.
    pub(in crate::queue) fn note_passed(&mut self, job: &Job) {
        if !self.outages.is_empty() && self.outages.passed(job.rendered_model(), job.id) {
            self.look_again();
        }
    }

    /// What jobs wait for is tried at once: a user says so.
    pub(in crate::queue) fn try_outages(&mut self) {
        self.outages.try_now();
        self.may_begin = true;
    }

    /// Lets one job of each model try that may do so now. `is_begun`: whether a job is with a worker, or about to be.
    pub(in crate::queue) fn choose_probes(
        &mut self,
        jobs: &Jobs,
        time: &LocalTime,
        others: &BTreeSet<JobId>,
        is_begun: impl Fn(JobId) -> bool,
    ) {
        for model in self.outages.due(is_begun) {
            self.outages.choose(model, None);
            let context = self.but_for_outages(jobs, time.clone());
            let mut ready = context.lineup(&self.overtaken, others);
            let mut turns = std::iter::from_fn(|| ready.next(None));
            let first = turns.find(|turn| turn.job.rendered_model() == model);
            let first = first.map(|turn| turn.job.id);
            self.outages.choose(model, first);
        }
    }

    /// From time to time jobs try again.
    pub(in crate::queue) fn look_at_outages(&mut self, is_begun: impl Fn(JobId) -> bool) {
        self.may_begin |= !self.outages.due(is_begun).is_empty();
    }

    /// Whether the bundle is to be looked at now.
    pub(in crate::queue) fn wants_look(&mut self) -> bool {
        self.outages.wants_look()
    }

    /// What such a look found.
    pub(in crate::queue) fn note_look(&mut self, jobs: &Jobs, time: LocalTime, look: Option<Look>) {
        let models = if self.pauses.all || self.no_room.is_some() {
            BTreeSet::new()
        } else {
            self.but_for_outages(jobs, time).models()
        };
        let can_try = |model: Model, probe: Option<JobId>| {
            let probe = probe.and_then(|id| jobs.get(id));
            models.contains(&model) || probe.is_some_and(|probe| probe.job.is(StateName::Running))
        };
        self.may_begin |= self.outages.looked(look, can_try);
    }

    /// What jobs wait for, for people.
    pub(in crate::queue) fn outages(&self, is_begun: impl Fn(JobId) -> bool) -> Vec<Outage> {
        self.outages.told(is_begun)
    }

    /// No job begins, or they do again.
    pub(in crate::queue) fn pause_all(&mut self, jobs: &mut Jobs, paused: bool) {
        self.pauses.all = paused;
        jobs.put_note(PAUSES, &self.pauses);
    }

    /// No job of the group begins, or they do again.
    pub(in crate::queue) fn pause_group(&mut self, jobs: &mut Jobs, group: &str, paused: bool) {
        if paused {
            self.pauses.groups.insert(group.to_owned());
        } else {
            self.pauses.groups.remove(group);
        }
        jobs.put_note(PAUSES, &self.pauses);
    }

    /// Whether no job begins since a user has said so.
    pub(in crate::queue) fn is_paused(&self) -> bool {
        self.pauses.all
    }

    /// Whether something has changed that the next look at the jobs is for.
    pub(in crate::queue) fn wants_turns(&self) -> bool {
        self.may_begin || self.may_end
    }

    pub(in crate::queue) fn paused_groups(&self) -> &BTreeSet<String> {
        &self.pauses.groups
    }

    /// Why no job begins, while that is so.
    pub(in crate::queue) fn paused(&self) -> Option<String> {
        if self.pauses.all {
            return Some("the queue is paused; `framepackctl resume --all` resumes it".to_owned());
        }
        self.no_room.as_ref().map(|(full, _)| full.to_string())
    }

    /// Why the next job has no room on the disks.
    pub(in crate::queue) fn no_room(&self) -> Option<&DiskFull> {
        self.no_room.as_ref().map(|(full, _)| full)
    }

    /// How soon the jobs that wait are to be looked at again; `None`: nothing depends on the time.
    pub(in crate::queue) fn patience(&self, longest: Duration) -> Option<Duration> {
        let now = Timestamp::now();
        let patience = match self.due {
            Some(due) if due > now => {
                Some(longest.min(Duration::from_secs_f64(due.secs_since(now))))
            }
            Some(_) => Some(longest),
            None => self.no_room.as_ref().map(|_| longest),
        };
        let others = [self.silent.patience(), self.outages.patience()];
        others.into_iter().flatten().chain(patience).min()
    }
}
