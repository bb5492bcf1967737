//! The worker's message loop: one device, one job at a time, models warm in between.
//!
//! Messages are lines of JSON ([`framepack_ipc::worker`]). One thread reads them, so that a cancellation or the
//! daemon's end is seen while a step runs; everything of torch happens on the thread that calls [`serve`].

mod conversation;
mod inbox;
mod replies;

use std::{
    fs::{File, TryLockError},
    io::{BufRead, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::Instant,
};

use framepack_ipc::worker::{FromWorker, RenderOutput, RenderRequest, WORKER_PROTOCOL, WorkerInfo};
use framepack_jobs::{Failure, settings::Lack};
use tch::Device;

use self::{
    conversation::{Conversation, answer},
    inbox::{Inbox, Question, Task},
    replies::Replies,
};
use crate::{
    device,
    error::Error,
    nn::attention::Class,
    pipeline::{Bundles, Pipeline},
    plan::{ModelOptions, lacks},
    progress::Stop,
};

/// A head and its channels that each kernel takes, so that only a backend that the device lacks is refused by them.
const ANY_HEAD: [i64; 2] = [1, 64];

/// What a worker is started with.
#[derive(Debug, Clone)]
pub struct Setup {
    /// `cpu` or `cuda:N`.
    pub device: String,
    /// What departs from the device's defaults.
    pub options: ModelOptions,
    /// The daemon's state directory.
    pub state_dir: PathBuf,
    /// What to prepare for before the worker is ready; `None`: nothing, everything is done when it is first needed.
    pub prepare_for: Option<Bundles>,
}

/// A device that this process holds, and what renders on it.
struct Opened {
    /// Of the device, until the process ends.
    _lock: File,
    device: Device,
    /// What the device can't do.
    lacks: Vec<Lack>,
    /// If anything was prepared, with the seconds that it took.
    prepared: Option<(Pipeline, f64)>,
}

/// Renders what `input` asks for on a device, until it ends; tells `output`.
///
/// Holds `worker-NAME.lock` in the state directory, and waits for the worker that holds it before it touches the
/// device; embeddings are kept in `embeddings/` there. When `input` ends, the process ends within a second, whatever it
/// is doing.
pub fn serve(
    setup: &Setup,
    input: impl BufRead + Send + 'static,
    output: impl Write,
) -> Result<(), Error> {
    let mut inbox = Inbox::listen(input);
    let mut replies = Replies::new(output);
    let opened = match setup.open() {
        Ok(opened) => opened,
        Err(error) => {
            let failure = error.failure();
            replies.send(&FromWorker::Unready { failure })?;
            return Err(error);
        }
    };
    replies.send(&FromWorker::Ready(introduction(setup, &opened)))?;

    let Opened {
        _lock,
        device,
        prepared,
        ..
    } = opened;
    let prepared = prepared.map(|(pipeline, _)| pipeline);
    let mut pipeline = prepared.unwrap_or_else(|| setup.pipeline(device));
    while let Some(task) = inbox.next() {
        let request = match task {
            Task::Render(request) => request,
            Task::Plan(question) => {
                replies.send(&answer(&question, &pipeline.planner()))?;
                continue;
            }
            Task::Warm(Question { ask, request }) => {
                let outcome = pipeline.warm(&request);
                let failure = outcome.as_ref().err().map(Error::failure);
                replies.send(&held(ask, &pipeline, failure))?;
                if outcome.as_ref().is_err_and(Error::is_fatal) {
                    return outcome;
                }
                continue;
            }
            Task::Cool { to, ask } => {
                pipeline.cool(to);
                if let Some(ask) = ask {
                    replies.send(&held(ask, &pipeline, None))?;
                }
                continue;
            }
        };
        let outcome = render(&mut pipeline, &request, &mut inbox, &mut replies);
        let fatal = outcome.as_ref().is_err_and(Error::is_fatal);
        replies.send(&last_word(&request, &outcome))?;
        if fatal {
            // The device's context is poisoned: only a new process can use the device again.
            return outcome.map(drop);
        }
    }
    Ok(())
}

impl Setup {
    fn open(&self) -> Result<Opened, Error> {
        let lock = lock_device(&self.device, &self.state_dir)?;
        let device = device::open(&self.device)?;
        check_attention(device, &self.options)?;
        Ok(Opened {
            _lock: lock,
            device,
            lacks: lacks(device, self.options.transformer_kind(device))?,
            prepared: self.prepare(device)?,
        })
    }

    fn prepare(&self, device: Device) -> Result<Option<(Pipeline, f64)>, Error> {
        let Some(bundles) = &self.prepare_for else {
            return Ok(None);
        };
        let start = Instant::now();
        let mut pipeline = self.pipeline(device);
        pipeline.prepare(bundles)?;
        let secs = start.elapsed().as_secs_f64();
        tracing::info!(secs, "prepared for the first job");
        Ok(Some((pipeline, secs)))
    }

    fn pipeline(&self, device: Device) -> Pipeline {
        Pipeline::new(device, self.options).with_state_dir(&self.state_dir)
    }
}

fn render(
    pipeline: &mut Pipeline,
    request: &RenderRequest,
    inbox: &mut Inbox,
    replies: &mut Replies<impl Write>,
) -> Result<RenderOutput, Error> {
    let _span = tracing::info_span!("job", id = request.job.0).entered();
    let mut conversation = Conversation {
        job: request.job,
        planner: pipeline.planner(),
        inbox,
        replies,
    };
    let mut lost = None;
    let outcome = pipeline.render(request, &mut |update| {
        conversation.tell(update).unwrap_or_else(|error| {
            lost = Some(error);
            ControlFlow::Break(Stop::Cancel)
        })
    });
    match lost {
        Some(error) => Err(error),
        None => outcome,
    }
}

/// What the worker holds between jobs.
fn held(ask: u64, pipeline: &Pipeline, failure: Option<Failure>) -> FromWorker {
    FromWorker::Held {
        ask,
        memory: pipeline.held_memory(),
        failure,
    }
}

fn last_word(request: &RenderRequest, outcome: &Result<RenderOutput, Error>) -> FromWorker {
    let job = request.job;
    match outcome {
        Ok(output) => FromWorker::Done {
            job,
            output: Box::new(output.clone()),
        },
        Err(Error::Cancelled) => FromWorker::Cancelled { job },
        Err(Error::Suspended) => FromWorker::Suspended { job },
        Err(error) => FromWorker::Failed {
            job,
            failure: error.failure(),
        },
    }
}

/// Locks the device against other workers of the same state directory, waiting for the one before to end.
fn lock_device(name: &str, state_dir: &Path) -> Result<File, Error> {
    let path = state_dir.join(format!("worker-{name}.lock"));
    let locked = File::create(&path).and_then(|file| {
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            tracing::info!(
                device = name,
                "waiting for another worker to release the device"
            );
            file.lock()?;
        }
        Ok(file)
    });
    locked.map_err(|source| Error::Io {
        path,
        doing: "locking",
        source,
    })
}

/// Refuses a backend that the device lacks before the first job. Whether it takes a model's heads shows in that model's
/// job.
fn check_attention(device: Device, options: &ModelOptions) -> Result<(), Error> {
    let Some(backend) = options.attention else {
        return Ok(());
    };
    let class = Class::new(options.transformer_kind(device), ANY_HEAD, 1);
    backend.require(device, &class)
}

fn introduction(setup: &Setup, opened: &Opened) -> WorkerInfo {
    WorkerInfo {
        protocol: WORKER_PROTOCOL,
        version: env!("CARGO_PKG_VERSION").into(),
        device: setup.device.clone(),
        device_name: device::model_name(opened.device),
        device_total_bytes: device::total_bytes(opened.device),
        prepared_secs: opened.prepared.as_ref().map(|(_, secs)| *secs),
        libtorch: Some(device::torch_version().into()),
        lacks: opened.lacks.clone(),
        can_warm: true,
    }
}
