//! What goes wrong, and when: made from a seed, so that a schedule that found a fault can be played again.

use framepack_ipc::queue::Boundary;

use crate::random::Random;

/// Deaths of workers that a schedule brings about itself: one fewer than a job may cause before it is given up,
/// so that a job that does nothing wrong has its video in the end, whatever else happens.
const MAX_WORKER_DEATHS: usize = 2;
/// Ends of the daemon in one schedule; ten without progress and a job is given up.
const MAX_DAEMON_DEATHS: usize = 5;

/// Jobs, and what happens to them and around them.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    pub(crate) seed: u64,
    /// What each job does, by its number in the schedule.
    pub(crate) jobs: Vec<Behaviour>,
    pub(crate) acts: Vec<Act>,
}

/// What a job makes its worker do: so many sections of two steps, and what goes wrong in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Behaviour {
    sections: usize,
    fault: Option<Fault>,
}

/// What goes wrong before the first step of a section, the first times that the job comes there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fault {
    /// In the words of the fake worker.
    kind: &'static str,
    section: usize,
    times: usize,
}

impl Behaviour {
    /// The prompt that makes the fake worker do it.
    pub(crate) fn prompt(&self) -> String {
        let script = format!("script sections={} steps=2 step_ms=2", self.sections);
        let fault = self.fault.map(
            |Fault {
                 kind,
                 section,
                 times,
             }| format!(" {kind}@{section}*{times}"),
        );
        script + &fault.unwrap_or_default()
    }
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// The file of this job arrives in the folder.
    Drop(usize, Arrival),
    /// The same job arrives once more, under another name.
    DropAgain(usize),
    /// The job comes through the socket. Its answer is kept.
    Submit(usize),
    /// A user stops the job.
    Cancel(usize),
    /// A user pauses the job, or the whole queue.
    Pause(Option<usize>, Boundary),
    Resume(Option<usize>),
    /// Nothing is left of the daemon but its files; its workers notice by themselves.
    KillDaemon,
    /// Daemon and workers at once, as when the power fails.
    KillAll,
    KillWorker,
    /// The worker stands still until the watchdog ends it, or until it is let go on.
    StopWorker,
    /// The daemon stands still for a moment.
    StopDaemon,
    ContinueAll,
    /// A byte of a checkpoint changes.
    CorruptCheckpoint,
    /// The disk is full, but for so much.
    FillDisk {
        spare_kib: usize,
    },
    FreeDisk,
    /// The wall clock is set, relative to the right time.
    SetClock {
        ahead_secs: i64,
    },
    /// Something has happened in the meantime: so many lines in the event log.
    Await {
        lines: usize,
    },
}

/// How a file comes into the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// By rename, at once.
    Renamed,
    /// Written in place, in two halves.
    Written,
    /// By a hard link.
    Linked,
}

impl Schedule {
    /// The schedule of this seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self::with(seed, |_| None)
    }

    /// One in which a disk runs full, too.
    pub(crate) fn on_a_small_disk(seed: u64) -> Self {
        Self::with(seed, |random| match random.below(6) {
            0 | 1 => Some(Act::FillDisk {
                spare_kib: random.one_of(&[0, 0, 4, 64, 512]),
            }),
            2 => Some(Act::FreeDisk),
            _ => None,
        })
    }

    /// One of the real worker: two jobs that do nothing wrong.
    pub(crate) fn of_real_work(seed: u64) -> Self {
        let innocent = Behaviour {
            sections: 2,
            fault: None,
        };
        let mut schedule = Self::with(seed, |_| None);
        schedule.jobs = vec![innocent; 2];
        schedule.acts.retain(|act| match act {
            Act::Drop(job, _)
            | Act::DropAgain(job)
            | Act::Submit(job)
            | Act::Cancel(job)
            | Act::Pause(Some(job), _)
            | Act::Resume(Some(job)) => *job < 2,
            _ => true,
        });
        schedule
    }

    /// The same jobs, and nothing that goes wrong.
    pub(crate) fn of_quiet_work() -> Self {
        let mut schedule = Self::of_real_work(0);
        schedule.acts = (0..2).map(|job| Act::Drop(job, Arrival::Renamed)).collect();
        schedule
    }

    fn with(seed: u64, other_fault: impl Fn(&mut Random) -> Option<Act>) -> Self {
        let mut random = Random::new(seed);
        let jobs: Vec<_> = (0..3 + random.below(5))
            .map(|_| behaviour(&mut random))
            .collect();
        let mut arrivals: Vec<Act> = (0..jobs.len())
            .map(|job| arrival(job, &mut random))
            .collect();
        let mut deaths = Deaths::default();
        let mut acts = Vec::new();
        while !arrivals.is_empty() || random.chance(75) {
            let act = if !arrivals.is_empty() && random.chance(45) {
                arrivals.remove(0)
            } else {
                let act = other_fault(&mut random);
                deaths.limit(act.unwrap_or_else(|| fault(jobs.len(), &mut random)))
            };
            acts.push(act);
            if random.chance(60) {
                acts.push(Act::Await {
                    lines: 1 + random.below(4),
                });
            }
        }
        Self { seed, jobs, acts }
    }
}

fn behaviour(random: &mut Random) -> Behaviour {
    let sections = 1 + random.below(4);
    let kinds = ["crash", "corrupt", "hang", "oom", "nan", "rung"];
    let fault = random.chance(40).then(|| Fault {
        kind: random.one_of(&kinds),
        section: random.below(sections),
        times: 1 + random.below(4),
    });
    // There is nothing to corrupt before the first section's end.
    let fault = fault.filter(|fault| fault.kind != "corrupt" || fault.section > 0);
    Behaviour { sections, fault }
}

fn arrival(job: usize, random: &mut Random) -> Act {
    match random.below(5) {
        0 => Act::Submit(job),
        1 => Act::Drop(job, Arrival::Written),
        2 => Act::Drop(job, Arrival::Linked),
        _ => Act::Drop(job, Arrival::Renamed),
    }
}

fn fault(jobs: usize, random: &mut Random) -> Act {
    match random.below(24) {
        0..4 => Act::KillDaemon,
        4..6 => Act::KillAll,
        6..9 => Act::KillWorker,
        9 => Act::StopWorker,
        10 => Act::StopDaemon,
        11 => Act::ContinueAll,
        12..14 => Act::CorruptCheckpoint,
        14..16 => Act::SetClock {
            ahead_secs: random.one_of(&[-86_400, -3_600, -1, 0, 1, 3_600, 86_400]),
        },
        16 => Act::Cancel(random.below(jobs)),
        17..19 => Act::DropAgain(random.below(jobs)),
        19 => Act::Await { lines: 3 },
        20..22 => Act::Pause(
            some_or_all(jobs, random),
            random.one_of(&[Boundary::Step, Boundary::Section, Boundary::Job]),
        ),
        _ => Act::Resume(some_or_all(jobs, random)),
    }
}

/// One job, or the whole queue.
fn some_or_all(jobs: usize, random: &mut Random) -> Option<usize> {
    random.chance(60).then(|| random.below(jobs))
}

/// How often something has died already.
#[derive(Debug, Default)]
struct Deaths {
    workers: usize,
    daemons: usize,
}

impl Deaths {
    /// The act, or a harmless one once it would be too much.
    fn limit(&mut self, act: Act) -> Act {
        let (deaths, most) = match act {
            Act::KillWorker | Act::StopWorker => (&mut self.workers, MAX_WORKER_DEATHS),
            Act::KillDaemon | Act::KillAll => (&mut self.daemons, MAX_DAEMON_DEATHS),
            _ => return act,
        };
        if *deaths == most {
            return Act::Await { lines: 1 };
        }
        *deaths += 1;
        act
    }
}
