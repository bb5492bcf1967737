//! `top`: devices, running jobs and the queue, live, and keys that control them.
//!
//! [`state`]: what is shown; [`update`](mod@update): what an event makes of it; [`draw`]: how it looks, a function of the state and
//! the time. [`screen`] is the terminal, `keys` what each key means, `link` the way to the daemon, `log` the one to a
//! job's log, `preview` a job's picture; each of the threads behind them sends [`event`]s.

mod draw;
mod event;
mod keys;
mod link;
mod log;
mod preview;
mod screen;
mod state;
mod update;

use std::{
    io::{self, IsTerminal},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    time::Duration,
};

use framepack_ipc::{ErrorBody, Exit};
use framepack_jobs::{Code, Timestamp};

use self::{
    event::{Event, Events},
    link::{Link, Orders},
    log::LogFollower,
    preview::Wanted,
    screen::Screen,
    state::Top,
    update::{Effect, update},
};
use crate::{daemon::Daemon, failure::Failure, interrupt, output::Output};

/// Ages and times are drawn again after this long without an event.
const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn run(daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    if !output.can_be_watched() || !io::stdin().is_terminal() {
        return Err(Failure::new(off_terminal()));
    }
    let (sender, inbox) = mpsc::channel();
    let events = Events::new(sender);
    interrupt::listen(events.sender())?;
    let wanted = Wanted::default();
    let mut link = Link::new(daemon.clone(), wanted.clone());
    let view = link.look()?;
    let top = Top::new(view, output.terminal.clone());
    let mut session = Session {
        orders: link.start(&events),
        screen: Screen::open(&events)?,
        log: None,
        wanted,
        daemon,
        events,
        inbox,
        top,
    };
    session.run()
}

fn off_terminal() -> ErrorBody {
    ErrorBody::new(Code::USAGE, "`top` needs a terminal to draw on").hint(
        "`framepackctl status` prints the same once, `framepackctl events -f` each change as it happens",
    )
}

/// The screen, what it shows, and the threads behind it.
struct Session<'d> {
    screen: Screen,
    top: Top,
    orders: Orders,
    /// The thread that reads the log that is shown.
    log: Option<LogFollower>,
    /// The job whose picture is asked for.
    wanted: Wanted,
    daemon: &'d Daemon,
    events: Events,
    inbox: Receiver<Event>,
}

impl Session<'_> {
    /// Draws at each event, and once a second.
    fn run(&mut self) -> Result<Exit, Failure> {
        loop {
            self.screen.draw(&self.top, Timestamp::now())?;
            self.wanted.set(self.top.pictured());
            let mut next = match self.inbox.recv_timeout(SECOND) {
                Ok(event) => Some(event),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return Ok(Exit::Failure),
            };
            // What came meanwhile is drawn at once.
            while let Some(event) = next {
                for effect in update(&mut self.top, event, Timestamp::now()) {
                    if let Some(exit) = self.carry_out(effect) {
                        return Ok(exit);
                    }
                }
                next = self.inbox.try_recv().ok();
            }
        }
    }

    fn carry_out(&mut self, effect: Effect) -> Option<Exit> {
        match effect {
            Effect::Order(order) => self.orders.give(order),
            Effect::Follow(job) => {
                self.log = Some(LogFollower::start(self.daemon.clone(), job, &self.events));
            }
            Effect::LeaveLog => self.log = None,
            Effect::Quit => return Some(Exit::Ok),
            Effect::Interrupted => return Some(Exit::Interrupted),
            Effect::Broken => {
                self.screen.is_restored();
                return Some(Exit::Failure);
            }
        }
        None
    }
}
