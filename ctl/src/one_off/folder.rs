//! What a daemon for one job has on the disk: its configuration, state, log and socket.

use std::{
    env,
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process,
};

use framepack_ipc::ErrorBody;

use crate::{delivery::unwritable, output::remark};

/// Longest path of a Unix socket in bytes.
const MAX_SOCKET_BYTES: usize = 107;

/// A folder of one run, below the user's state folder.
#[derive(Debug, Clone)]
pub(crate) struct RunFolder(PathBuf);

impl RunFolder {
    /// A new folder with a configuration in it, for these models or the daemon's own choice.
    pub(crate) fn create(models: Option<&Path>) -> Result<Self, ErrorBody> {
        let home = user_state().join("framepackd");
        let is_short = home.join("run-4194304-99/socket").as_os_str().len() <= MAX_SOCKET_BYTES;
        let home = if is_short { home } else { env::temp_dir() };
        let folder = Self::new_in(&home).map_err(|error| unwritable(&home, &error))?;
        let config = folder.config();
        let written = fs::write(&config, configuration(models));
        written.map_err(|error| unwritable(&config, &error))?;
        Ok(folder)
    }

    fn new_in(home: &Path) -> io::Result<Self> {
        fs::create_dir_all(home)?;
        let mut number = 0;
        loop {
            let folder = home.join(format!("run-{}-{number}", process::id()));
            // Prompts and pictures are nobody else's business.
            match DirBuilder::new().mode(0o700).create(&folder) {
                // Left by an earlier process of that number.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                created => return created.map(|()| Self(folder)),
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.0.join("framepackd.yaml")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.0.join("socket")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.0.join("framepackd.log")
    }

    /// Removes it with all that is in it.
    pub(crate) fn remove(self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            remark(&format!("warning: removing {}: {error}", self.0.display()));
        }
    }
}

/// `$XDG_STATE_HOME`, or what stands for it.
fn user_state() -> PathBuf {
    let folder = |name| {
        let folder = env::var_os(name).map(PathBuf::from);
        folder.filter(|folder| folder.is_absolute())
    };
    folder("XDG_STATE_HOME")
        .or_else(|| Some(folder("HOME")?.join(".local/state")))
        .unwrap_or_else(env::temp_dir)
}

/// Relative paths are relative to the file.
fn configuration(models: Option<&Path>) -> String {
    let paths = "# Of `framepackctl run`, for one job.\n\
                 paths:\n  jobs: jobs\n  state: state\n  outputs: videos\n  socket: socket\n  inputs: /\n";
    match models {
        Some(models) => format!("{paths}models:\n  bundle: {}\n", quoted(models)),
        None => paths.to_owned(),
    }
}

/// As YAML quotes it: JSON is YAML.
pub(crate) fn quoted(path: &Path) -> String {
    serde_json::Value::from(path.to_string_lossy()).to_string()
}
