//! Runs another program for what it prints, within a time limit, and says whether it failed or could not work at all.

use std::{
    env, fmt,
    io::{self, Read},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

const POLL: Duration = Duration::from_millis(10);
/// How long the pipes of a program that has ended are listened to: something that it started may hold them open.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// More than this of what a program prints is not kept.
const KEPT_BYTES: usize = 16 << 20;

/// How a program ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// With success: what it printed.
    Well(String),
    /// By itself, with a failure: its last words.
    Badly(String),
    /// It did not start, was killed, or did not end in time.
    Broken(Defect),
}

/// Why a program could not do its work, whatever it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Defect {
    /// It is not in `PATH`.
    Missing,
    /// It is there, and does not work.
    Fault(String),
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(f, "not in PATH"),
            Self::Fault(reason) => write!(f, "it does not work: {reason}"),
        }
    }
}

/// Runs a program to its end, or kills it, with all that it started, after `patience`.
pub(super) fn run(command: &mut Command, patience: Duration) -> Ended {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let fault = |reason: String| Ended::Broken(Defect::Fault(reason));
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // The same word for a program whose loader or interpreter is not there.
            return match found(Path::new(command.get_program())) {
                Some(file) => fault(format!(
                    "{} can't be started: what is to run it is missing, a loader or an interpreter",
                    file.display()
                )),
                None => Ended::Broken(Defect::Missing),
            };
        }
        Err(error) => return fault(format!("it can't be started: {error}")),
    };
    let stdout = listen(child.stdout.take());
    let stderr = listen(child.stderr.take());
    let status = match wait(&mut child, patience) {
        Ok(Some(status)) => status,
        Ok(None) => {
            let secs = patience.as_secs_f64();
            return fault(format!("it did not finish within {secs:.0} s"));
        }
        Err(error) => return fault(error.to_string()),
    };
    let (said, complaints) = (gather(&stdout), gather(&stderr));
    let last = complaints.trim().lines().last();
    let last = last.map_or_else(String::new, |line| format!(": {line}"));
    match (status.code(), status.signal()) {
        (Some(0), _) => Ended::Well(said),
        // What a shell says of a program that it can't start, and the dynamic loader of a library that is missing.
        (Some(126 | 127), _) => fault(format!("{status}{last}")),
        (_, Some(_)) => fault(format!("it was killed by {status}{last}")),
        _ => Ended::Badly(format!("{status}{last}")),
    }
}

/// Where a program lies, looked for as the system does.
fn found(program: &Path) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path);
    // Joined with an absolute path, a folder does not matter.
    let mut files = folders.map(|folder| folder.join(program));
    files.find(|file| file.is_file())
}

/// The program's status; `None` if it had to be killed.
fn wait(child: &mut Child, patience: Duration) -> io::Result<Option<ExitStatus>> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            let group = Pid::from_raw(child.id().cast_signed());
            killpg(group, Signal::SIGKILL)?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(POLL);
    }
}

/// Reads a pipe to its end, in a thread of its own, so that the program never waits for us.
fn listen(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let mut pipe = pipe.expect("spawned with pipes");
    let (heard, words) = mpsc::channel();
    thread::spawn(move || {
        let mut kept_bytes = 0;
        let mut buffer = [0; 8192];
        while let Ok(len @ 1..) = pipe.read(&mut buffer) {
            if kept_bytes < KEPT_BYTES && heard.send(buffer[..len].to_vec()).is_err() {
                return;
            }
            kept_bytes += len;
        }
    });
    words
}

fn gather(words: &Receiver<Vec<u8>>) -> String {
    let deadline = Instant::now() + LAST_WORDS;
    let left = || deadline.saturating_duration_since(Instant::now());
    let mut all = Vec::new();
    while let Ok(more) = words.recv_timeout(left()) {
        all.extend(more);
    }
    String::from_utf8_lossy(&all).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, patience_secs: u64) -> Ended {
        let mut command = Command::new("/bin/sh");
        run(
            command.args(["-c", script]),
            Duration::from_secs(patience_secs),
        )
    }

    #[test]
    fn a_programs_end_is_its_success_its_failure_or_that_it_could_not_work() {
        let is_fault = |ended: &Ended| matches!(ended, Ended::Broken(Defect::Fault(_)));
        assert_eq!(shell("echo a; echo b >&2", 60), Ended::Well("a\n".into()));
        assert_eq!(
            shell("echo a; echo why >&2; exit 3", 60),
            Ended::Badly("exit status: 3: why".into())
        );
        assert!(is_fault(&shell("exit 127", 60)), "as a missing library");
        assert!(is_fault(&shell("kill -9 $$", 60)), "as out of memory");
        let nowhere = run(&mut Command::new("/nowhere/ffmpeg"), Duration::ZERO);
        assert_eq!(nowhere, Ended::Broken(Defect::Missing));
        let folder = run(&mut Command::new("/tmp"), Duration::ZERO);
        assert!(is_fault(&folder), "{folder:?}");
        let script = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(script.path(), "#!/nowhere/sh\r\n").unwrap();
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(script.path(), executable).unwrap();
        let script = script.into_temp_path(); // no longer open for writing
        let no_interpreter = run(&mut Command::new(&*script), Duration::ZERO);
        assert!(is_fault(&no_interpreter), "{no_interpreter:?}");
        assert_eq!(shell("printf '\\377'", 60), Ended::Well("\u{fffd}".into()));
    }

    #[test]
    fn one_that_hangs_is_killed_with_all_that_it_started() {
        let begin = Instant::now();
        let ended = shell("sleep 600; echo", 0);
        let Ended::Broken(Defect::Fault(reason)) = ended else {
            panic!("{ended:?}")
        };
        assert!(reason.contains("did not finish within 0 s"), "{reason}");
        assert!(begin.elapsed() < Duration::from_mins(1));
    }
}
