//! A job's progress, reported to a listener, and how long each phase took.

use std::{ops::ControlFlow, time::Instant};

use framepack_ipc::worker::{Phase, PhaseTime, Progress, RenderPlan, RungTaken};
use framepack_jobs::StepTimeline;

use crate::error::Error;

/// An update on a running job.
#[derive(Debug, Clone, Copy)]
pub enum Update<'a> {
    /// The request was resolved.
    Started(&'a RenderPlan),
    /// A phase began, or a step was done.
    Progress(Progress),
    /// This many sections are on the disk and need not be rendered again.
    Checkpoint(u32),
    /// What is on the disk need not be made again: the frames of so many sections, and of the next one so many steps
    /// and pieces of its frames.
    Kept {
        /// Sections.
        sections: u32,
        /// Steps.
        steps: u32,
        /// Pieces.
        pieces: u32,
    },
    /// Memory ran out; it goes on with less.
    Rung(&'a RungTaken),
}

/// Why a listener ends a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The job was cancelled.
    Cancel,
    /// It is to be continued later.
    Suspend,
}

/// Receives updates; `Break` stops the job at once. The time it takes belongs to no phase.
pub type Listener<'a> = dyn FnMut(Update<'_>) -> ControlFlow<Stop> + 'a;

/// Tracks a running job's position and times, and reports updates to its listener.
pub(crate) struct ProgressReporter<'a> {
    listener: &'a mut Listener<'a>,
    now: Progress,
    phase_began: Instant,
    phases: Vec<PhaseTime>,
}

impl<'a> ProgressReporter<'a> {
    /// For a job that starts with loading.
    pub(crate) fn new(listener: &'a mut Listener<'a>) -> Self {
        Self {
            listener,
            now: Progress {
                phase: Phase::Load,
                section: 0,
                sections: 0,
                step: 0,
                steps: 0,
                timeline: StepTimeline::default(),
            },
            phase_began: Instant::now(),
            phases: vec![],
        }
    }

    /// Tells what will be rendered.
    pub(crate) fn started(&mut self, plan: &RenderPlan) -> Result<(), Error> {
        self.now.sections = plan.sections;
        self.now.steps = plan.steps;
        goes_on(self.tell(Update::Started(plan)))
    }

    /// Begins a phase, ending the one before.
    pub(crate) fn enter(&mut self, phase: Phase) -> Result<(), Error> {
        self.end_phase();
        self.now.phase = phase;
        goes_on(self.tell(Update::Progress(self.now)))
    }

    /// It gets on with its phase.
    pub(crate) fn goes_on(&mut self) -> Result<(), Error> {
        goes_on(self.tell(Update::Progress(self.now)))
    }

    /// Begins to sample a section of which so many steps are made, some of them computed.
    pub(crate) fn sample(&mut self, step: u32, timeline: StepTimeline) -> Result<(), Error> {
        self.now.step = step;
        self.now.timeline = timeline;
        self.enter(Phase::Sample)
    }

    /// Counts a step, with which the section's timeline is this; `Break` if the job is to stop.
    pub(crate) fn step_done(&mut self, timeline: StepTimeline) -> ControlFlow<Stop> {
        self.now.step += 1;
        self.now.timeline = timeline;
        self.tell(Update::Progress(self.now))
    }

    /// So many sections are finished.
    pub(crate) fn sections_done(&mut self, sections: u32) {
        self.now.section = sections;
    }

    /// So many sections are on the disk.
    pub(crate) fn checkpoint(&mut self, sections: u32) -> Result<(), Error> {
        goes_on(self.tell(Update::Checkpoint(sections)))
    }

    /// So many steps of the section behind so many whose frames are there are on the disk.
    pub(crate) fn steps_kept(&mut self, sections: u32, steps: u32) -> ControlFlow<Stop> {
        self.tell(Update::Kept {
            sections,
            steps,
            pieces: 0,
        })
    }

    /// The frames of so many sections, and so many pieces of the next one, are on the disk.
    pub(crate) fn decoded(&mut self, sections: u32, pieces: u32) -> Result<(), Error> {
        let steps = if pieces > 0 { self.now.steps } else { 0 };
        let flow = self.tell(Update::Kept {
            sections,
            steps,
            pieces,
        });
        let are_all = sections == self.now.sections;
        match flow {
            // Nothing is left for another run but to write the video.
            ControlFlow::Break(Stop::Suspend) if are_all => Ok(()),
            flow => goes_on(flow),
        }
    }

    /// The frames of so many sections are on the disk. A job that is to stop goes on until it hears it the next time:
    /// something else has to be kept first.
    pub(crate) fn decoded_meanwhile(&mut self, sections: u32) {
        let _ = self.tell(Update::Kept {
            sections,
            steps: 0,
            pieces: 0,
        });
    }

    /// Memory ran out.
    pub(crate) fn rung(&mut self, taken: &RungTaken) -> Result<(), Error> {
        goes_on(self.tell(Update::Rung(taken)))
    }

    /// The time spent in each phase, in the order in which they first occurred.
    pub(crate) fn into_phases(mut self) -> Vec<PhaseTime> {
        self.end_phase();
        self.phases
    }

    fn tell(&mut self, update: Update<'_>) -> ControlFlow<Stop> {
        let began = Instant::now();
        let flow = (self.listener)(update);
        self.phase_began += began.elapsed();
        flow
    }

    fn end_phase(&mut self) {
        let secs = self.phase_began.elapsed().as_secs_f64();
        self.phase_began = Instant::now();
        match self.phases.iter_mut().find(|p| p.phase == self.now.phase) {
            Some(time) => time.secs += secs,
            None => self.phases.push(PhaseTime {
                phase: self.now.phase,
                secs,
            }),
        }
    }
}

/// The error by which a job ends that is to stop.
pub(crate) fn stopped(stop: Stop) -> Error {
    match stop {
        Stop::Cancel => Error::Cancelled,
        Stop::Suspend => Error::Suspended,
    }
}

fn goes_on(flow: ControlFlow<Stop>) -> Result<(), Error> {
    match flow {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(stop) => Err(stopped(stop)),
    }
}
