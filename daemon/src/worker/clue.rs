//! What a worker needs, as files tell of it: when it is other than before, another start is worth a try.

use std::{
    env, fs,
    hash::{DefaultHasher, Hash, Hasher},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use crate::{disk::Disk, nvidia::Nvidia};

/// Where `make install` puts libraries, seen from the program's folder.
const INSTALLED: [&str; 2] = [
    "../lib/framepack/torch/lib",
    "../lib/framepack/nvidia/cu13/lib",
];

/// Where that is.
#[derive(Debug, Clone)]
pub(super) struct Needs {
    disk: Disk,
    program: PathBuf,
}

/// How it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Clue {
    /// Changes with the program and with each file in the folders of its libraries.
    files: u64,
    nvidia: Nvidia,
}

impl Needs {
    pub(super) fn new(disk: &Disk, program: &Path) -> Self {
        Self {
            disk: disk.clone(),
            program: program.to_owned(),
        }
    }

    /// How it is now; `None` while the program's share does not answer.
    pub(super) async fn look(&self) -> Option<Clue> {
        let program = self.program.clone();
        let look = move || Clue {
            files: files(&program, &library_folders(&program)),
            nvidia: Nvidia::look(),
        };
        self.disk.at(&self.program, look).await.ok()
    }
}

/// The folders in which a worker's libraries are looked for, beside the system's own.
fn library_folders(program: &Path) -> Vec<PathBuf> {
    let program = fs::canonicalize(program).unwrap_or_else(|_| program.to_owned());
    let folder = program.parent().unwrap_or(Path::new("/"));
    let installed = INSTALLED.iter().map(|below| folder.join(below));
    let variable = env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let named: Vec<PathBuf> = env::split_paths(&variable)
        .filter(|folder| folder.is_absolute())
        .collect();
    installed.chain(named).collect()
}

fn files(program: &Path, folders: &[PathBuf]) -> u64 {
    let mut hasher = DefaultHasher::new();
    note(program, &mut hasher);
    for folder in folders {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        files.sort();
        for file in files {
            note(&file, &mut hasher);
        }
    }
    hasher.finish()
}

fn note(path: &Path, hasher: &mut DefaultHasher) {
    let file = fs::metadata(path).ok();
    let file = file.map(|file| {
        let written = (file.mtime(), file.mtime_nsec());
        (file.len(), written, file.ino(), file.mode())
    });
    (path, file).hash(hasher);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_comes_or_is_replaced_is_another_clue() {
        let root = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(root.path()).unwrap();
        let (program, libraries) = (
            root.join("bin/worker"),
            root.join("lib/framepack/torch/lib"),
        );
        fs::create_dir_all(root.join("bin")).unwrap();
        fs::write(&program, "").unwrap();
        let look = || files(&program, &library_folders(&program));
        let mut seen = vec![look()];
        fs::create_dir_all(&libraries).unwrap();
        assert_eq!(look(), seen[0]);
        fs::write(libraries.join("libtorch_cpu.so"), "half").unwrap();
        seen.push(look());
        fs::write(libraries.join("libtorch_cpu.so"), "whole now").unwrap();
        seen.push(look());
        fs::remove_file(&program).unwrap();
        seen.push(look());
        assert_eq!(look(), seen[3]);
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 4);
    }
}
