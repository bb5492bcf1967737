//! A farm to which things happen: folders, a daemon with fake workers, and what its users were told.

use std::{
    fs::{self, File},
    io::Write,
    os::unix::{
        fs::{FileExt, symlink},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use framepack_ipc::{client::Client, control::ClientInfo, queue::Change};
use nix::{sys::signal::Signal, unistd::Pid};

use crate::{
    cast::Cast,
    checker::events,
    clock::Clock,
    random::Random,
    schedule::{Act, Arrival, Behaviour, Schedule},
};

/// Longest wait for something to happen: how long all of it takes depends on the machine.
pub(crate) const DEADLINE: Duration = Duration::from_mins(2);
/// Longest wait for all of it.
const LONGEST: Duration = Duration::from_mins(20);
/// Pause between two looks.
pub(crate) const LOOK: Duration = Duration::from_millis(2);
/// Longest time that a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Folders, and the daemon on them while there is one.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) root: PathBuf,
    pub(crate) cast: Cast,
    clock: Clock,
    pub(crate) random: Random,
    pub(crate) jobs: Vec<Behaviour>,
    pub(crate) daemon: Option<Child>,
    /// Process groups of all daemons so far: a worker may outlive its daemon while it stands still.
    pub(crate) groups: Vec<Pid>,
}

impl World {
    /// The farm's folders are made in `farm` below `root`, beside what the test keeps for itself. No daemon yet.
    pub(crate) fn new(root: &Path, cast: Cast, schedule: &Schedule) -> Self {
        fs::create_dir(root.join("farm/jobs")).unwrap();
        // Models that look sound are all that fake workers need.
        let models = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/bundle");
        symlink(models, root.join("farm/bundle")).unwrap();
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
            Act::Pause(job, at) => self.change(job, Change::Pause { at }),
            Act::Resume(job) => self.change(job, Change::Resume),
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
    pub(crate) fn start(&mut self) {
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
        command.envs(self.clock.environment());
        let mut daemon = command.spawn().unwrap();
        self.groups.push(Pid::from_raw(daemon.id() as i32));
        let start = Instant::now();
        while self.client().is_none() && daemon.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < DEADLINE, "the daemon does not answer");
            thread::sleep(LOOK);
        }
        self.daemon = Some(daemon);
    }

    pub(crate) fn farm(&self) -> PathBuf {
        self.root.join("farm")
    }

    fn socket(&self) -> PathBuf {
        self.root.join("framepackd.sock")
    }

    pub(crate) fn client(&self) -> Option<Client> {
        let deadline = Some(Instant::now() + PATIENCE);
        Client::connect_before(deadline, &self.socket(), ClientInfo::new("test")).ok()
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

    pub(crate) fn free_disk(&self) {
        // There may be nothing to remove.
        let _ = fs::remove_file(self.farm().join("ballast"));
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

    pub(crate) fn wait_for_lines(&self, lines: usize) {
        let (start, wanted) = (Instant::now(), events(&self.root).len() + lines);
        while start.elapsed() < self.cast.moment() && events(&self.root).len() < wanted {
            thread::sleep(LOOK);
        }
    }

    /// Undoes what can be undone and waits until every job has ended and every file has been put away, for as long as
    /// any job gets on.
    pub(crate) fn heal(&mut self) {
        self.clock.set(0);
        self.free_disk();
        self.continue_all();
        let start = Instant::now();
        let (mut moved_at, mut jobs) = (start, None);
        loop {
            self.start();
            self.resume_all();
            if self.is_quiet() {
                break;
            }
            let now = self.jobs_of_daemon();
            if now.is_some() && now != jobs {
                (moved_at, jobs) = (Instant::now(), now);
            }
            let is_still = moved_at.elapsed() > DEADLINE;
            let is_late = start.elapsed() > LONGEST;
            assert!(!is_still && !is_late, "it does not come to rest: {jobs:#?}");
            thread::sleep(5 * LOOK);
        }
        self.signal_daemon(Signal::SIGTERM);
        if let Some(mut daemon) = self.daemon.take() {
            daemon.wait().unwrap();
        }
    }

    pub(crate) fn note(&self, text: &str) {
        append(&self.root.join("log"), &format!("--- {text}"));
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.kill_all();
    }
}

pub(crate) fn append(path: &Path, line: &str) {
    let mut file = File::options()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    writeln!(file, "{line}").unwrap();
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
