//! A worker process under test, spoken to as the daemon does.

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use framepack_ipc::worker::{
    CHECKPOINT_PREFIX, Extent, FromWorker, Precaution, RenderOutput, RenderRequest, ToWorker,
};
use framepack_jobs::{Failure, Guidance, JobId, Model, Settings};

/// No answer of a tiny model takes this long.
const PATIENCE: Duration = Duration::from_mins(4);

/// The worker.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_framepack-worker");

/// Fixtures that the tests share with those of parity.
pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures")
}

/// A worker on the CPU; killed when dropped.
pub(crate) struct Worker {
    child: Child,
    stdin: Option<ChildStdin>,
    messages: mpsc::Receiver<FromWorker>,
    log: mpsc::Receiver<String>,
}

/// Reads a pipe to its end on a thread of its own.
fn in_lines<T: Send + 'static>(
    pipe: impl Read + Send + 'static,
    parse: impl Fn(String) -> T + Send + 'static,
) -> mpsc::Receiver<T> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            // Nobody listens any more when the test is over.
            let _ = sender.send(parse(line));
        }
    });
    receiver
}

impl Worker {
    /// Starts a worker; it may have to wait for the device.
    pub(crate) fn start(state_dir: &Path) -> Self {
        Self::start_with(state_dir, &[])
    }

    /// The same with more arguments.
    pub(crate) fn start_with(state_dir: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(PROGRAM);
        command
            .args(["serve", "--device", "cpu", "--state-dir"])
            .arg(state_dir)
            .args(arguments);
        Self::spawn(command)
    }

    /// Starts a worker by a command of the caller's.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command
            // One thread: several would wait for each other on a busy machine.
            .env("OMP_NUM_THREADS", "1")
            .env_remove("RUST_LOG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the worker starts");
        let stdout = child.stdout.take().expect("stdout is a pipe");
        let stderr = child.stderr.take().expect("stderr is a pipe");
        let messages = in_lines(stdout, |line| {
            serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"))
        });
        let log = in_lines(stderr, |line| {
            eprintln!("{line}"); // shown when the test fails
            line
        });
        let stdin = child.stdin.take();
        Self {
            child,
            stdin,
            messages,
            log,
        }
    }

    /// Starts a worker and waits until it is ready.
    pub(crate) fn ready(state_dir: &Path) -> Self {
        Self::ready_with(state_dir, &[])
    }

    /// The same with more arguments.
    pub(crate) fn ready_with(state_dir: &Path, arguments: &[&str]) -> Self {
        let worker = Self::start_with(state_dir, arguments);
        assert!(matches!(worker.next(), FromWorker::Ready(_)));
        worker
    }

    pub(crate) fn send(&mut self, message: &ToWorker) {
        let stdin = self.stdin.as_mut().expect("stdin is open");
        let line = serde_json::to_string(message).unwrap() + "\n";
        stdin.write_all(line.as_bytes()).expect("the worker reads");
    }

    pub(crate) fn next(&self) -> FromWorker {
        self.messages
            .recv_timeout(PATIENCE)
            .expect("the worker answers")
    }

    /// Whether the worker has said nothing since it was asked last.
    pub(crate) fn is_silent(&self) -> bool {
        matches!(self.messages.try_recv(), Err(mpsc::TryRecvError::Empty))
    }

    /// Waits for a line of the worker's log.
    pub(crate) fn wait_for_log(&self, part: &str) {
        while !self
            .log
            .recv_timeout(PATIENCE)
            .expect("the worker logs it")
            .contains(part)
        {}
    }

    /// Ends the worker and returns the folders of the models that it loaded, in that order.
    pub(crate) fn into_loads(mut self) -> Vec<String> {
        self.hang_up();
        let folder = |line: String| {
            let (_, path) = line.split_once("loading folder=")?;
            Some(Path::new(path).file_name()?.to_str()?.to_owned())
        };
        self.log.iter().filter_map(folder).collect()
    }

    /// Waits for a message that `wanted` accepts.
    pub(crate) fn wait_for(&self, wanted: impl Fn(&FromWorker) -> bool) -> FromWorker {
        loop {
            let message = self.next();
            if wanted(&message) {
                return message;
            }
            let ended = matches!(
                message,
                FromWorker::Failed { .. } | FromWorker::Cancelled { .. }
            );
            assert!(!ended, "{message:?}");
        }
    }

    /// Renders a request that has to succeed, from its start, whatever was rendered in its work folder before.
    pub(crate) fn render(&mut self, request: &RenderRequest) -> RenderOutput {
        for entry in fs::read_dir(&request.work_dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().and_then(OsStr::to_str);
            if name.is_some_and(|name| name.starts_with(CHECKPOINT_PREFIX)) {
                fs::remove_file(path).unwrap();
            }
        }
        self.go_on(request)
    }

    /// Renders a request that has to succeed, from where it was.
    pub(crate) fn go_on(&mut self, request: &RenderRequest) -> RenderOutput {
        self.send(&ToWorker::Render(Box::new(request.clone())));
        match self.wait_for(|message| matches!(message, FromWorker::Done { .. })) {
            FromWorker::Done { output, .. } => *output,
            other => panic!("{other:?}"),
        }
    }

    /// Renders a request that has to fail.
    pub(crate) fn fail(&mut self, request: &RenderRequest) -> Failure {
        self.send(&ToWorker::Render(Box::new(request.clone())));
        loop {
            match self.next() {
                FromWorker::Failed { failure, .. } => return failure,
                FromWorker::Started { .. }
                | FromWorker::Progress { .. }
                | FromWorker::Kept { .. }
                | FromWorker::Checkpoint { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// What a descriptor of the worker is.
    pub(crate) fn descriptor(&self, number: u32) -> PathBuf {
        fs::read_link(format!("/proc/{}/fd/{number}", self.child.id())).unwrap()
    }

    /// Ends the worker as `kill -9` does, and waits until it is gone.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("the worker can be killed");
        self.child.wait().expect("the worker can be waited for");
    }

    /// Closes the worker's stdin and returns how long it took to end.
    pub(crate) fn hang_up(&mut self) -> Duration {
        let start = Instant::now();
        drop(self.stdin.take());
        self.child.wait().expect("the worker can be waited for");
        start.elapsed()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Both fail when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder with everything that requests write to.
pub(crate) struct Desk {
    pub(crate) dir: tempfile::TempDir,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A request for `sections` sections of the tiny bundle in its smallest size, with a work folder of its own.
    pub(crate) fn request(&self, model: Model, sections: u32) -> RenderRequest {
        let work_dir = self.path().join(format!("work-{model:?}-{sections}"));
        fs::create_dir_all(&work_dir).unwrap();
        RenderRequest {
            job: JobId(1),
            name: "test".into(),
            bundle: fixtures().join("bundle"),
            f1_bundle: None,
            model,
            image: fixtures().join("parity/preprocess/48x48.png"),
            image_name: "48x48.png".into(),
            prompt: "a cat".into(),
            negative_prompt: String::new(),
            seed: 31337,
            length_secs: f64::from(sections) * 1.2,
            steps: Some(2),
            guidance: Guidance::default(),
            bucket: Some(128),
            latent_window: None,
            crf: 23,
            settings: Settings::default(),
            own: vec![],
            output: self.path().join(format!("{model:?}-{sections}.mp4")),
            work_dir,
            rung: 0,
            host_rung: 0,
            precaution: Precaution::None,
            extent: Extent::Whole,
        }
    }
}
