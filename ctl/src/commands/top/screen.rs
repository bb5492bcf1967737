//! The terminal while it is drawn on. It is as it was before when this is dropped, and after a panic.

use std::{io, thread};

use framepack_jobs::Timestamp;
use ratatui::{
    DefaultTerminal,
    crossterm::event::{self, KeyEventKind},
};

use super::{
    draw::draw,
    event::{Event, Events},
    state::Top,
};

/// The terminal, without its own echo and on a screen of its own.
#[derive(Debug)]
pub(super) struct Screen {
    terminal: DefaultTerminal,
    /// Somebody has restored it already.
    is_restored: bool,
}

impl Screen {
    /// Takes the terminal, until this is dropped. Its keys are events from now on.
    pub(super) fn open(events: &Events) -> io::Result<Self> {
        // Also has a panic in any thread restore the terminal before it is told.
        let terminal = ratatui::try_init()?;
        events.spawn(|events| {
            while let Some(event) = read() {
                if events.send(event).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            terminal,
            is_restored: false,
        })
    }

    /// Draws what has changed.
    pub(super) fn draw(&mut self, top: &Top, now: Timestamp) -> io::Result<()> {
        self.terminal.draw(|frame| draw(top, now, frame))?;
        Ok(())
    }

    /// A panic has restored the terminal: what it shows stays.
    pub(super) fn is_restored(&mut self) {
        self.is_restored = true;
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if !self.is_restored && !thread::panicking() {
            // A terminal that is gone need not be restored.
            let _ = ratatui::try_restore();
        }
    }
}

/// The next event of the terminal; `None` once there will be no more.
fn read() -> Option<Event> {
    loop {
        match event::read() {
            Ok(event::Event::Key(key)) if key.kind != KeyEventKind::Release => {
                return Some(Event::Key(key));
            }
            Ok(event::Event::Resize(..)) => return Some(Event::Resized),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Some(Event::InputLost),
        }
    }
}

#[cfg(test)]
mod tests;
