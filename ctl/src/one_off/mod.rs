//! A daemon for one job: framepackd on a private socket, with a state folder of its own.
//!
//! It is spoken to like any other. It ends when framepackctl does, however that ends: it waits for the end of its standard
//! input, a pipe whose other end is here ([`FINISH`] lets go of it before).

mod configuration;
mod folder;

use std::{
    env,
    ffi::OsStr,
    fs::{self, File},
    io::{self, Write},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc::Receiver,
    thread,
    time::{Duration, Instant},
};

use framepack_ipc::{ErrorBody, FINISH};
use framepack_jobs::Code;

use crate::{daemon::Daemon, event::Event, failure::Failure, interrupt, program};

pub(crate) use configuration::ModelChoice;
pub(crate) use folder::{MAX_SOCKET_BYTES, RunFolder};

/// Time between two looks at a daemon that starts.
const LOOK_PAUSE: Duration = Duration::from_millis(20);
/// Time in which a daemon that does not answer any more has ended.
const END_PAUSE: Duration = Duration::from_secs(2);
/// How many of the log's last lines are told.
const MAX_TOLD: usize = 5;
/// What the environment may say of the machine: where its models and its worker are, and what they may take of it.
const OF_THE_MACHINE: [&str; 3] = ["FRAMEPACKD_WORKER_", "FRAMEPACKD_IDLE_", "FRAMEPACKD_DISK_"];
const MODELS: &str = "FRAMEPACKD_MODELS_";
/// What else begins so in the environment is another daemon's, a setting of jobs, or systemd's idea of framepackctl.
const FOREIGN: [&str; 11] = [
    "FRAMEPACKD_",
    "FRAMEPACK_",
    "PYTORCH_ENABLE_FLASH_SDP",
    "PYTORCH_ENABLE_MEM_EFFICIENT_SDP",
    "PYTORCH_CUDA_ALLOC_CONF",
    "PYTORCH_ALLOC_CONF",
    "NOTIFY_SOCKET",
    "WATCHDOG_",
    "JOURNAL_STREAM",
    "INVOCATION_ID",
    "LISTEN_",
];

/// A daemon that runs.
#[derive(Debug)]
pub(crate) struct OneOff {
    folder: RunFolder,
    /// `None` once it is let go.
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    process: Child,
    /// Its standard input.
    leash: ChildStdin,
}

impl OneOff {
    /// Starts it in this folder, and waits until it answers.
    pub(crate) fn start(folder: RunFolder, inbox: &Receiver<Event>) -> Result<Self, Failure> {
        let program = program::find("framepackd").map_err(Failure::new)?;
        let running = start(&program, &folder)
            .map_err(|error| failed(format!("starting {}: {error}", program.display())))?;
        let mut daemon = Self {
            folder,
            running: Some(running),
        };
        daemon.wait_for_answer(inbox).map(|()| daemon)
    }

    fn wait_for_answer(&mut self, inbox: &Receiver<Event>) -> Result<(), Failure> {
        let daemon = self.daemon();
        while daemon.connect().is_err() {
            self.check()?;
            if let Ok(Event::Signal(_)) = inbox.recv_timeout(LOOK_PAUSE) {
                return Err(Failure::Interrupted);
            }
        }
        Ok(())
    }

    /// The way to it.
    pub(crate) fn daemon(&self) -> Daemon {
        self.folder.daemon()
    }

    /// That it has not ended by itself.
    pub(crate) fn check(&mut self) -> Result<(), Failure> {
        let Some(running) = &mut self.running else {
            return Ok(());
        };
        match running.process.try_wait() {
            Ok(Some(status)) => Err(ended(&self.folder, status)),
            Ok(None) | Err(_) => Ok(()),
        }
    }

    /// The same, where it does not answer any more: its end may be seen a moment later.
    pub(crate) fn check_soon(&mut self) -> Result<(), Failure> {
        let until = Instant::now() + END_PAUSE;
        while Instant::now() < until {
            self.check()?;
            thread::sleep(LOOK_PAUSE);
        }
        self.check()
    }

    /// Lets it go on until its job has ended. Returns the folder.
    pub(crate) fn let_go(mut self) -> Result<RunFolder, Failure> {
        if let Some(mut running) = self.running.take() {
            let told = writeln!(running.leash, "{FINISH}");
            told.map_err(|error| failed(format!("letting go of framepackd: {error}")))?;
        }
        Ok(self.folder.clone())
    }

    /// Stops it, and waits for that. Returns the folder with all that it has left.
    pub(crate) fn stop(mut self) -> RunFolder {
        self.end();
        self.folder.clone()
    }

    fn end(&mut self) {
        if let Some(mut running) = self.running.take() {
            drop(running.leash);
            // It can only fail when somebody else has waited for it.
            let _ = running.process.wait();
        }
    }
}

impl Drop for OneOff {
    fn drop(&mut self) {
        self.end();
    }
}

fn start(program: &Path, folder: &RunFolder) -> io::Result<Running> {
    let has_models = folder.names_models();
    // An earlier run's lines stay: they may say why it ended.
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.log())?;
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        if is_foreign(&name, has_models) {
            command.env_remove(name);
        }
    }
    command
        .args([OsStr::new("--owned"), OsStr::new("--config")])
        .arg(folder.config())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(log)
        // Ctrl-C is for framepackctl.
        .process_group(0);
    let mut process = interrupt::spawn(&mut command)?;
    let leash = process.stdin.take().expect("it was asked for as a pipe");
    Ok(Running { process, leash })
}

fn is_foreign(name: &OsStr, has_models: bool) -> bool {
    let name = name.to_string_lossy();
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    let is_of_the_machine = begins(&OF_THE_MACHINE) || (!has_models && begins(&[MODELS]));
    begins(&FOREIGN) && !is_of_the_machine
}

/// What it said before it ended.
fn ended(folder: &RunFolder, status: ExitStatus) -> Failure {
    let log = fs::read_to_string(folder.log()).unwrap_or_default();
    // The file is ours, gone by the time that this is read, and right: a mistake is in the environment.
    let log = log.replace(&folder.config().display().to_string(), "the environment");
    let lines: Vec<&str> = log.lines().collect();
    let last = lines[lines.len().saturating_sub(MAX_TOLD)..].join("\n  ");
    failed(format!(
        "framepackd ended by itself, {status}:\n  {last}\n "
    ))
}

fn failed(message: impl Into<String>) -> Failure {
    Failure::new(ErrorBody::new(Code::OWN_DAEMON, message))
}
