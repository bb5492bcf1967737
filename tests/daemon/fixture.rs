//! A daemon of its own for each test: temporary folders, the real binary, and ways to wait for what it does.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    os::unix::{fs::symlink, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use framepack_ipc::{
    client::Client,
    control::{ClientInfo, Request, Response, SelectRequest, WorkerState, WorkerStatus},
};
use framepack_jobs::{Job, Selector};
use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};
use serde_json::Value;
use tempfile::TempDir;

/// Longest wait for anything. Far more than it takes, since tests share the machine.
const DEADLINE: Duration = Duration::from_mins(5);

/// Folders, a configuration, and a daemon on them.
pub(crate) struct Farm {
    dir: TempDir,
    daemon: Option<Child>,
    environment: Vec<(String, OsString)>,
}

impl Farm {
    /// Folders with a photo at `jobs/photo.png`, and a daemon with the fake worker.
    pub(crate) fn new() -> Self {
        let mut farm = Self::stopped();
        farm.start();
        farm
    }

    /// The same with settings, as in `("WORKER_DEVICES", "cpu")`.
    pub(crate) fn with_settings(settings: &[(&str, &str)]) -> Self {
        let mut farm = Self::stopped();
        farm.set(settings);
        farm.start();
        farm
    }

    /// Changes settings for the next start.
    pub(crate) fn set(&mut self, settings: &[(&str, &str)]) {
        for (key, value) in settings {
            self.set_environment(&format!("FRAMEPACKD_{key}"), value);
        }
    }

    /// The same before the daemon is started.
    pub(crate) fn stopped() -> Self {
        let worker = binary("examples/fake_worker");
        Self::with_worker(&worker, Path::new("bundle"))
    }

    /// Folders for another worker and bundle; the daemon is not started.
    pub(crate) fn with_worker(worker: &Path, bundle: &Path) -> Self {
        assert!(
            worker.is_file(),
            "{} is missing: `make build` and `cargo test` build it",
            worker.display()
        );
        let dir = TempDir::with_prefix("framepackd-test.").unwrap();
        fs::create_dir(dir.path().join("jobs")).unwrap();
        fs::write(dir.path().join("jobs/photo.png"), "P1 1 1 0").unwrap();
        link_models(&dir.path().join("bundle"));
        let farm = Self {
            dir,
            daemon: None,
            environment: Vec::new(),
        };
        let config = format!(
            "paths:\n  jobs: jobs\n  state: state\n  outputs: outputs\n  socket: run/framepackd.sock\n\
             models:\n  bundle: {}\nworker:\n  devices: cpu\n  program: {}\n\
             spool: {{settle_secs: 0.2, wait_inputs_secs: 0}}\n",
            bundle.display(),
            worker.display()
        );
        fs::write(farm.path("framepackd.yaml"), config).unwrap();
        farm
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Adds to the configuration.
    pub(crate) fn configure(&self, yaml: &str) {
        let path = self.path("framepackd.yaml");
        let config = fs::read_to_string(&path).unwrap();
        fs::write(path, config + yaml).unwrap();
    }

    /// The daemon's process.
    pub(crate) fn pid(&self) -> u32 {
        self.daemon.as_ref().expect("the daemon was started").id()
    }

    /// Starts the daemon in a process group of its own and waits until it answers.
    pub(crate) fn start(&mut self) {
        self.start_program(Path::new(env!("CARGO_BIN_EXE_framepackd")));
    }

    /// The same with another build of the daemon.
    pub(crate) fn start_program(&mut self, program: &Path) {
        self.daemon = Some(self.command(program).spawn().unwrap());
        self.wait_for_answer();
    }

    /// Starts the daemon as one of whoever has the other end of its standard input, which is returned.
    pub(crate) fn start_owned(&mut self) -> ChildStdin {
        let mut command = self.command(Path::new(env!("CARGO_BIN_EXE_framepackd")));
        let mut daemon = command
            .arg("--owned")
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = daemon.stdin.take().expect("it was asked for as a pipe");
        self.daemon = Some(daemon);
        self.wait_for_answer();
        stdin
    }

    /// Waits for the daemon to end by itself.
    pub(crate) fn ended_by_itself(&mut self) -> ExitStatus {
        let mut daemon = self.daemon.take().expect("the daemon was started");
        daemon.wait().unwrap()
    }

    fn wait_for_answer(&mut self) {
        let start = Instant::now();
        while Client::connect(&self.socket(), me()).is_err() {
            let exited = self
                .daemon
                .as_mut()
                .and_then(|daemon| daemon.try_wait().unwrap());
            assert_eq!(exited, None, "the daemon ended by itself");
            assert!(start.elapsed() < DEADLINE, "the daemon does not answer");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// A variable for daemons that are started from now on.
    pub(crate) fn set_environment(&mut self, name: &str, value: impl Into<OsString>) {
        self.environment.push((name.to_owned(), value.into()));
    }

    /// The daemon's command line, its log going to a file.
    fn command(&self, program: &Path) -> Command {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.path("log"))
            .unwrap();
        let mut command = Command::new(program);
        command.arg("--config").arg(self.path("framepackd.yaml"));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .envs(self.environment.iter().cloned())
            .process_group(0);
        command
    }

    /// SIGTERM, and the wait for the end.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.daemon
            .take()
            .expect("the daemon was started")
            .wait()
            .unwrap()
    }

    /// SIGTERM, and the wait for the end; `None`: it has not ended within this time.
    pub(crate) fn stop_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        self.signal(Signal::SIGTERM);
        let told = Instant::now();
        let daemon = self.daemon.as_mut().expect("the daemon was started");
        while told.elapsed() < limit {
            if let Some(status) = daemon.try_wait().unwrap() {
                self.daemon = None;
                return Some(status);
            }
            thread::sleep(Duration::from_millis(10));
        }
        None
    }

    /// SIGKILL for the daemon and its workers, all at once.
    pub(crate) fn kill(&mut self) {
        let mut daemon = self.daemon.take().expect("the daemon was started");
        // Fails when all of it has ended by itself.
        let _ = killpg(Pid::from_raw(daemon.id() as i32), Signal::SIGKILL);
        daemon.wait().unwrap();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let daemon = self.daemon.as_ref().expect("the daemon was started");
        kill(Pid::from_raw(daemon.id() as i32), signal).unwrap();
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path("run/framepackd.sock")
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(&self.socket(), me()).unwrap()
    }

    /// The jobs that a selector means.
    pub(crate) fn show(&self, selector: &str) -> Vec<Job> {
        let jobs = vec![selector.parse::<Selector>().unwrap()];
        let request = Request::Show(SelectRequest { jobs });
        self.client().jobs(&request).unwrap_or_default()
    }

    /// Puts a job file into the folder the good way: written beside it, then renamed.
    pub(crate) fn drop_job(&self, name: impl AsRef<OsStr>, text: impl AsRef<[u8]>) {
        let written = self.path("written");
        fs::write(&written, text).unwrap();
        fs::rename(written, self.path("jobs").join(name.as_ref())).unwrap();
    }

    /// Drops a job with this prompt and otherwise defaults.
    pub(crate) fn drop_prompt(&self, name: &str, prompt: &str) {
        self.drop_job(name, job(prompt));
    }

    /// Waits for the report of a file, whatever became of it: its folder's name and the JSON.
    pub(crate) fn report(&self, stem: &str) -> (String, Value) {
        self.wait_until(&format!("a report on {stem}"), |farm| {
            let (folder, path) = farm.filed(stem, ".report.json").pop()?;
            // The job file comes last: only then is everything in place.
            farm.filed(stem, "")
                .into_iter()
                .find(|(_, path)| is_job(path))?;
            Some((
                folder,
                serde_json::from_slice(&fs::read(path).unwrap()).unwrap(),
            ))
        })
    }

    /// What was put away under this stem with this suffix, with the outcome's folder name.
    pub(crate) fn filed(&self, stem: &str, suffix: &str) -> Vec<(String, PathBuf)> {
        let mut found = Vec::new();
        for outcome in ["done", "failed", "rejected", "duplicate"] {
            for day in entries(&self.path("jobs").join(outcome)) {
                for path in entries(&day) {
                    let name = path.file_name().unwrap().to_string_lossy().into_owned();
                    if name.starts_with(&format!("{stem}.")) && name.ends_with(suffix) {
                        found.push((outcome.to_owned(), path));
                    }
                }
            }
        }
        found
    }

    /// Every file that a daemon has claimed.
    pub(crate) fn claimed(&self) -> Vec<PathBuf> {
        entries(&self.path("jobs/claimed"))
            .iter()
            .flat_map(|daemon| entries(daemon))
            .collect()
    }

    /// Job numbers that the fake worker was told to render, in order.
    pub(crate) fn renders(&self) -> Vec<u64> {
        let log = fs::read_to_string(self.path("state/renders.log")).unwrap_or_default();
        log.lines().map(|line| line.parse().unwrap()).collect()
    }

    /// Lines of a log that the fake worker keeps in the state directory.
    pub(crate) fn noted(&self, log: &str) -> Vec<String> {
        let log = fs::read_to_string(self.path("state").join(log)).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    /// What `ping` says of a device.
    pub(crate) fn worker(&self, device: &str) -> WorkerStatus {
        let Ok(Response::Pong(status)) = self.client().call(&Request::Ping) else {
            panic!("the daemon does not answer");
        };
        let mut workers = status.workers.into_iter();
        workers.find(|worker| worker.device == device).unwrap()
    }

    /// Waits until a device's worker is in this state.
    #[track_caller]
    pub(crate) fn wait_for_worker(&self, device: &str, state: WorkerState) -> WorkerStatus {
        self.wait_until(&format!("{device} is {state:?}"), |farm| {
            let worker = farm.worker(device);
            (worker.state == state).then_some(worker)
        })
    }

    /// Every file in the outputs folder, hidden ones included.
    pub(crate) fn outputs(&self) -> Vec<String> {
        let files = entries(&self.path("outputs"));
        files
            .iter()
            .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Looks until there is something to see.
    #[track_caller]
    pub(crate) fn wait_until<T>(&self, what: &str, look: impl Fn(&Self) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(seen) = look(self) {
                return seen;
            }
            assert!(
                start.elapsed() < DEADLINE,
                "{what}: not within {DEADLINE:?}; the daemon's log:\n{}",
                self.log()
            );
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Farm {
    fn drop(&mut self) {
        if self.daemon.is_some() {
            self.kill();
        }
        if thread::panicking() {
            eprintln!("the daemon's log:\n{}", self.log());
        }
    }
}

/// A job file with this prompt. What fails is tried again without a pause.
pub(crate) fn job(prompt: &str) -> String {
    format!(
        "api: framepack/v1\nstart: {{image: photo.png}}\nretry: {{backoff_secs: 0}}\nprompt: \"{prompt}\"\n"
    )
}

fn is_job(path: &Path) -> bool {
    path.extension()
        .is_some_and(|suffix| suffix == "yaml" || suffix == "yml")
}

/// Models that look sound, which is all that the fake worker needs. They prefer nothing.
fn link_models(bundle: &Path) {
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/bundle");
    fs::create_dir(bundle).unwrap();
    for part in entries(Path::new(models)) {
        let name = part.file_name().unwrap();
        if name != "framepack.json" {
            symlink(&part, bundle.join(name)).unwrap();
        }
    }
}

/// A binary that lies beside framepackd.
pub(crate) fn binary(name: &str) -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_framepackd")).with_file_name(name)
}

/// This client.
pub(crate) fn me() -> ClientInfo {
    ClientInfo::new("test")
}

/// Paths in a folder, by name; none if there is no such folder.
pub(crate) fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
