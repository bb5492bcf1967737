//! A program in a terminal of its own, as somebody sees it who sits there: what the screen shows, keys, another size.

use std::{
    fs::File,
    io::{Read, Write},
    num::NonZero,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
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

/// Longest wait for anything. Far more than it takes, since tests share the machine.
const DEADLINE: Duration = Duration::from_mins(1);

/// A terminal with a program in it.
pub(super) struct Terminal {
    program: Child,
    /// Where keys are typed.
    keyboard: File,
    /// The program's end, which says how the terminal is set.
    line: File,
    /// How it was set before the program began.
    before: Termios,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
}

impl Terminal {
    /// Starts framepackctl in a terminal of so many columns and lines, which is the one that controls it.
    pub(super) fn start(folder: &Path, arguments: &[&str], (columns, lines): (u16, u16)) -> Self {
        let size = Winsize {
            ws_row: lines,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let ends = openpty(&size, None).unwrap();
        let line = File::from(ends.slave);
        let before = tcgetattr(&line).unwrap();
        let end = || Stdio::from(line.try_clone().unwrap());
        let program = Command::new("setsid")
            .arg("--ctty")
            .arg(env!("CARGO_BIN_EXE_framepackctl"))
            .args(arguments)
            .env("FRAMEPACKD_SOCKET", folder.join("socket"))
            .env("LANG", "C.UTF-8")
            .env("TERM", "xterm-256color")
            .env_remove("LC_ALL")
            .env_remove("COLUMNS")
            .env_remove("NO_COLOR")
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
            screen: vt100::Parser::new(some(lines), some(columns), 0),
        }
    }

    /// Waits until the screen shows what it should.
    #[track_caller]
    pub(super) fn wait_for(&mut self, what: &str, shows: impl Fn(&str) -> bool) {
        let end = Instant::now() + DEADLINE;
        while !shows(&self.text()) {
            let left = end.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.screen.process(&bytes),
                Err(error) => panic!("{what}: {error}; the screen is\n{}", self.text()),
            }
        }
    }

    /// Waits until the screen has this text.
    #[track_caller]
    pub(super) fn wait_for_text(&mut self, text: &str) {
        self.wait_for(text, |screen| screen.contains(text));
    }

    pub(super) fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Another size, as when its window is dragged.
    pub(super) fn resize(&mut self, (columns, lines): (u16, u16)) {
        self.screen
            .screen_mut()
            .set_size(some(lines), some(columns));
        let size = NewSize {
            ws_row: lines,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&self.keyboard, size).unwrap();
    }

    pub(super) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.program.id() as i32), signal).unwrap();
    }

    /// Whether the program has the terminal for itself: a screen of its own, no echo, no lines.
    pub(super) fn is_taken(&self) -> bool {
        self.screen.screen().alternate_screen() && tcgetattr(&self.line).unwrap() != self.before
    }

    /// Waits for the program's end. The terminal has to be as it was before.
    #[track_caller]
    pub(super) fn ended(mut self) -> (ExitStatus, String) {
        let status = self.program.wait().unwrap();
        assert_eq!(
            tcgetattr(&self.line).unwrap(),
            self.before,
            "modes of the terminal"
        );
        // Nobody writes any more: what is left is read to its end.
        drop(self.line);
        while let Ok(bytes) = self.output.recv_timeout(DEADLINE) {
            self.screen.process(&bytes);
        }
        let screen = self.screen.screen();
        assert!(
            !screen.alternate_screen(),
            "the program's screen is still there"
        );
        assert!(!screen.hide_cursor(), "the cursor is hidden");
        (status, screen.contents())
    }

    /// What the screen shows.
    pub(super) fn text(&self) -> String {
        self.screen.screen().contents()
    }
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
