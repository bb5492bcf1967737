//! The file that is edited: private, and gone unless what is in it came to nothing.

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use framepack_ipc::{ErrorBody, Exit, edit::JobFile};
use framepack_jobs::Code;
use nix::sys::signal::{SigSet, Signal};
use tempfile::{Builder, TempPath};

use crate::{commands::submit, delivery::unwritable, failure::Failure, interrupt, output::remark};

/// What is started where the user names no editor.
const USUAL_EDITOR: &str = "vi";

/// A job file in the hands of a user.
#[derive(Debug)]
pub(super) struct Draft {
    file: TempPath,
    /// The terminal is the editor's: so are signals that are typed.
    is_edited: Arc<AtomicBool>,
}

impl Draft {
    /// Writes the file, for its user's eyes alone.
    pub(super) fn of(file: &JobFile) -> Result<Self, Failure> {
        let folder = env::temp_dir();
        let named = Builder::new()
            .prefix(&format!("framepackctl-job-{}-", file.job))
            .suffix(".yaml")
            .tempfile_in(&folder);
        let written = named.and_then(|mut named| {
            named.write_all(file.yaml.as_bytes())?;
            Ok(named.into_temp_path())
        });
        let file = written.map_err(|error| Failure::new(unwritable(&folder, &error)))?;
        let is_edited = Arc::new(AtomicBool::new(false));
        listen(file.to_path_buf(), Arc::clone(&is_edited))?;
        Ok(Self { file, is_edited })
    }

    /// Has the file edited.
    pub(super) fn edit(&self) -> Result<(), Failure> {
        let editor = editor();
        let mut command = Command::new("sh");
        // It may have arguments, as in `code --wait`.
        command
            .arg("-c")
            .arg(format!("{editor} \"$@\""))
            .arg(&editor)
            .arg(&*self.file);
        self.is_edited.store(true, Ordering::SeqCst);
        let ended = interrupt::spawn(&mut command).and_then(|mut child| child.wait());
        self.is_edited.store(false, Ordering::SeqCst);
        let why = match ended {
            Ok(status) if status.success() => return Ok(()),
            Ok(status) => said(status),
            Err(error) => error.to_string(),
        };
        let message = format!("the editor `{editor}` failed: {why}");
        Err(Failure::new(ErrorBody::new(Code::EDITOR, message)))
    }

    /// What the file says now.
    pub(super) fn text(&self) -> Result<String, Failure> {
        let path: &Path = &self.file;
        let opened = fs::File::open(path).map_err(|error| submit::unreadable(path, &error));
        let text = opened.and_then(|file| submit::text(path, file));
        text.map_err(Failure::new)
    }

    /// Whether there is something in it that is not in `yaml`.
    pub(super) fn is_written(&self, yaml: &str) -> bool {
        fs::read(&self.file).is_ok_and(|bytes| bytes != yaml.as_bytes())
    }

    /// Leaves the file there. Returns where it is.
    pub(super) fn keep(self) -> Result<String, Failure> {
        let path = self.file.to_path_buf();
        let kept = self.file.keep();
        kept.map_err(|error| Failure::new(unwritable(&path, &error.error)))?;
        Ok(path.display().to_string())
    }
}

/// As the user's environment has it.
fn editor() -> String {
    let named = ["VISUAL", "EDITOR"].iter().find_map(|name| {
        let value = env::var(name).ok()?;
        (!value.trim().is_empty()).then_some(value)
    });
    named.unwrap_or_else(|| USUAL_EDITOR.to_owned())
}

fn said(status: ExitStatus) -> String {
    match status.code() {
        Some(127) => "there is no such program".to_owned(),
        _ => status.to_string(),
    }
}

/// From now on Ctrl-C ends the command between two edits alone, and leaves the file.
fn listen(file: PathBuf, is_edited: Arc<AtomicBool>) -> Result<(), Failure> {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGINT);
    signals.add(Signal::SIGQUIT);
    let blocked = signals.thread_block();
    blocked.map_err(|errno| Failure::from(std::io::Error::from(errno)))?;
    thread::spawn(move || {
        while signals.wait().is_ok() {
            if !is_edited.load(Ordering::SeqCst) {
                remark(&format!("\nwhat was written is kept in {}", file.display()));
                std::process::exit(Exit::Interrupted as i32);
            }
        }
    });
    Ok(())
}
