//! `list --watch`: the list, drawn again when it changes, until a signal ends it.

use std::{
    sync::mpsc::{self, Sender},
    thread,
    time::Duration,
};

use framepack_ipc::{ErrorBody, Exit};
use framepack_jobs::{Code, Job};
use nix::sys::signal::Signal;

use super::{for_people, jobs};
use crate::{
    cli::{List, Order, SortKey},
    daemon::Daemon,
    failure::Failure,
    interrupt,
    output::Output,
    terminal::{
        cut::escaped,
        screen::{Kept, Screen},
        style::Style,
    },
    waiting::Waiting,
};

/// Between two looks at the jobs.
const LOOK_PAUSE: Duration = Duration::from_secs(1);

/// What is waited for.
enum News {
    Signal(Signal),
    Looked(Result<View, Failure>),
}

/// The jobs as they were last seen.
struct View {
    jobs: Vec<Job>,
    waiting: Waiting,
    /// Why they could not be seen since.
    trouble: Option<String>,
}

impl From<Signal> for News {
    fn from(signal: Signal) -> Self {
        Self::Signal(signal)
    }
}

pub(super) fn run(arguments: &List, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    let (sender, news) = mpsc::channel();
    interrupt::listen_at_terminal(sender.clone()).map_err(|error| {
        let message = format!("listening for signals: {error}");
        Failure::new(ErrorBody::new(Code::INTERNAL, message))
    })?;
    // What is wrong from the start is told where the command was typed.
    let mut view = look(arguments, daemon)?;
    look_again_and_again(arguments.clone(), daemon.clone(), sender);
    let mut screen = Screen::enter()?;
    let kept = kept(arguments.sort);
    let mut shown = Vec::new();
    loop {
        let output = output.measured();
        let lines = view.lines(&output);
        if screen.has_new_size() || lines != shown {
            screen.draw(&lines, kept, &output.terminal)?;
            shown = lines;
        }
        match news.recv() {
            Ok(News::Signal(Signal::SIGWINCH)) => {}
            Ok(News::Signal(_)) | Err(_) => return Ok(Exit::Interrupted),
            Ok(News::Looked(Ok(now))) => view = now,
            Ok(News::Looked(Err(failure))) => view.trouble = Some(failure.message()),
        }
    }
}

/// The newest jobs, which are the last ones by their time; in another order the first ones.
fn kept(order: Order) -> Kept {
    match order.key {
        SortKey::Id | SortKey::Submitted | SortKey::Finished if !order.is_descending => Kept::Last,
        _ => Kept::First,
    }
}

/// In a thread of its own: a daemon that hangs must not keep a user from ending the command.
fn look_again_and_again(arguments: List, daemon: Daemon, news: Sender<News>) {
    thread::spawn(move || {
        loop {
            thread::sleep(LOOK_PAUSE);
            let looked = look(&arguments, &daemon);
            if news.send(News::Looked(looked)).is_err() {
                return;
            }
        }
    });
}

fn look(arguments: &List, daemon: &Daemon) -> Result<View, Failure> {
    let jobs = jobs(arguments, daemon)?;
    let waiting = Waiting::of(&jobs, daemon)?;
    Ok(View {
        jobs,
        waiting,
        trouble: None,
    })
}

impl View {
    fn lines(&self, output: &Output) -> Vec<String> {
        let terminal = &output.terminal;
        let mut lines = for_people(&self.jobs, &self.waiting, terminal, output);
        let trouble = self.trouble.as_ref();
        let trouble = trouble.map(|why| format!("not up to date: {}", escaped(why)));
        lines.extend(trouble.map(|why| terminal.paint(Style::Bad, &why)));
        lines.push(terminal.paint(Style::Dim, "Ctrl-C ends"));
        lines
    }
}
