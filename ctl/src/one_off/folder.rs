//! What a daemon for one job has on the disk: its configuration, state, log, socket, and its video until that is delivered.

use std::{
    env,
    ffi::OsString,
    fs::{self, DirBuilder, File},
    io,
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::{DirBuilderExt, MetadataExt},
    },
    path::{Path, PathBuf},
    process,
    sync::Arc,
};

use framepack_ipc::{ErrorBody, text::shell_quoted};
use framepack_jobs::Code;
use nix::unistd::geteuid;

use super::configuration::{ModelChoice, configuration, names_models};
use crate::{daemon::Daemon, delivery::unwritable, output::remark};

/// Longest path of a Unix socket in bytes.
pub(crate) const MAX_SOCKET_BYTES: usize = 107;
/// How the folders' names begin.
const PREFIX: &str = "run-";
/// The file by which a folder is known. It is locked by the framepackctl whose folder it is, and says where the video is to
/// go once a job was submitted.
const MARK: &str = "framepackctl-run";

/// A folder of one run, below the user's state folder.
#[derive(Debug, Clone)]
pub(crate) struct RunFolder {
    path: PathBuf,
    /// The locked mark.
    _mark: Arc<File>,
}

impl RunFolder {
    /// A new folder with a configuration in it, for these models and a job with files in `inputs`.
    pub(crate) fn create(models: &ModelChoice, inputs: &Path) -> Result<Self, ErrorBody> {
        let configuration = configuration(models, inputs)?;
        let home = home();
        let folder = Self::new_in(&home).map_err(|error| unwritable(&home, &error))?;
        let config = folder.config();
        match fs::write(&config, configuration) {
            Ok(()) => Ok(folder),
            Err(error) => {
                folder.remove();
                Err(unwritable(&config, &error))
            }
        }
    }

    /// The folder of an earlier run, for this process alone.
    pub(crate) fn open(named: &Path) -> Result<Self, ErrorBody> {
        let refused = |message: &str, hint: String| {
            let path = named.display().to_string();
            let message = format!("{path} {message}");
            Err(ErrorBody::new(Code::USAGE, message).path(path).hint(hint))
        };
        let path = named.canonicalize().unwrap_or_else(|_| named.to_owned());
        let Some(mark) = own_mark(&path) else {
            let message = "is no folder that your `framepackctl run` has left";
            return refused(message, told_of(&Self::earlier()));
        };
        if mark.try_lock().is_err() {
            let socket = shell_quoted(&path.join("socket"));
            let hint = format!("to follow its job: framepackctl --socket {socket} wait 1");
            return refused("belongs to another framepackctl, which still runs", hint);
        }
        Ok(Self {
            path,
            _mark: Arc::new(mark),
        })
    }

    fn new_in(home: &Path) -> io::Result<Self> {
        // Prompts and pictures are nobody else's business.
        let private = || {
            let mut builder = DirBuilder::new();
            builder.mode(0o700);
            builder
        };
        private().recursive(true).create(home)?;
        let mut number = 0;
        let path = loop {
            let path = home.join(format!("{PREFIX}{}-{number}", process::id()));
            match private().create(&path) {
                // Left by an earlier process of that number.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                created => break created.map(|()| path)?,
            }
        };
        let mark = File::create_new(path.join(MARK))?;
        mark.lock()?;
        Ok(Self {
            path,
            _mark: Arc::new(mark),
        })
    }

    /// That there is a job in it, so that it is worth keeping, and where its video is to go.
    pub(crate) fn note_job(&self, video: &Path) -> Result<(), ErrorBody> {
        let mark = self.path.join(MARK);
        let noted = fs::write(&mark, video.as_os_str().as_bytes());
        noted.map_err(|error| unwritable(&mark, &error))
    }

    /// Where its job's video is to go; `None`: that can't be read.
    pub(crate) fn video(&self) -> Option<PathBuf> {
        let noted = fs::read(self.path.join(MARK)).ok()?;
        (!noted.is_empty()).then(|| OsString::from_vec(noted).into())
    }

    /// Those that nobody uses, the newest last. What has no job in it goes.
    fn earlier() -> Vec<PathBuf> {
        let entries = fs::read_dir(home()).into_iter().flatten().flatten();
        let mut folders: Vec<_> = entries
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX))
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        folders.sort();
        let unused = folders.into_iter().filter(|(_, path)| {
            let Some(mark) = own_mark(path).filter(|mark| mark.try_lock().is_ok()) else {
                return false;
            };
            if daemon_in(path).connect().is_ok() {
                return false;
            }
            let has_job = mark.metadata().is_ok_and(|mark| mark.len() > 0);
            if !has_job {
                // Whatever keeps it there is told by the next run, too.
                let _ = fs::remove_dir_all(path);
            }
            has_job
        });
        unused.map(|(_, path)| path).collect()
    }

    /// Reminds the user of what earlier runs have left: pictures and parts of videos take room.
    pub(crate) fn tell_of_earlier() {
        let earlier = Self::earlier();
        if !earlier.is_empty() {
            remark(&told_of(&earlier));
        }
    }

    /// Names the folder, with what can be done with it.
    pub(crate) fn tell_how_to_go_on(&self) {
        let folder = shell_quoted(&self.path);
        remark(&format!(
            "the job and framepackd.log are kept in {}; to go on with it: framepackctl run --resume {folder}; or remove \
             that folder",
            self.path.display()
        ));
    }

    /// The way to its daemon.
    pub(crate) fn daemon(&self) -> Daemon {
        daemon_in(&self.path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path.join("framepackd.yaml")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path.join("framepackd.log")
    }

    /// Whether the environment has no say in which models it has.
    pub(crate) fn names_models(&self) -> bool {
        let text = fs::read_to_string(self.config());
        text.is_ok_and(|text| names_models(&text))
    }

    /// Removes it with all that is in it.
    pub(crate) fn remove(self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            remark(&format!(
                "warning: removing {}: {error}",
                self.path.display()
            ));
        }
    }
}

/// The mark of a folder of this user's own: what is in another's would be run.
fn own_mark(path: &Path) -> Option<File> {
    let is_own = |file: fs::Metadata| file.uid() == geteuid().as_raw();
    let is_ours = fs::symlink_metadata(path).is_ok_and(is_own);
    let mark = File::options().write(true).open(path.join(MARK)).ok()?;
    (is_ours && mark.metadata().is_ok_and(is_own)).then_some(mark)
}

fn daemon_in(path: &Path) -> Daemon {
    Daemon::at(Some(path.join("socket")))
}

/// Of folders that nobody uses, the newest last.
fn told_of(earlier: &[PathBuf]) -> String {
    let home = home();
    let home = home.display();
    let number = match earlier {
        [] => return format!("{home} has none"),
        [_] => "the folder of an earlier run is".to_owned(),
        several => format!("the folders of {} earlier runs are", several.len()),
    };
    let last = earlier
        .last()
        .map(|path| shell_quoted(path))
        .unwrap_or_default();
    format!(
        "{number} still in {home}; to go on with the last one: framepackctl run --resume {last}; remove those that you do \
         not need"
    )
}

/// Where the folders are.
fn home() -> PathBuf {
    let home = user_state().join("framepackd");
    let socket = home.join(format!("{PREFIX}4194304-99/socket"));
    if socket.as_os_str().len() <= MAX_SOCKET_BYTES {
        return home;
    }
    env::temp_dir().join(format!("framepackctl-{}", geteuid()))
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
