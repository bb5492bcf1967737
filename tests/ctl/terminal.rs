//! framepackctl on a terminal of a given size: a pseudo-terminal, whose other end is read.

use std::{
    fs::File,
    io::Read,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use nix::pty::{Winsize, openpty};

use crate::framepackctl;

/// Longer than anything takes that works.
const LONGEST: Duration = Duration::from_secs(20);

/// A terminal with a program on it.
pub(crate) struct Terminal {
    child: Child,
    output: Receiver<Vec<u8>>,
    written: Vec<u8>,
}

/// How many columns and lines a terminal has.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) columns: u16,
    pub(crate) lines: u16,
}

/// framepackctl with the environment of somebody at a terminal, and nothing of the environment of the tests.
pub(crate) fn at_home(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = framepackctl(folder, arguments);
    for variable in [
        "COLUMNS",
        "LC_ALL",
        "LC_CTYPE",
        "NO_COLOR",
        "CLICOLOR_FORCE",
    ] {
        command.env_remove(variable);
    }
    command
        .env("LANG", "C.UTF-8")
        .env("TERM", "xterm-256color")
        .env("TZ", "UTC");
    command
}

impl Terminal {
    /// Starts the program on it, with all three streams.
    pub(crate) fn start(size: Size, command: &mut Command) -> Self {
        let window = Winsize {
            ws_row: size.lines,
            ws_col: size.columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let ends = openpty(&window, None).unwrap();
        let stream = || Stdio::from(ends.slave.try_clone().unwrap());
        let child = command
            .stdin(stream())
            .stdout(stream())
            .stderr(stream())
            .spawn()
            .unwrap();
        // The command would keep the terminal open, and nothing that is read from it would end.
        let closed = command.stdin(Stdio::null()).stdout(Stdio::null());
        closed.stderr(Stdio::null());
        let (send, output) = mpsc::channel();
        let mut other_end = File::from(ends.master);
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            // It is an error to read once the program has ended.
            while let Ok(read @ 1..) = other_end.read(&mut chunk) {
                if send.send(chunk[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            output,
            written: Vec::new(),
        }
    }

    pub(crate) fn process(&self) -> nix::unistd::Pid {
        nix::unistd::Pid::from_raw(self.child.id().cast_signed())
    }

    /// Reads until what was written is as it should be.
    #[track_caller]
    pub(crate) fn read_until(&mut self, is_there: impl Fn(&[u8]) -> bool) {
        let end = Instant::now() + LONGEST;
        while !is_there(&self.written) {
            let left = end.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(chunk) => self.written.extend(chunk),
                Err(why) => panic!("{why}: {}", self.text()),
            }
        }
    }

    /// What was written up to now.
    pub(crate) fn written(&self) -> &[u8] {
        &self.written
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.written).replace("\r\n", "\n")
    }

    /// How the program ended, and all that it wrote.
    pub(crate) fn ended(mut self) -> (i32, String) {
        let code = self.child.wait().unwrap().code().unwrap();
        while let Ok(chunk) = self.output.recv_timeout(LONGEST) {
            self.written.extend(chunk);
        }
        (code, self.text())
    }
}
