//! What a daemon for one job has on the disk: its configuration, state, log and socket.

use std::{
    env,
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process,
};

use framepack_ipc::{ErrorBody, text::shell_quoted};
use framepack_jobs::Code;

use crate::{daemon::Daemon, delivery::unwritable, output::remark, path_text::yaml};

/// Longest path of a Unix socket in bytes.
pub(crate) const MAX_SOCKET_BYTES: usize = 107;

/// The models of a daemon for one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ModelChoice {
    /// What the environment says, or else the Hub's cache.
    Environment,
    /// The Hub's cache.
    Cache,
    /// A folder's.
    Folder(PathBuf),
}

/// A folder of one run, below the user's state folder.
#[derive(Debug, Clone)]
pub(crate) struct RunFolder(PathBuf);

impl RunFolder {
    /// A new folder with a configuration in it, for these models, and videos that go to `outputs`; or to a folder in it,
    /// where that would be in `outputs`, which no daemon takes.
    pub(crate) fn create(models: &ModelChoice, outputs: &Path) -> Result<Self, ErrorBody> {
        let home = home();
        let folder = Self::new_in(&home).map_err(|error| unwritable(&home, &error))?;
        let is_inside = folder
            .0
            .canonicalize()
            .is_ok_and(|it| it.starts_with(outputs));
        let own = Path::new("videos");
        let configuration = configuration(models, if is_inside { own } else { outputs });
        let configuration = configuration.inspect_err(|_| folder.clone().remove())?;
        let config = folder.config();
        let written = fs::write(&config, configuration);
        written.map_err(|error| unwritable(&config, &error))?;
        Ok(folder)
    }

    /// The folder of an earlier run.
    pub(crate) fn open(path: &Path) -> Result<Self, ErrorBody> {
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let folder = Self(path);
        if folder.config().is_file() && folder.log().is_file() {
            return Ok(folder);
        }
        let path = folder.0.display().to_string();
        let message = format!("{path} is no folder that `framepackctl run` has left");
        let earlier = match Self::earlier().as_slice() {
            [] => format!("{} has none", home().display()),
            [earlier @ .., last] => format!(
                "{} has {}; the last is {}",
                home().display(),
                earlier.len() + 1,
                last.0.display()
            ),
        };
        Err(ErrorBody::new(Code::USAGE, message)
            .path(path)
            .hint(earlier))
    }

    fn new_in(home: &Path) -> io::Result<Self> {
        fs::create_dir_all(home)?;
        let mut number = 0;
        loop {
            let folder = home.join(format!("{PREFIX}{}-{number}", process::id()));
            // Prompts and pictures are nobody else's business.
            match DirBuilder::new().mode(0o700).create(&folder) {
                // Left by an earlier process of that number.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                created => return created.map(|()| Self(folder)),
            }
        }
    }

    /// Those whose daemons do not run any more, the newest last.
    fn earlier() -> Vec<Self> {
        let entries = fs::read_dir(home()).into_iter().flatten().flatten();
        let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
        let mut folders: Vec<_> = named
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        folders.sort();
        let folders = folders.into_iter().map(|(_, path)| Self(path));
        folders
            .filter(|folder| folder.config().is_file() && folder.daemon().connect().is_err())
            .collect()
    }

    /// Reminds the user of what earlier runs have left: pictures and parts of videos take room.
    pub(crate) fn tell_of_earlier() {
        if let earlier @ [.., last] = Self::earlier().as_slice() {
            remark(&format!(
                "{} of earlier runs in {}; to go on with the last one: framepackctl run --resume {}; remove those that \
                 you do not need",
                match earlier.len() {
                    1 => "there is 1 folder".to_owned(),
                    several => format!("there are {several} folders"),
                },
                home().display(),
                shell_quoted(&last.0)
            ));
        }
    }

    /// Names the folder, with what can be done with it.
    pub(crate) fn tell_how_to_go_on(&self) {
        let folder = shell_quoted(&self.0);
        remark(&format!(
            "the job and framepackd.log are kept in {}; to go on with it: framepackctl run --resume {folder}; or remove \
             that folder",
            self.0.display()
        ));
    }

    /// Whether a file is in it.
    pub(crate) fn has(&self, file: &Path) -> bool {
        file.starts_with(&self.0)
    }

    /// The way to its daemon.
    pub(crate) fn daemon(&self) -> Daemon {
        Daemon::at(Some(self.0.join("socket")))
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.0.join("framepackd.yaml")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.0.join("framepackd.log")
    }

    /// Whether the environment has no say in which models it has.
    pub(crate) fn names_models(&self) -> bool {
        let text = fs::read_to_string(self.config());
        text.is_ok_and(|text| text.lines().any(|line| line.starts_with(MODELS)))
    }

    /// Removes it with all that is in it.
    pub(crate) fn remove(self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            remark(&format!("warning: removing {}: {error}", self.0.display()));
        }
    }
}

/// How the folders' names begin.
const PREFIX: &str = "run-";
/// A section of the configuration.
const MODELS: &str = "models:";

/// Where the folders are.
fn home() -> PathBuf {
    let home = user_state().join("framepackd");
    let socket = home.join(format!("{PREFIX}4194304-99/socket"));
    let is_short = socket.as_os_str().len() <= MAX_SOCKET_BYTES;
    if is_short { home } else { env::temp_dir() }
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
fn configuration(models: &ModelChoice, outputs: &Path) -> Result<String, ErrorBody> {
    let models = match models {
        ModelChoice::Environment => String::new(),
        ModelChoice::Cache => format!("{MODELS} {{}}\n"),
        ModelChoice::Folder(folder) => format!("{MODELS}\n  bundle: {}\n", yaml(folder)?),
    };
    Ok(format!(
        "# Of `framepackctl run`, for one job.\n\
         paths:\n  jobs: jobs\n  state: state\n  outputs: {}\n  socket: socket\n  inputs: /\n{models}",
        yaml(outputs)?
    ))
}
