//! How processes die and stand still.

use std::fs;

use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};

use crate::world::World;

impl World {
    pub(crate) fn kill_daemon(&mut self) {
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

    pub(crate) fn signal_daemon(&self, signal: Signal) {
        if let Some(daemon) = &self.daemon {
            kill(Pid::from_raw(daemon.id() as i32), signal).unwrap();
        }
    }

    pub(crate) fn signal_workers(&self, signal: Signal) {
        for worker in self.daemon.iter().flat_map(|daemon| children(daemon.id())) {
            // It may have ended just now.
            let _ = kill(Pid::from_raw(worker), signal);
        }
    }

    pub(crate) fn continue_all(&self) {
        for group in &self.groups {
            let _ = killpg(*group, Signal::SIGCONT);
        }
    }
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
