//! Where a job is, told to whoever listens, and how long each phase took.

use std::{ops::ControlFlow, time::Instant};

use framepack_ipc::worker::{Phase, PhaseTime, Progress, RenderPlan};

use crate::error::Error;

/// News of a running job.
#[derive(Debug, Clone, Copy)]
pub enum Update<'a> {
    /// The request was resolved.
    Started(&'a RenderPlan),
    /// A phase began, or a step was done.
    Progress(Progress),
}

/// Who hears the news; `Break` stops the job at once.
pub type Listener<'a> = dyn FnMut(Update<'_>) -> ControlFlow<()> + 'a;

/// The running job's position and clock.
pub(crate) struct Journal<'a> {
    listener: &'a mut Listener<'a>,
    now: Progress,
    phase_began: Instant,
    phases: Vec<PhaseTime>,
}

impl<'a> Journal<'a> {
    /// A journal of a job that starts with loading.
    pub(crate) fn new(listener: &'a mut Listener<'a>) -> Self {
        Self {
            listener,
            now: Progress {
                phase: Phase::Load,
                section: 0,
                sections: 0,
                step: 0,
                steps: 0,
            },
            phase_began: Instant::now(),
            phases: vec![],
        }
    }

    /// Tells what will be rendered.
    pub(crate) fn started(&mut self, plan: &RenderPlan) -> Result<(), Error> {
        self.now.sections = plan.sections;
        self.now.steps = plan.steps;
        not_cancelled((self.listener)(Update::Started(plan)))
    }

    /// Begins a phase, ending the one before.
    pub(crate) fn enter(&mut self, phase: Phase) -> Result<(), Error> {
        self.end_phase();
        self.now.phase = phase;
        if phase == Phase::Sample {
            self.now.step = 0;
        }
        not_cancelled(self.tell())
    }

    /// Counts a step; `Break` if the job is to stop.
    pub(crate) fn step_done(&mut self) -> ControlFlow<()> {
        self.now.step += 1;
        self.tell()
    }

    /// Counts a section.
    pub(crate) fn section_done(&mut self) {
        self.now.section += 1;
    }

    /// The time spent in each phase, in the order in which they first occurred.
    pub(crate) fn into_phases(mut self) -> Vec<PhaseTime> {
        self.end_phase();
        self.phases
    }

    fn tell(&mut self) -> ControlFlow<()> {
        (self.listener)(Update::Progress(self.now))
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

fn not_cancelled(flow: ControlFlow<()>) -> Result<(), Error> {
    match flow {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Cancelled),
    }
}
