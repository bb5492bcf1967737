//! Paths that hang, for the daemon alone, as a share does whose server is gone: `hang.c` says how.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use framepack_ipc::control::Note;

use crate::{fixture::Farm, preload::compile};

/// What is asked of the daemon meanwhile must be answered within this time, though other tests share the machine.
/// Where it waits for the share, framepackctl gives up after 30 s.
const USUAL: Duration = Duration::from_secs(5);
/// Longest wait for anything that does not need the share.
const PATIENCE: Duration = Duration::from_mins(1);

/// A path that can be made to hang.
#[derive(Debug)]
pub(crate) struct Share {
    path: PathBuf,
    control: PathBuf,
}

impl Share {
    /// From now on no call of the daemon about it returns.
    pub(crate) fn block(&self) {
        File::create(&self.control).unwrap();
    }

    /// It works again, also for the calls that were made meanwhile.
    pub(crate) fn unblock(&self) {
        fs::remove_file(&self.control).unwrap();
    }

    pub(crate) fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }
}

impl Farm {
    /// Makes shares of these folders, for daemons that are started from now on.
    pub(crate) fn shares<const N: usize>(&mut self, folders: [&str; N]) -> [Share; N] {
        let controls = self.path("hanging");
        fs::create_dir(&controls).unwrap();
        let mut number = 0;
        let shares = folders.map(|folder| {
            let path = self.path(folder);
            fs::create_dir_all(&path).unwrap();
            let control = controls.join(number.to_string());
            number += 1;
            Share { path, control }
        });
        let paths: Vec<_> = shares.iter().map(Share::path).collect();
        self.set_environment("HANG_PATHS", paths.join(":"));
        self.set_environment("HANG_CONTROL", controls);
        self.set_environment("HANG_PROGRAM", "framepackd");
        self.set_environment("LD_PRELOAD", library());
        shares
    }

    /// What a command prints, which must not take longer than usual.
    #[track_caller]
    pub(crate) fn answer(&self, arguments: &[&str]) -> String {
        let asked = Instant::now();
        let output = self.ctl(arguments);
        let (out, err) = (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        );
        assert!(
            output.status.success(),
            "{arguments:?} after {:?}: {err}",
            asked.elapsed()
        );
        assert!(
            asked.elapsed() < USUAL,
            "{arguments:?} took {:?}",
            asked.elapsed()
        );
        out
    }

    /// Looks until there is something to see. Meanwhile `list`, `queue` and `ping` are answered as usual.
    #[track_caller]
    pub(crate) fn wait_and_ask<T>(&self, what: &str, look: impl Fn(&Self) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            for command in ["list", "queue", "ping"] {
                self.answer(&[command]);
            }
            if let Some(seen) = look(self) {
                return seen;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "{what}: not within {PATIENCE:?}"
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until `ping` says that this does not answer.
    #[track_caller]
    pub(crate) fn wait_until_degraded_by(&self, share: &Share) {
        self.wait_and_ask(&format!("degraded by {}", share.path()), |farm| {
            let degraded = farm.status().degraded;
            let names_it = |note: &Note| note.message.contains(share.path());
            degraded.iter().any(names_it).then_some(())
        });
    }

    /// Waits until the queue says that a job waits for the share.
    #[track_caller]
    pub(crate) fn wait_until_queued_for(&self, job: &str, share: &Share) {
        self.wait_and_ask(&format!("{job} waits for {}", share.path()), |farm| {
            let queue = farm.answer(&["queue", "--json"]);
            let queue: serde_json::Value = serde_json::from_str(&queue).unwrap();
            let mut jobs = queue["items"].as_array().unwrap().iter();
            let entry = jobs.find(|entry| entry["name"] == job)?;
            let reason = entry["reason"].as_str().unwrap();
            reason.contains(share.path()).then_some(())
        });
    }

    /// Waits until a job is done, while everything is answered as usual.
    #[track_caller]
    pub(crate) fn wait_until_done(&self, job: &str) {
        self.wait_and_ask(&format!("{job} is done"), |farm| {
            let list = farm.answer(&["list", "--json"]);
            let list: serde_json::Value = serde_json::from_str(&list).unwrap();
            let mut jobs = list["items"].as_array().unwrap().iter();
            let entry = jobs.find(|entry| entry["name"] == job)?;
            let state = entry["state"].as_str().unwrap();
            assert!(
                ["queued", "running", "done"].contains(&state),
                "{job}: {entry}"
            );
            (state == "done").then_some(())
        });
    }
}

/// The library that the daemon loads, compiled once.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| compile("daemon/hanging", "hang"))
}
