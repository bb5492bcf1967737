//! Somebody who runs framepackctl where there is no daemon.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use framepack_ipc::{
    client::Client,
    control::{Request, Response},
};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::fixture::{binary, entries, me};

/// Longest wait for anything.
pub(crate) const DEADLINE: Duration = Duration::from_mins(5);

/// Somebody without a daemon: a home, and a working directory with a photo.
pub(crate) struct User {
    dir: TempDir,
    worker: PathBuf,
}

impl User {
    pub(crate) fn new() -> Self {
        Self::with_worker(&binary("examples/fake_worker"))
    }

    pub(crate) fn with_worker(worker: &Path) -> Self {
        let dir = TempDir::with_prefix("framepack-run.").unwrap();
        fs::create_dir(dir.path().join("here")).unwrap();
        fs::write(dir.path().join("here/photo.png"), "P1 1 1 0").unwrap();
        Self {
            dir,
            worker: worker.to_owned(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A program that is started in the working directory, with nobody to ask.
    pub(crate) fn command(&self, program: &str) -> Command {
        let program = binary(program);
        assert!(
            program.is_file(),
            "{}: `make build` builds it",
            program.display()
        );
        let mut command = Command::new(program);
        command
            .current_dir(self.path("here"))
            .env("HOME", self.path("home"))
            .env_remove("XDG_STATE_HOME")
            .env_remove("XDG_CACHE_HOME")
            .env_remove("HF_HOME")
            .env_remove("HF_HUB_CACHE")
            .env("FRAMEPACKD_SOCKET", self.path("nobody"))
            .env("FRAMEPACKD_WORKER_PROGRAM", &self.worker)
            .env("FRAMEPACKD_WORKER_DEVICES", "cpu")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// `run` with a photo, this prompt and models that look sound.
    pub(crate) fn run(&self, prompt: &str) -> Command {
        let mut command = self.command("framepackctl");
        let models = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/bundle");
        let photo = self.path("here/photo.png");
        command
            .args(["run", "--prompt", prompt, "--image"])
            .arg(photo);
        command.args(["--models", models]);
        command
    }

    /// `run` that goes on with an earlier one.
    pub(crate) fn resume(&self, folder: &Path) -> Command {
        let mut command = self.command("framepackctl");
        command.args(["run", "--resume"]).arg(folder);
        command
    }

    /// Folders of daemons that were started for a job.
    pub(crate) fn states(&self) -> Vec<PathBuf> {
        entries(&self.path("home/.local/state/framepackd"))
    }

    /// Starts `run`, and waits until its job runs. Also returns the process of its daemon.
    pub(crate) fn start(&self, prompt: &str) -> (Child, Pid) {
        let child = self.run(prompt).spawn().unwrap();
        (child, self.busy_daemon())
    }

    /// The process of the daemon that was started, once it runs a job.
    pub(crate) fn busy_daemon(&self) -> Pid {
        let start = Instant::now();
        loop {
            let socket = self.states().pop().map(|state| state.join("socket"));
            let client = socket.and_then(|socket| Client::connect(&socket, me()).ok());
            let pong = client.and_then(|mut client| client.call(&Request::Ping).ok());
            if let Some(Response::Pong(status)) = pong
                && status.running == 1
            {
                return Pid::from_raw(status.pid as i32);
            }
            assert!(start.elapsed() < DEADLINE, "the job does not run");
            thread::sleep(Duration::from_millis(10));
        }
    }
}
