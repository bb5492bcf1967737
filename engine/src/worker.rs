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
    path::Path,
};

use framepack_ipc::worker::{FromWorker, RenderOutput, RenderRequest, WORKER_PROTOCOL, WorkerInfo};
use tch::Device;

use self::{
    conversation::{Conversation, answer},
    inbox::{Inbox, Task},
    replies::Replies,
};
use crate::{
    device, error::Error, nn::attention::Class, pipeline::Pipeline, plan::ModelOptions,
    progress::Stop,
};

/// A head and its channels that each kernel takes, so that only a backend that the device lacks is refused by them.
const ANY_HEAD: [i64; 2] = [1, 64];

/// Renders what `input` asks for on the device called `name`, until it ends; tells `output`.
///
/// Holds `worker-NAME.lock` in `state_dir`, and waits for the worker that holds it before it touches the
/// device; embeddings are kept in `embeddings/` there. When `input` ends, the process ends within a second, whatever it
/// is doing.
pub fn serve(
    name: &str,
    options: ModelOptions,
    state_dir: &Path,
    input: impl BufRead + Send + 'static,
    output: impl Write,
) -> Result<(), Error> {
    let mut inbox = Inbox::listen(input);
    let mut replies = Replies::new(output);
    let opened = lock_device(name, state_dir).and_then(|lock| {
        let device = device::open(name)?;
        check_attention(device, &options)?;
        Ok((lock, device))
    });
    let (_lock, device) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            let failure = error.failure();
            replies.send(&FromWorker::Unready { failure })?;
            return Err(error);
        }
    };
    replies.send(&FromWorker::Ready(introduction(name, device)))?;

    let mut pipeline = Pipeline::new(device, options).with_state_dir(state_dir);
    while let Some(task) = inbox.next() {
        let request = match task {
            Task::Render(request) => request,
            Task::Plan(question) => {
                replies.send(&answer(&question, pipeline.planner()))?;
                continue;
            }
            Task::Cool { to } => {
                pipeline.cool(to);
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

fn introduction(name: &str, device: Device) -> WorkerInfo {
    WorkerInfo {
        protocol: WORKER_PROTOCOL,
        version: env!("CARGO_PKG_VERSION").into(),
        device: name.into(),
        device_name: device::model_name(device),
        device_total_bytes: device::total_bytes(device),
    }
}
