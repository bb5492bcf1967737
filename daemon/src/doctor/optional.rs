//! Programs and libraries that are used where they are there. docs/INSTALL.md has the same table; a test compares them.

use std::{
    env,
    path::{Path, PathBuf},
};

use framepack_ipc::check::{Check, CheckState};

use crate::nvidia::{Nvidia, library_folders};

/// What is used where it is there.
struct Optional {
    name: &'static str,
    /// What is lost without it.
    without: &'static str,
    install: &'static str,
    found_by: FoundBy,
}

/// How it is found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FoundBy {
    /// The worker, which tries whether it works.
    Worker,
    /// Its name: beside framepackd, or in `PATH`.
    Name,
    /// The system's loader, by its name. What asks it runs where there is a driver alone.
    Loader,
}

const TABLE: [Optional; 4] = [
    Optional {
        name: "ffmpeg",
        without: "finished videos will not be decoded to verify them; their containers still are read back",
        install: "the `ffmpeg` package",
        found_by: FoundBy::Worker,
    },
    Optional {
        name: "framepack-models",
        without: "`framepackctl models` can't fetch, check or import models",
        install: "`make install`, or copy it beside framepackctl",
        found_by: FoundBy::Name,
    },
    Optional {
        name: "timedatectl",
        without: "a wrong clock counts as wrong until `framepackctl state acknowledge`, also when it is synchronised again",
        install: "systemd",
        found_by: FoundBy::Name,
    },
    Optional {
        name: "libnvidia-ml.so.1",
        without: "no GPU metrics, no energy in reports, no word on what other programs hold of the card",
        install: "NVIDIA's driver, with its management library",
        found_by: FoundBy::Loader,
    },
];

/// Each of them that the daemon itself can find, or what is lost without it.
pub(super) fn optional(nvidia: &Nvidia) -> Vec<Check> {
    let program = env::current_exe().ok();
    let beside = program
        .as_deref()
        .and_then(Path::parent)
        .map(Path::to_owned);
    let programs: Vec<PathBuf> = beside.into_iter().chain(listed("PATH")).collect();
    let libraries: Vec<PathBuf> = library_folders().chain(listed("LD_LIBRARY_PATH")).collect();
    let has_driver = nvidia.module.is_some();
    let checks = TABLE.iter().filter_map(|row| match row.found_by {
        FoundBy::Worker => None,
        FoundBy::Name => Some(row.check(&programs)),
        FoundBy::Loader => has_driver.then(|| row.check(&libraries)),
    });
    checks.collect()
}

/// The folders that a variable of the environment lists.
fn listed(variable: &str) -> Vec<PathBuf> {
    let value = env::var_os(variable).unwrap_or_default();
    env::split_paths(&value).collect()
}

impl Optional {
    fn check(&self, folders: &[PathBuf]) -> Check {
        let mut places = folders.iter().map(|folder| folder.join(self.name));
        match places.find(|place| place.is_file()) {
            Some(place) => Check::ok(self.name, place.display()),
            None => Check::new(
                CheckState::Warning,
                self.name,
                format!("not found; {}", self.without),
                format!("install it: {}", self.install),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_document_has_the_same_table() {
        let document = include_str!("../../../docs/INSTALL.md");
        let rows =
            TABLE.map(|row| format!("| `{}` | {} | {} |", row.name, row.without, row.install));
        let (_, table) = document
            .split_once("| program | without it | install |\n|---|---|---|\n")
            .expect("the table's head");
        let written: Vec<_> = table
            .lines()
            .take_while(|line| line.starts_with('|'))
            .collect();
        assert_eq!(written, rows);
    }

    #[test]
    fn the_worker_says_the_same_of_what_it_looks_for() {
        let worker = include_str!("../../../engine/src/cli/doctor.rs");
        for row in TABLE.iter().filter(|row| row.found_by == FoundBy::Worker) {
            let (first, _) = row.without.split_once(';').expect("the rest is behind it");
            assert!(worker.contains(&format!("\"{first}\"")), "{}", row.name);
        }
    }

    #[test]
    fn what_is_missing_is_told_with_what_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let folders = [folder.path().to_owned()];
        let missing = TABLE[1].check(&folders);
        assert_eq!(missing.state, CheckState::Warning);
        assert!(missing.message.contains("can't fetch"), "{missing:?}");
        fs::write(folder.path().join("framepack-models"), "").unwrap();
        assert_eq!(TABLE[1].check(&folders).state, CheckState::Ok);
    }
}
