//! A user's machine: a home with a Hub cache, and the program.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
};

use framepack_bundle::{Finding, look};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    content::{ORIGINAL, Repository, SHARD, hub_hash, repositories},
    hub::Hub,
};

/// What is wrong with a bundle, but that it has one of the two models.
pub(crate) fn faults(root: &Path) -> Vec<Finding> {
    look(root, None).faults().cloned().collect()
}

pub(crate) struct World {
    home: TempDir,
    endpoint: String,
    variables: Vec<(String, String)>,
}

/// How the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl World {
    pub(crate) fn of(hub: &Hub) -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            endpoint: hub.endpoint(),
            variables: Vec::new(),
        }
    }

    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.variables.push((name.to_owned(), value.into()));
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.home().join("hf/hub")
    }

    /// The folder of a repository in the cache.
    pub(crate) fn repository(&self, name: &str) -> PathBuf {
        self.cache()
            .join(format!("models--{}", name.replace('/', "--")))
    }

    /// The part of a file in the cache.
    pub(crate) fn partial(&self, name: &str, hash: &str) -> PathBuf {
        self.repository(name)
            .join(format!("blobs/{hash}.incomplete"))
    }

    /// The part of [`SHARD`] in the cache.
    pub(crate) fn shard_partial(&self) -> PathBuf {
        self.partial(ORIGINAL, &hub_hash(SHARD, &bytes_of(ORIGINAL, SHARD)))
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_framepack-models"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.home())
            .env("HF_HOME", self.home().join("hf"))
            .env("HF_ENDPOINT", &self.endpoint)
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.command(arguments).output().unwrap().into()
    }

    /// `fetch` without pauses between attempts.
    pub(crate) fn fetch(&self, arguments: &[&str]) -> Ended {
        self.run(&[&["fetch", "--retry-delay", "0"], arguments].concat())
    }

    /// A `fetch` that is at [`SHARD`]: so many bytes of it are on the disk.
    pub(crate) fn fetch_at_shard(&self, bytes: u64) -> Child {
        let mut command = self.command(&["fetch", "--retry-delay", "0"]);
        let child = command.spawn().unwrap();
        let partial = self.shard_partial();
        while fs::metadata(&partial).map_or(0, |it| it.len()) < bytes {
            thread::yield_now();
        }
        child
    }

    /// The files of a repository in the cache.
    pub(crate) fn snapshot(&self, name: &str) -> PathBuf {
        let repository = self.repository(name);
        let commit = fs::read_to_string(repository.join("refs/main")).unwrap();
        repository.join("snapshots").join(commit)
    }

    /// That the cache has a repository.
    pub(crate) fn assert_fetched(&self, name: &str) {
        Self::assert_whole(&self.snapshot(name), name);
    }

    /// Whether a folder has all files of a repository that are needed, each with the right bytes.
    pub(crate) fn assert_whole(folder: &Path, name: &str) {
        let Repository { files, .. } = repositories().remove(name).unwrap();
        let mut seen = 0;
        for (path, bytes) in files {
            let needed = !["README.md", "model_index.json"].contains(&&*path)
                && !["scheduler/", "image_embedder/"]
                    .iter()
                    .any(|it| path.starts_with(it))
                && !path.starts_with("transformer/");
            let file = folder.join(&path);
            assert_eq!(file.exists(), needed, "{}", file.display());
            if needed {
                assert!(
                    fs::read(&file).unwrap() == bytes,
                    "{} differs",
                    file.display()
                );
                seen += 1;
            }
        }
        assert!(seen > 2);
    }
}

/// Writes a repository as plain files.
pub(crate) fn write(folder: &Path, name: &str) {
    for (path, bytes) in &repositories()[name].files {
        let file = folder.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
}

/// A published file.
pub(crate) fn bytes_of(name: &str, path: &str) -> Vec<u8> {
    repositories()[name].files[path].clone()
}

/// Changes a file as a disk does that goes bad: nobody has written it.
pub(crate) fn damage(path: &Path) {
    let modified = fs::metadata(path).unwrap().modified().unwrap();
    let mut bytes = fs::read(path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(path, bytes).unwrap();
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(modified).unwrap();
}

impl Ended {
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Failed with this exit code and error, which says all of `parts`.
    pub(crate) fn failed(self, exit: i32, code: &str, parts: &[&str]) -> Self {
        assert_eq!(self.code, Some(exit), "{}\n{}", self.stdout, self.stderr);
        assert!(
            self.stderr.contains(&format!("[{code}]")),
            "{}",
            self.stderr
        );
        for part in parts {
            assert!(
                self.stderr.contains(part),
                "no {part:?} in:\n{}",
                self.stderr
            );
        }
        self
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
