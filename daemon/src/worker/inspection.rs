//! A closer look at jobs that have been submitted: what their reports will warn of, known now, and whose picture can't
//! be decoded.
//!
//! It takes a tokenizer and a decoder, which the daemon has not. A program of the worker's has them: it is started when
//! there is something to look at, is asked one job after another, and ends when nothing more has come for a few
//! seconds. Nobody has to wait for it, and where it fails, the report says the same later.

use std::{io, path::PathBuf, process::Stdio, time::Duration};

use framepack_ipc::worker::{Inspected, RenderRequest};
use framepack_jobs::{JobId, StateName, Timestamp};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::{mpsc, oneshot},
    time::timeout,
};
use tracing::debug;

use crate::{queue::QueueHandle, render::Renderer};

/// How long the program stays for the next job.
const LINGER: Duration = Duration::from_secs(5);
/// How long it may take to end once its input has.
const GRACE: Duration = Duration::from_secs(1);
/// How long it may take for one; a large picture takes seconds.
const PATIENCE: Duration = Duration::from_mins(1);

/// A job to look at, and who wants to know.
#[derive(Debug)]
struct Wanted {
    job: JobId,
    done: oneshot::Sender<()>,
}

/// The way to the program; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Inspections(mpsc::UnboundedSender<Wanted>);

impl Inspections {
    /// Has jobs looked at by `program`. What is found is noted in their records.
    pub(crate) fn start(program: PathBuf, queue: QueueHandle, renderer: Renderer) -> Self {
        // Unbounded: a number for each job, of which the queue takes so many and no more.
        let (sender, inbox) = mpsc::unbounded_channel();
        let inspector = Inspector {
            program,
            queue,
            renderer,
            running: None,
        };
        tokio::spawn(inspector.run(inbox));
        Self(sender)
    }

    /// Has a job looked at. The receiver resolves when its record says what was found: warnings, or its failure.
    pub(crate) fn look_at(&self, job: JobId) -> oneshot::Receiver<()> {
        let (done, found) = oneshot::channel();
        // Fails when the daemon stops.
        let _ = self.0.send(Wanted { job, done });
        found
    }
}

/// Asks the program.
struct Inspector {
    program: PathBuf,
    queue: QueueHandle,
    renderer: Renderer,
    running: Option<Running>,
}

/// The program while it runs; it ends with its input.
struct Running {
    child: Child,
    requests: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Inspector {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Wanted>) {
        loop {
            let wanted = if self.running.is_some() {
                if let Ok(wanted) = timeout(LINGER, inbox.recv()).await {
                    wanted
                } else {
                    self.retire().await;
                    continue;
                }
            } else {
                inbox.recv().await
            };
            let Some(Wanted { job, done }) = wanted else {
                return;
            };
            if let Some((inspected, changed_at)) = self.inspect(job).await {
                let has_found = !inspected.warnings.is_empty() || inspected.failure.is_some();
                if has_found && self.queue.inspected(inspected, changed_at).await.is_err() {
                    return;
                }
            }
            // Nobody may wait for it.
            let _ = done.send(());
        }
    }

    /// What is found, and when a user had changed the job last. `None`: it could not be looked at, or there is no need any
    /// more.
    async fn inspect(&mut self, job: JobId) -> Option<(Inspected, Option<Timestamp>)> {
        let record = self.queue.record(job).await.ok()??;
        if !record.job.is(StateName::Queued) {
            return None;
        }
        let request = self.renderer.request(&record);
        let why = match timeout(PATIENCE, self.ask(&request)).await {
            Ok(Ok(inspected)) => return Some((inspected, record.job.runs.changed_at)),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it took too long".to_owned(),
        };
        debug!(%job, program = %self.program.display(), "not inspected: {why}");
        // The next job gets a new program.
        self.retire().await;
        None
    }

    /// Lets the program end, and has the kernel forget it.
    async fn retire(&mut self) {
        let Some(running) = self.running.take() else {
            return;
        };
        let mut child = running.child;
        drop(running.requests);
        if timeout(GRACE, child.wait()).await.is_err() {
            // Fails when it has just ended.
            let _ = child.kill().await;
        }
    }

    async fn ask(&mut self, request: &RenderRequest) -> io::Result<Inspected> {
        let running = match &mut self.running {
            Some(running) => running,
            none => none.insert(Running::start(&self.program)?),
        };
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        running.requests.write_all(&line).await?;
        let answer = running.answers.next_line().await?;
        let answer = answer.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(serde_json::from_str(&answer)?)
    }
}

impl Running {
    fn start(program: &PathBuf) -> io::Result<Self> {
        let mut child = Command::new(program)
            .arg("inspect")
            // It needs no GPU, and must not take memory of one.
            .env("CUDA_VISIBLE_DEVICES", "")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (requests, answers) = pipes.ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self {
            child,
            requests,
            answers: BufReader::new(answers).lines(),
        })
    }
}
