//! One `framepack-worker serve` process and its pipes.
//!
//! It stays in the daemon's process group and exits by itself when its stdin ends, so it cannot outlive
//! the daemon, however that dies. It is ended with end-of-file first, then TERM, then KILL.

use std::{
    collections::VecDeque,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use framepack_ipc::worker::{FromWorker, ToWorker, WORKER_PROTOCOL, WorkerInfo};
use framepack_jobs::Failure;
use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use thiserror::Error;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStderr, ChildStdin, ChildStdout},
    sync::mpsc,
    task::JoinHandle,
    time::timeout,
};
use tracing::{debug, info};

use super::{
    launch::Launch,
    vitals::{self, Vitals},
};
use crate::queue::DeathKind;

/// Time for libtorch to load, the device to answer, and a predecessor's lock to be released.
const READY_TIMEOUT: Duration = Duration::from_mins(2);
/// Time between end-of-file on stdin and TERM. The worker promises to exit within one second.
const EXIT_GRACE: Duration = Duration::from_secs(3);
/// Time between TERM and KILL.
const TERM_GRACE: Duration = Duration::from_secs(2);
/// Time after KILL. A process that is still there then hangs in its driver, which nobody can end.
const KILL_GRACE: Duration = Duration::from_secs(10);
/// Lines of stderr that explain a death.
const LAST_WORDS: usize = 5;

/// Why there is no worker, or no worker any more.
#[derive(Debug, Error)]
pub(crate) enum WorkerError {
    #[error("starting {program}: {error}")]
    Spawn {
        program: PathBuf,
        error: std::io::Error,
    },
    #[error("no answer within {} s of its start", READY_TIMEOUT.as_secs())]
    NotReady,
    #[error(
        "the worker speaks protocol {found}, this daemon {WORKER_PROTOCOL}: install both from the same build"
    )]
    Protocol { found: u32 },
    #[error("not a worker's message: {line:?}")]
    Gibberish { line: String },
    /// It says itself why it can't work.
    #[error("{}", .failure.code.behind(&.failure.message))]
    Unready { failure: Box<Failure> },
    #[error("{status}{}", last_words(.stderr))]
    Died {
        kind: DeathKind,
        status: String,
        /// `None`: the system did not tell.
        exit: Option<ExitStatus>,
        stderr: Vec<String>,
    },
}

impl WorkerError {
    /// What the worker died of, when it was rendering.
    pub(super) fn kind(&self) -> DeathKind {
        match self {
            Self::Died { kind, .. } => *kind,
            _ => DeathKind::Crash,
        }
    }
}

/// The worker's process is still there after KILL.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("its worker, process {pid}, can't be killed: it {state}, stuck in the device's driver")]
pub(super) struct Unkillable {
    pid: u32,
    state: Vitals,
}

fn last_words(stderr: &[String]) -> String {
    // Two, since the last one may be a hint.
    match stderr {
        [] => String::new(),
        [line] => format!("; its last output: {line}"),
        [.., line, last] => format!("; its last output: {line} / {last}"),
    }
}

/// A worker that has said that it is ready.
#[derive(Debug)]
pub(crate) struct WorkerProcess {
    child: Child,
    /// What the worker is told, on its way; dropped for end-of-file.
    stdin: Option<mpsc::UnboundedSender<Vec<u8>>>,
    messages: Lines<BufReader<ChildStdout>>,
    stderr: JoinHandle<VecDeque<String>>,
    /// Processes that the kernel had killed for want of memory when this one started.
    oom_kills: u64,
}

impl WorkerProcess {
    /// Starts a worker and waits until it is ready.
    pub(crate) async fn start(launch: &Launch) -> Result<(Self, WorkerInfo), WorkerError> {
        let mut worker = Self::spawn(launch)?;
        match timeout(READY_TIMEOUT, worker.receive()).await {
            Err(_) => Err(WorkerError::NotReady),
            Ok(Err(error)) => Err(error),
            Ok(Ok(FromWorker::Ready(info))) if info.protocol == WORKER_PROTOCOL => {
                Ok((worker, info))
            }
            Ok(Ok(FromWorker::Ready(info))) => Err(WorkerError::Protocol {
                found: info.protocol,
            }),
            Ok(Ok(FromWorker::Unready { failure })) => Err(WorkerError::Unready {
                failure: Box::new(failure),
            }),
            Ok(Ok(other)) => Err(WorkerError::Gibberish {
                line: format!("{other:?}"),
            }),
        }
    }

    fn spawn(launch: &Launch) -> Result<Self, WorkerError> {
        let mut child = launch
            .command()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| WorkerError::Spawn {
                program: launch.program.clone(),
                error,
            })?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            unreachable!("all three were asked to be pipes");
        };
        Ok(Self {
            oom_kills: vitals::oom_kills(),
            child,
            stdin: Some(write_to(stdin)),
            messages: BufReader::new(stdout).lines(),
            stderr: tokio::spawn(forward_stderr(stderr, launch.device.clone())),
        })
    }

    /// Sends a message, without waiting for a worker that does not read. That the worker is gone shows in
    /// [`Self::receive`], which also knows why.
    pub(crate) fn send(&self, message: &ToWorker) {
        let Some(stdin) = &self.stdin else { return };
        let mut line =
            serde_json::to_vec(message).expect("a message is plain data with string keys");
        line.push(b'\n');
        // Fails when the worker is gone.
        let _ = stdin.send(line);
    }

    /// The next message, or how the worker died. Safe to use in `select!`: no message is lost.
    pub(crate) async fn receive(&mut self) -> Result<FromWorker, WorkerError> {
        match self.messages.next_line().await {
            Ok(Some(line)) => {
                serde_json::from_str(&line).map_err(|_| WorkerError::Gibberish { line })
            }
            Ok(None) | Err(_) => Err(self.death().await),
        }
    }

    /// Ends the worker: end-of-file first, then TERM, then KILL.
    pub(crate) async fn close(&mut self) -> Result<(), Unkillable> {
        self.stdin = None;
        match timeout(EXIT_GRACE, self.child.wait()).await {
            Ok(_) => Ok(()),
            Err(_) => self.terminate().await,
        }
    }

    /// Ends a worker that does not listen: TERM, then KILL.
    pub(crate) async fn terminate(&mut self) -> Result<(), Unkillable> {
        let Some(pid) = self.child.id() else {
            return Ok(());
        };
        // Fails only when it has just ended by itself.
        let _ = signal::kill(Pid::from_raw(pid as i32), Signal::SIGTERM);
        if timeout(TERM_GRACE, self.child.wait()).await.is_ok() {
            return Ok(());
        }
        if let Err(error) = self.child.start_kill() {
            debug!(%error, "killing the worker");
        }
        match timeout(KILL_GRACE, self.child.wait()).await {
            Ok(_) => Ok(()),
            Err(_) => Err(Unkillable {
                pid,
                state: Vitals::of(pid),
            }),
        }
    }

    /// How its process is, for the report of a hang.
    pub(crate) fn vitals(&self) -> Vitals {
        self.child.id().map(Vitals::of).unwrap_or_default()
    }

    async fn death(&mut self) -> WorkerError {
        self.stdin = None;
        let waited = timeout(EXIT_GRACE, self.child.wait()).await;
        let exit = waited
            .as_ref()
            .ok()
            .and_then(|waited| waited.as_ref().ok())
            .copied();
        let (kind, status) = match waited {
            Ok(Ok(status)) => describe(status, vitals::oom_kills() > self.oom_kills),
            Ok(Err(error)) => (DeathKind::Crash, format!("the worker is gone ({error})")),
            Err(_) => {
                let ended = self.terminate().await;
                let how = ended.map_or_else(|error| error.to_string(), |()| "was killed".into());
                let status = format!("the worker closed its pipe without exiting and {how}");
                (DeathKind::Crash, status)
            }
        };
        let stderr = timeout(EXIT_GRACE, &mut self.stderr).await;
        WorkerError::Died {
            kind,
            status,
            exit,
            stderr: stderr.ok().and_then(Result::ok).unwrap_or_default().into(),
        }
    }
}

/// What a process gets that reads a mapped file which is shorter than it was, or whose disk is gone.
const SIGBUS: i32 = 7;

/// What a process died of. Signal 9 is the kernel's for want of memory if it has killed anything for that meanwhile.
fn describe(status: ExitStatus, was_oom: bool) -> (DeathKind, String) {
    match (status.signal(), status.code()) {
        (Some(9), _) if was_oom => {
            let status = "the kernel's OOM killer killed the worker (signal 9)";
            (DeathKind::OutOfMemoryKill, status.into())
        }
        (Some(SIGBUS), _) => (
            DeathKind::LostFile,
            "the worker was killed by signal 7: a file that it had mapped, such as its models, could no longer be read".into(),
        ),
        (Some(signal), _) => (
            DeathKind::Crash,
            format!("the worker was killed by signal {signal}"),
        ),
        (None, code) => (
            DeathKind::Crash,
            format!("the worker exited with status {}", code.unwrap_or_default()),
        ),
    }
}

/// Writes to a worker in the background: one that stands still must not hold up its supervisor, who kills it.
fn write_to(mut stdin: ChildStdin) -> mpsc::UnboundedSender<Vec<u8>> {
    let (sender, mut lines) = mpsc::unbounded_channel::<Vec<u8>>();
    tokio::spawn(async move {
        while let Some(line) = lines.recv().await {
            if let Err(error) = stdin.write_all(&line).await {
                debug!(%error, "writing to the worker");
                break;
            }
        }
    });
    sender
}

/// Copies the worker's log into ours; returns its last lines once it has ended.
async fn forward_stderr(stderr: ChildStderr, device: String) -> VecDeque<String> {
    let mut lines = BufReader::new(stderr).split(b'\n');
    let mut tail = VecDeque::with_capacity(LAST_WORDS);
    while let Ok(Some(line)) = lines.next_segment().await {
        let line = String::from_utf8_lossy(&line).into_owned();
        info!(target: "worker", %device, "{line}");
        if tail.len() == LAST_WORDS {
            tail.pop_front();
        }
        tail.push_back(line);
    }
    tail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_worker_died_of() {
        let killed = ExitStatus::from_raw(9);
        assert_eq!(describe(killed, true).0, DeathKind::OutOfMemoryKill);
        assert_eq!(
            describe(killed, false),
            (
                DeathKind::Crash,
                "the worker was killed by signal 9".to_owned()
            )
        );
        let (kind, how) = describe(ExitStatus::from_raw(2 << 8), true);
        assert_eq!(
            (kind, how.as_str()),
            (DeathKind::Crash, "the worker exited with status 2")
        );
    }
}
