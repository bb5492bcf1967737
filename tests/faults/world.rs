//! A farm to which things happen: folders, a daemon with fake workers, and what its users were told.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::{fs::FileExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use framepack_ipc::{
    client::{Client, ClientError},
    control::{ClientInfo, ListRequest, Request, Response, SelectRequest, SubmitRequest},
};
use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};

use crate::{
    cast::Cast,
    checker::events,
    clock::Clock,
    random::Random,
    schedule::{Act, Arrival, Behaviour, Schedule},
};

/// Longest wait for the end of everything.
const DEADLINE: Duration = Duration::from_mins(2);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(2);
/// Longest time that a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Folders, and the daemon on them while there is one.
#[derive(Debug)]
pub(crate) struct World {
    root: PathBuf,
    cast: Cast,
    clock: Clock,
    random: Random,
    jobs: Vec<Behaviour>,
    daemon: Option<Child>,
    /// Process groups of all daemons so far: a worker may outlive its daemon while it stands still.
    groups: Vec<Pid>,
}

impl World {
    /// The farm's folders are made in `farm` below `root`, beside what the test keeps for itself. No daemon yet.
    pub(crate) fn new(root: &Path, cast: Cast, schedule: &Schedule) -> Self {
        fs::create_dir(root.join("farm/jobs")).unwrap();
        Cast::bring_photo(&root.join("farm/jobs"));
        fs::write(root.join("framepackd.yaml"), cast.settings()).unwrap();
        Self {
            clock: Clock::new(root),
            random: Random::new(!schedule.seed),
            jobs: schedule.jobs.clone(),
            root: root.to_owned(),
            cast,
            daemon: None,
            groups: Vec::new(),
        }
    }

    /// Lets one thing happen. A daemon that has died is started again first.
    pub(crate) fn act(&mut self, act: Act) {
        self.start();
        match act {
            Act::Drop(job, arrival) => self.arrive(&format!("job{job}"), job, arrival),
            Act::DropAgain(job) => {
                let stem = format!("again{}", self.random.next());
                self.arrive(&stem, job, Arrival::Renamed);
            }
            Act::Submit(job) => self.submit(job),
            Act::Cancel(job) => self.cancel(job),
            Act::KillDaemon => self.kill_daemon(),
            Act::KillAll => self.kill_all(),
            Act::KillWorker => self.signal_workers(Signal::SIGKILL),
            Act::StopWorker => self.signal_workers(Signal::SIGSTOP),
            Act::StopDaemon => self.signal_daemon(Signal::SIGSTOP),
            Act::ContinueAll => self.continue_all(),
            Act::CorruptCheckpoint => self.corrupt_checkpoint(),
            Act::FillDisk { spare_kib } => self.fill_disk(spare_kib),
            Act::FreeDisk => self.free_disk(),
            Act::SetClock { ahead_secs } => self.clock.set(ahead_secs),
            Act::Await { lines } => self.wait_for_lines(lines),
        }
    }

    /// Starts a daemon when there is none, and waits until it answers or has ended.
    fn start(&mut self) {
        if let Some(daemon) = &mut self.daemon {
            match daemon.try_wait().unwrap() {
                None => return,
                Some(status) => self.note(&format!("the daemon ended by itself: {status}")),
            }
        }
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.root.join("log"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_framepackd"));
        command
            .arg("--config")
            .arg(self.root.join("framepackd.yaml"));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.unwrap())
            .process_group(0);
        self.clock.apply(&mut command);
        let mut daemon = command.spawn().unwrap();
        self.groups.push(Pid::from_raw(daemon.id() as i32));
        let start = Instant::now();
        while self.client().is_none() && daemon.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < DEADLINE, "the daemon does not answer");
            thread::sleep(LOOK);
        }
        self.daemon = Some(daemon);
    }

    fn farm(&self) -> PathBuf {
        self.root.join("farm")
    }

    fn socket(&self) -> PathBuf {
        self.root.join("framepackd.sock")
    }

    fn client(&self) -> Option<Client> {
        let deadline = Some(Instant::now() + PATIENCE);
        Client::connect_before(deadline, &self.socket(), ClientInfo::new("test")).ok()
    }

    fn text(&self, job: usize) -> String {
        self.cast.job(job, &self.jobs[job])
    }

    /// A file arrives; on a full disk the user makes room first.
    fn arrive(&mut self, stem: &str, job: usize, arrival: Arrival) {
        if self.drop_file(stem, job, arrival).is_err() {
            self.free_disk();
            self.drop_file(stem, job, arrival).unwrap();
        }
        append(&self.root.join("dropped"), stem);
    }

    fn drop_file(&self, stem: &str, job: usize, arrival: Arrival) -> io::Result<()> {
        let target = self.farm().join("jobs").join(format!("{stem}.yaml"));
        let (text, beside) = (self.text(job), self.farm().join("written"));
        match arrival {
            Arrival::Renamed => {
                fs::write(&beside, text)?;
                fs::rename(beside, target)
            }
            Arrival::Linked => {
                fs::write(&beside, text)?;
                fs::hard_link(&beside, target)?;
                fs::remove_file(beside)
            }
            Arrival::Written => {
                let (first, second) = text.split_at(text.len() / 2);
                let mut file = File::create(target)?;
                file.write_all(first.as_bytes())?;
                self.wait_for_lines(1);
                file.write_all(second.as_bytes())
            }
        }
    }

    /// Somebody else's file takes what is free, but for so much.
    fn fill_disk(&self, spare_kib: usize) {
        let mut ballast = File::create(self.farm().join("ballast")).unwrap();
        let block = vec![0; 64 << 10];
        while ballast.write_all(&block).is_ok() {}
        let length = ballast.metadata().unwrap().len();
        ballast
            .set_len(length.saturating_sub((spare_kib as u64) << 10))
            .unwrap();
    }

    fn free_disk(&self) {
        // There may be nothing to remove.
        let _ = fs::remove_file(self.farm().join("ballast"));
    }

    /// Submits as users do, who try again when nobody answered them, and make room when they are told to.
    fn submit(&mut self, job: usize) {
        let request = Request::Submit(SubmitRequest {
            yaml: self.text(job),
            folder: self.farm().join("jobs"),
            stem: format!("job{job}"),
        });
        let start = Instant::now();
        while start.elapsed() < DEADLINE {
            let answer = self.client().map(|mut client| client.call(&request));
            match answer {
                Some(Ok(Response::Submitted(submitted))) => {
                    return append(&self.root.join("promised"), &submitted.job.id.to_string());
                }
                Some(Err(ClientError::Refused(error))) => {
                    self.note(&format!(
                        "a submission was refused: {}",
                        error.error.message
                    ));
                    self.free_disk();
                }
                _ => self.continue_all(),
            }
            thread::sleep(LOOK);
            self.start();
        }
        panic!("nobody takes job {job}");
    }

    fn cancel(&mut self, job: usize) {
        let jobs = vec![format!("job{job}").parse().unwrap()];
        if let Some(mut client) = self.client() {
            // Nobody may be there, and the job may not: then it is not cancelled.
            let _ = client.call(&Request::Cancel(SelectRequest { jobs }));
        }
    }

    fn kill_daemon(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill().unwrap();
            daemon.wait().unwrap();
        }
    }

    pub(crate) fn kill_all(&mut self) {
        for group in &self.groups {
            // Fails where nobody is left.
            let _ = killpg(*group, Signal::SIGKILL);
        }
        self.kill_daemon();
    }

    fn signal_daemon(&self, signal: Signal) {
        if let Some(daemon) = &self.daemon {
            kill(Pid::from_raw(daemon.id() as i32), signal).unwrap();
        }
    }

    fn signal_workers(&self, signal: Signal) {
        for worker in self.daemon.iter().flat_map(|daemon| children(daemon.id())) {
            // It may have ended just now.
            let _ = kill(Pid::from_raw(worker), signal);
        }
    }

    fn continue_all(&self) {
        for group in &self.groups {
            let _ = killpg(*group, Signal::SIGCONT);
        }
    }

    fn corrupt_checkpoint(&mut self) {
        let pattern = self.farm().join("state/work");
        let mut checkpoints = Vec::new();
        for work in fs::read_dir(pattern).into_iter().flatten().flatten() {
            collect_checkpoints(&work.path(), &mut checkpoints);
        }
        checkpoints.sort();
        if checkpoints.is_empty() {
            return;
        }
        let chosen = &checkpoints[self.random.below(checkpoints.len())];
        // It may be gone by now.
        let Ok(file) = File::options().read(true).write(true).open(chosen) else {
            return;
        };
        let length = file.metadata().unwrap().len().max(1);
        let at = self.random.next() % length;
        let mut byte = [0];
        let _ = file.read_at(&mut byte, at);
        file.write_at(&[byte[0] ^ 0xff], at).unwrap();
        self.note(&format!("corrupted {} at {at}", chosen.display()));
    }

    fn wait_for_lines(&self, lines: usize) {
        let (start, wanted) = (Instant::now(), events(&self.root).len() + lines);
        while start.elapsed() < self.cast.moment() && events(&self.root).len() < wanted {
            thread::sleep(LOOK);
        }
    }

    /// Undoes what can be undone and waits until every job has ended and every file has been put away.
    pub(crate) fn heal(&mut self) {
        self.clock.set(0);
        self.free_disk();
        self.continue_all();
        let start = Instant::now();
        loop {
            self.start();
            if self.is_quiet() {
                break;
            }
            assert!(start.elapsed() < DEADLINE, "it does not come to rest");
            thread::sleep(5 * LOOK);
        }
        self.signal_daemon(Signal::SIGTERM);
        if let Some(mut daemon) = self.daemon.take() {
            daemon.wait().unwrap();
        }
    }

    fn is_quiet(&self) -> bool {
        let jobs = self.farm().join("jobs");
        let is_job = |entry: &fs::DirEntry| entry.path().extension().is_some_and(|s| s == "yaml");
        let waiting = fs::read_dir(&jobs)
            .unwrap()
            .flatten()
            .filter(is_job)
            .count();
        let claims = fs::read_dir(jobs.join("claimed"))
            .into_iter()
            .flatten()
            .flatten();
        let claimed: usize = claims
            .map(|daemon| fs::read_dir(daemon.path()).unwrap().count())
            .sum();
        if waiting + claimed > 0 {
            return false;
        }
        let listed = self
            .client()
            .map(|mut client| client.call(&Request::List(ListRequest::default())));
        matches!(listed, Some(Ok(Response::Jobs { jobs })) if jobs.iter().all(framepack_jobs::Job::is_finished))
    }

    fn note(&self, text: &str) {
        append(&self.root.join("log"), &format!("--- {text}"));
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.kill_all();
    }
}

fn append(path: &Path, line: &str) {
    let mut file = File::options()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    writeln!(file, "{line}").unwrap();
}

/// The processes whose parent this is.
fn children(parent: u32) -> Vec<i32> {
    let is_child = |process: &i32| {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        // The name, which may hold anything, ends with the last parenthesis.
        let fields = stat
            .rsplit_once(')')
            .map(|(_, fields)| fields)
            .unwrap_or_default();
        fields
            .split_whitespace()
            .nth(1)
            .and_then(|id| id.parse().ok())
            == Some(parent)
    };
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(is_child).collect()
}

/// The files of checkpoints in a job's work folder: `checkpoint…`, or in a folder of such a name.
fn collect_checkpoints(work: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(work).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if !name.to_string_lossy().starts_with("checkpoint") {
            continue;
        }
        match fs::read_dir(&path) {
            Ok(files) => found.extend(files.flatten().map(|file| file.path())),
            Err(_) => found.push(path),
        }
    }
}
