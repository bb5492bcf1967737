//! framepackctl in a pseudo-terminal of its own, as a user at a terminal has it: what it writes, what the screen shows,
//! keys, another size.

use std::{
    fs::File,
    io::{Read, Write},
    num::NonZero,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use nix::{
    pty::{Winsize, openpty},
    sys::{
        signal::{Signal, kill},
        termios::{Termios, tcgetattr},
    },
    unistd::Pid,
};
use rustix::termios::{Winsize as NewSize, tcsetwinsize};

use crate::framepackctl;

/// Longest wait for anything. Far more than it takes, since tests share the machine.
const DEADLINE: Duration = Duration::from_mins(1);

/// A terminal with a program in it.
pub(crate) struct Terminal {
    program: Child,
    /// Where keys are typed.
    keyboard: File,
    /// The program's end, which says how the terminal is set.
    line: File,
    /// How it was set before the program began.
    before: Termios,
    output: Receiver<Vec<u8>>,
    written: Vec<u8>,
    screen: vt100::Parser,
}

/// How many columns and lines a terminal has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) columns: u16,
    pub(crate) lines: u16,
}

/// What a program leaves behind.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) code: i32,
    /// All that it wrote, with the line ends of a pipe.
    pub(crate) written: String,
    /// What the screen shows.
    pub(crate) screen: String,
}

/// framepackctl with the environment of a user at a terminal, and nothing of the environment of the tests.
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
    /// Starts a command in a terminal, which is the one that controls it.
    pub(crate) fn start(size: Size, command: &Command) -> Self {
        let window = Winsize {
            ws_row: size.lines,
            ws_col: size.columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let ends = openpty(&window, None).unwrap();
        let line = File::from(ends.slave);
        let before = tcgetattr(&line).unwrap();
        let end = || Stdio::from(line.try_clone().unwrap());
        let program = controlled(command)
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .unwrap();
        let keyboard = File::from(ends.master);
        Self {
            program,
            output: read(keyboard.try_clone().unwrap()),
            keyboard,
            line,
            before,
            written: Vec::new(),
            screen: vt100::Parser::new(some(size.lines), some(size.columns), 0),
        }
    }

    /// Waits until the screen shows what it should.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, what: &str, shows: impl Fn(&str) -> bool) {
        let end = Instant::now() + DEADLINE;
        while !shows(&self.text()) {
            let left = end.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => {
                    self.screen.process(&bytes);
                    self.written.extend(bytes);
                }
                Err(error) => panic!("{what}: {error}; the screen is\n{}", self.text()),
            }
        }
    }

    /// Waits until the screen has this text.
    #[track_caller]
    pub(crate) fn wait_for_text(&mut self, text: &str) {
        self.wait_for(text, |screen| screen.contains(text));
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Another size, as when its window is dragged.
    pub(crate) fn resize(&mut self, size: Size) {
        let screen = self.screen.screen_mut();
        screen.set_size(some(size.lines), some(size.columns));
        let window = NewSize {
            ws_row: size.lines,
            ws_col: size.columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&self.keyboard, window).unwrap();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.program.id().cast_signed()), signal).unwrap();
    }

    /// Whether the program has the terminal for itself: a screen of its own, no echo, no lines.
    pub(crate) fn is_taken(&self) -> bool {
        self.screen.screen().alternate_screen() && tcgetattr(&self.line).unwrap() != self.before
    }

    /// Waits for the program's end. The terminal has to be as it was before.
    #[track_caller]
    pub(crate) fn ended(mut self) -> Left {
        let status = self.program.wait().unwrap();
        let after = tcgetattr(&self.line).unwrap();
        assert_eq!(after, self.before, "modes of the terminal");
        // Nobody writes any more: what is left is read to its end.
        drop(self.line);
        while let Ok(bytes) = self.output.recv_timeout(DEADLINE) {
            self.screen.process(&bytes);
            self.written.extend(bytes);
        }
        let screen = self.screen.screen();
        assert!(!screen.alternate_screen(), "the program's screen is there");
        assert!(!screen.hide_cursor(), "the cursor is hidden");
        let written = String::from_utf8(self.written).unwrap();
        Left {
            code: status.code().unwrap(),
            written: written.replace("\r\n", "\n"),
            screen: screen.contents(),
        }
    }

    /// What the screen shows.
    pub(crate) fn text(&self) -> String {
        self.screen.screen().contents()
    }
}

/// The same command, in a session that its standard input controls.
fn controlled(command: &Command) -> Command {
    let mut controlled = Command::new("setsid");
    controlled
        .arg("--ctty")
        .arg(command.get_program())
        .args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        controlled.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => controlled.env(name, value),
            None => controlled.env_remove(name),
        };
    }
    controlled
}

fn some(size: u16) -> NonZero<u16> {
    NonZero::new(size).unwrap()
}

/// What the program writes, until nobody has the terminal any more.
fn read(mut terminal: File) -> Receiver<Vec<u8>> {
    let (send, output) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = [0; 16 << 10];
        // The last end that is closed is an error here.
        while let Ok(count @ 1..) = terminal.read(&mut bytes) {
            if send.send(bytes[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    output
}
