//! Why a worker does not start, where the farm is at fault: its program, its libraries, its build, its driver.

use std::{io, os::unix::process::ExitStatusExt, process::ExitStatus};

use framepack_jobs::{AnyCode, Code, Failure};

use super::process::WorkerError;

/// What the dynamic loader says of a program that it can't load.
const LOADER_SAYS: [&str; 5] = [
    "error while loading shared libraries",
    "cannot open shared object file",
    "symbol lookup error",
    "undefined symbol",
    "' not found (required by",
];
/// Exit status of the worker for a command line that it does not understand.
const USAGE: i32 = 2;

/// What is wrong with the farm that a worker did not start; `None`: that may be its device's fault.
pub(super) fn of(error: &WorkerError) -> Option<Failure> {
    let (code, message) = match error {
        WorkerError::Spawn { program, error } => {
            // The file is there and what runs it is not.
            let why = match error.kind() {
                io::ErrorKind::NotFound if program.exists() => {
                    "its loader or interpreter is missing".to_owned()
                }
                _ => error.to_string(),
            };
            (
                Code::WORKER_PROGRAM,
                format!("starting {}: {why}", program.display()),
            )
        }
        WorkerError::Protocol { .. } => (Code::WORKER_BUILD, error.to_string()),
        WorkerError::Gibberish { .. } => (
            Code::WORKER_BUILD,
            format!("the worker program does not speak like one: {error}"),
        ),
        WorkerError::Unready { failure } => {
            let is_farms = matches!(&failure.code, AnyCode::Known(code) if code.outage().is_some());
            return is_farms.then(|| (**failure).clone());
        }
        WorkerError::Died { exit, stderr, .. } => {
            let code = of_death((*exit)?, stderr)?;
            (code, format!("the worker did not start: {error}"))
        }
        WorkerError::NotReady => return None,
    };
    Some(Failure::new(code, message))
}

/// What a program died of that had not said that it is ready.
fn of_death(exit: ExitStatus, stderr: &[String]) -> Option<Code> {
    let says = |words: &str| stderr.iter().any(|line| line.contains(words));
    if LOADER_SAYS.iter().any(|words| says(words)) {
        return Some(Code::WORKER_LIBRARY);
    }
    match (exit.signal(), exit.code()) {
        // Killed by a user or the kernel: it may start the next time.
        (Some(9 | 15), _) => None,
        (Some(_), _) => Some(Code::WORKER_START),
        (None, Some(0 | 126 | 127)) => Some(Code::WORKER_PROGRAM),
        (None, Some(USAGE)) => Some(Code::WORKER_BUILD),
        (None, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::DeathKind;

    fn died(raw: i32, stderr: &str) -> Option<Code> {
        let error = WorkerError::Died {
            kind: DeathKind::Crash,
            status: "it died".to_owned(),
            exit: Some(ExitStatus::from_raw(raw)),
            stderr: vec!["first".to_owned(), stderr.to_owned()],
        };
        match of(&error)?.code {
            AnyCode::Known(code) => Some(code),
            AnyCode::Other(code) => panic!("{code}"),
        }
    }

    #[test]
    fn what_a_worker_died_of_before_it_was_ready() {
        let status = |code: i32| code << 8;
        for (raw, stderr, expected) in [
            (
                status(127),
                "framepack-worker: error while loading shared libraries: libtorch_cpu.so: cannot open shared object file",
                Some(Code::WORKER_LIBRARY),
            ),
            (
                status(1),
                "framepack-worker: /lib/libc.so.6: version `GLIBC_2.39' not found (required by framepack-worker)",
                Some(Code::WORKER_LIBRARY),
            ),
            (
                status(127),
                "framepack-worker: symbol lookup error: undefined symbol: _ZN5torch",
                Some(Code::WORKER_LIBRARY),
            ),
            (
                status(127),
                "sh: exec: not found",
                Some(Code::WORKER_PROGRAM),
            ),
            (status(0), "", Some(Code::WORKER_PROGRAM)),
            (
                status(2),
                "error: unexpected argument '--state-dir'",
                Some(Code::WORKER_BUILD),
            ),
            (4, "", Some(Code::WORKER_START)),
            (7, "", Some(Code::WORKER_START)),
            (11, "", Some(Code::WORKER_START)),
            (9, "", None),
            (status(1), "the device does not answer", None),
            (status(101), "thread 'main' panicked", None),
        ] {
            assert_eq!(died(raw, stderr), expected, "{raw} {stderr}");
        }
    }

    #[test]
    fn what_a_worker_says_itself_counts_if_the_next_one_would_say_the_same() {
        let unready = |code| WorkerError::Unready {
            failure: Box::new(Failure::new(code, "m")),
        };
        assert!(of(&unready(Code::DEVICE_MISSING)).is_some());
        assert!(of(&unready(Code::FILE_IO)).is_none());
        assert!(of(&WorkerError::NotReady).is_none());
    }
}
