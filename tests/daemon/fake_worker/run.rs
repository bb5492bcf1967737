//! One job, from the request to its last word.

use std::{fs, io, ops::ControlFlow, path::Path, process, thread, time::Duration};

use framepack_ipc::{
    preview::PreviewKind,
    worker::{
        Extent, FromWorker, PauseAt, Phase, Progress, RenderPlan, RenderRequest, Resumed,
        RungTaken, ToWorker,
    },
};
use framepack_jobs::{Class, Code, Failure, StepTimeline};
use nix::sys::signal::{Signal, raise};

use crate::{
    chain::{self, Begin, Chain, Shape},
    desk::{Desk, say},
    output::{self, unfinished},
    script::{FaultKind, Moment, Script},
};

/// Pause of the steps that are made while a gate is closed.
const GATE_STEP: Duration = Duration::from_millis(5);

/// What the worker can do after a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Anything.
    Sound,
    /// Nothing.
    Fatal,
}

/// Why a run does not go on: its last word.
#[derive(Debug)]
enum Stop {
    Cancelled,
    Suspended,
    Failed(Failure),
    /// The same, and the device is broken.
    Fatal(Failure),
    /// The section is repeated.
    Rung,
}

type Flow = ControlFlow<Stop>;

/// A job being rendered.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    request: &'a RenderRequest,
    device: &'a str,
    state_dir: &'a Path,
    desk: &'a Desk,
    script: Script,
    shape: Shape,
    chain: Chain,
    sections_done: u32,
    resumed: Option<Resumed>,
    rungs: Vec<RungTaken>,
    suspend: bool,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        request: &'a RenderRequest,
        device: &'a str,
        state_dir: &'a Path,
        desk: &'a Desk,
    ) -> Self {
        let mut script = Script::of(&request.prompt);
        script.steps = request.steps.unwrap_or(script.steps);
        let shape = Shape {
            seed: request.seed,
            sections: script.sections,
            steps: script.steps,
        };
        let begin = Begin::find(&request.work_dir, shape);
        let resumed = (begin.sections_done > 0 || !begin.damaged.is_empty()).then(|| Resumed {
            sections_done: begin.sections_done,
            is_exact: true,
            reason: (!begin.damaged.is_empty()).then(|| begin.damaged.join(", ")),
        });
        Self {
            request,
            device,
            state_dir,
            desk,
            script,
            shape,
            chain: begin.chain,
            sections_done: begin.sections_done,
            resumed,
            rungs: Vec::new(),
            suspend: false,
        }
    }

    /// Renders, and says what came of it.
    pub(crate) fn finish(mut self) -> Ending {
        let job = self.request.job;
        let stop = match self.render() {
            ControlFlow::Break(stop) => stop,
            ControlFlow::Continue(()) => {
                let partial = self.is_partial();
                let (made, of) = (self.sections_done, self.script.sections);
                let output = output::output(self.request, self.plan(), self.chain.hex());
                let output = Box::new(framepack_ipc::worker::RenderOutput {
                    device: self.device.to_owned(),
                    resumed: self.resumed,
                    rungs: self.rungs,
                    partial: partial.then(|| output::partial(made, of)),
                    ..output
                });
                say(&FromWorker::Done { job, output });
                return Ending::Sound;
            }
        };
        let (word, ending) = match stop {
            Stop::Cancelled => (FromWorker::Cancelled { job }, Ending::Sound),
            Stop::Suspended => (FromWorker::Suspended { job }, Ending::Sound),
            Stop::Failed(failure) => (FromWorker::Failed { job, failure }, Ending::Sound),
            Stop::Fatal(failure) => (FromWorker::Failed { job, failure }, Ending::Fatal),
            Stop::Rung => unreachable!("a rung repeats its section"),
        };
        say(&word);
        ending
    }

    fn plan(&self) -> RenderPlan {
        RenderPlan {
            width_px: 64,
            height_px: 64,
            sections: self.script.sections,
            steps: self.script.steps,
            latent_window: 9,
            frames: output::FRAMES,
            secs: f64::from(output::FRAMES) / 30.0,
        }
    }

    /// Whether only the sections that there are become a video.
    fn is_partial(&self) -> bool {
        self.request.extent == Extent::FinishedSections && self.sections_done < self.script.sections
    }

    fn render(&mut self) -> Flow {
        let job = self.request.job;
        if self.request.extent == Extent::FinishedSections {
            return self.finish_sections();
        }
        let plan = self.plan();
        say(&FromWorker::Started { job, plan });
        self.tell(Phase::Load, 0);
        if let Some(gate) = self.script.gate.clone() {
            while !gate.exists() {
                self.hear()?;
                self.tell(Phase::Sample, 0);
                thread::sleep(GATE_STEP);
            }
        }
        while self.sections_done < self.script.sections {
            let before = self.chain.clone();
            match self.section() {
                ControlFlow::Break(Stop::Rung) => self.chain = before,
                flow => flow?,
            }
        }
        self.write()
    }

    /// What is there becomes the video.
    fn finish_sections(&mut self) -> Flow {
        if self.sections_done == 0 {
            return ControlFlow::Break(Stop::Cancelled);
        }
        let (job, sections) = (self.request.job, self.sections_done);
        let plan = RenderPlan {
            sections,
            ..self.plan()
        };
        say(&FromWorker::Started { job, plan });
        self.tell(Phase::Decode, 0);
        self.write()
    }

    /// One section, to its checkpoint.
    fn section(&mut self) -> Flow {
        self.tell(Phase::Sample, 0);
        for step in 1..=self.script.steps {
            self.hear()?;
            self.fault(step)?;
            thread::sleep(Duration::from_millis(self.script.step_ms));
            self.chain.step(self.sections_done, step);
            let (section, sections) = (self.sections_done + 1, self.script.sections);
            let of = format!(
                "section {section}/{sections} step {step}/{}",
                self.script.steps
            );
            output::preview(self.request, PreviewKind::Latest, of);
            self.tell(Phase::Sample, step);
        }
        self.sections_done += 1;
        let (work_dir, sections_done) = (&self.request.work_dir, self.sections_done);
        written(self.chain.save(work_dir, self.shape, sections_done))?;
        say(&FromWorker::Checkpoint {
            job: self.request.job,
            sections_done,
        });
        if self.suspend && sections_done < self.script.sections {
            return ControlFlow::Break(Stop::Suspended);
        }
        self.tell(Phase::Decode, 0);
        ControlFlow::Continue(())
    }

    /// The video, under its temporary name first.
    fn write(&mut self) -> Flow {
        self.tell(Phase::Encode, 0);
        self.hear()?;
        self.fault(1)?;
        output::preview(self.request, PreviewKind::Strip, "video".to_owned());
        if !self.script.is_lie {
            return written(output::write(self.request, &self.chain.hex()));
        }
        ControlFlow::Continue(())
    }

    fn tell(&self, phase: Phase, step: u32) {
        say(&FromWorker::Progress {
            job: self.request.job,
            progress: Progress {
                phase,
                section: self.sections_done,
                sections: self.script.sections,
                step,
                steps: self.script.steps,
                timeline: StepTimeline::default(),
            },
        });
    }

    /// Listens to the daemon, between two steps.
    fn hear(&mut self) -> Flow {
        let mut is_halted = false;
        let job = self.request.job;
        for message in self.desk.news() {
            match message {
                _ if self.script.is_deaf => {}
                ToWorker::Cancel { job: meant } if meant == job => {
                    return ControlFlow::Break(Stop::Cancelled);
                }
                ToWorker::Pause { job: meant, at } if meant == job => match at {
                    PauseAt::Step => is_halted = true,
                    PauseAt::Section => self.suspend = true,
                    PauseAt::StepEnd => return ControlFlow::Break(Stop::Suspended),
                },
                ToWorker::Resume { job: meant } if meant == job => {
                    (is_halted, self.suspend) = (false, false);
                }
                _ => {}
            }
        }
        if is_halted {
            self.halt()
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Stands still until it is told to go on, or to stop.
    fn halt(&mut self) -> Flow {
        let job = self.request.job;
        say(&FromWorker::Paused { job });
        loop {
            match self.desk.next() {
                Some(ToWorker::Resume { job: meant }) if meant == job => break,
                Some(ToWorker::Cancel { job: meant }) if meant == job => {
                    return ControlFlow::Break(Stop::Cancelled);
                }
                Some(ToWorker::Pause {
                    job: meant,
                    at: PauseAt::StepEnd,
                }) if meant == job => return ControlFlow::Break(Stop::Suspended),
                Some(_) => {}
                None => process::exit(0),
            }
        }
        say(&FromWorker::Resumed { job });
        ControlFlow::Continue(())
    }

    /// The fault that the script has for this step.
    fn fault(&mut self, step: u32) -> Flow {
        let section = self.sections_done;
        let due = self.script.fault(Moment {
            state_dir: self.state_dir,
            job: self.request.job.0,
            section,
            step,
        });
        let Some((kind, time)) = due else {
            return ControlFlow::Continue(());
        };
        let (code, message) = match kind {
            FaultKind::Crash => self.crash(time),
            FaultKind::Corrupt => {
                chain::corrupt(&self.request.work_dir, section);
                self.crash(time)
            }
            FaultKind::Hang => loop {
                thread::park();
            },
            FaultKind::Stop => {
                raise(Signal::SIGSTOP).expect("a process may stop itself");
                return ControlFlow::Continue(());
            }
            FaultKind::Rung => return ControlFlow::Break(self.climb()),
            FaultKind::Full => return written(Err(io::ErrorKind::StorageFull.into())),
            FaultKind::Oom => (
                Code::OUT_OF_MEMORY,
                "out of memory: needed 20 GiB, free 3 GiB",
            ),
            FaultKind::Nan => (
                Code::NOT_A_NUMBER,
                "the latents of section 1 are not finite",
            ),
            FaultKind::Gpu => (
                Code::DEVICE_FAILED,
                "device failure: an illegal memory access was encountered",
            ),
        };
        let failure = Failure::new(code, message);
        ControlFlow::Break(match failure.class {
            Class::Gpu => Stop::Fatal(failure),
            _ => Stop::Failed(failure),
        })
    }

    fn crash(&self, time: u64) -> ! {
        fs::write(unfinished(&self.request.output), "half a video")
            .expect("the output folder can be written");
        eprintln!(
            "fake worker: crashes for the {time}. time in section {} of job {}",
            self.sections_done, self.request.job
        );
        process::abort();
    }

    /// Memory ran out: the section is repeated with less.
    fn climb(&mut self) -> Stop {
        let rung = self.request.rung + self.rungs.len() as u32 + 1;
        let (name, reason) = ("a smaller fake", "there was too little memory");
        say(&FromWorker::Rung {
            job: self.request.job,
            rung,
            name: name.to_owned(),
            reason: reason.to_owned(),
        });
        self.rungs.push(RungTaken {
            rung,
            name: name.to_owned(),
            reason: reason.to_owned(),
        });
        Stop::Rung
    }
}

/// What a run does after a file was written, or was not.
fn written(outcome: io::Result<()>) -> Flow {
    match outcome {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(Stop::Failed(output::unwritten(&error))),
    }
}
