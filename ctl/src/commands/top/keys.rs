//! What each key means.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Move(Motion),
    /// Pause the selected running job, or let it go on.
    Pause,
    /// Pause the whole queue, or let it go on.
    PauseAll,
    /// Hold the selected queued job, or release it.
    Hold,
    Cancel,
    /// Raise the selected job's priority by this much.
    Raise(i32),
    Logs,
    /// What failed lately.
    Failures,
    Help,
    Yes,
    /// The same, but what there is becomes a video.
    Keep,
    /// Back to the list.
    Back,
    Quit,
}

/// Where the selection goes, or what is shown of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Motion {
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
}

/// The keys with what they do, in the order in which they are explained.
pub(super) const HELP: [(&str, &str); 11] = [
    (
        "j, k, arrows",
        "select a job; PgUp and PgDn ten at a time, g and G the first and the last",
    ),
    (
        "p",
        "pause the selected running job at the end of its section, or let it go on",
    ),
    ("P", "pause the whole queue, or let it go on"),
    (
        "h",
        "hold the selected queued job: it does not start until it is released; or release it",
    ),
    ("c", "cancel the selected job; asks first"),
    (
        "+, -",
        "raise or lower its priority by one; a higher one runs first",
    ),
    ("l, Enter", "follow the selected job's log"),
    ("f", "show what failed in the last 24 h, and why"),
    ("?", "show this help"),
    ("Esc", "go back to the list"),
    ("q, Ctrl-C", "quit; jobs go on"),
];

/// The keys that fit on one line.
pub(super) const FOOTER: &str =
    "j/k select  p pause  h hold  c cancel  +/- priority  l log  ? help  q quit";

/// What a key means; `None`: nothing.
pub(super) fn action(key: KeyEvent) -> Option<Action> {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            KeyCode::Char('c' | 'd') => Some(Action::Quit),
            KeyCode::Char('f') => Some(Action::Move(Motion::PageDown)),
            KeyCode::Char('b') => Some(Action::Move(Motion::PageUp)),
            _ => None,
        };
    }
    Some(match key.code {
        KeyCode::Up | KeyCode::Char('k') => Action::Move(Motion::Up),
        KeyCode::Down | KeyCode::Char('j') => Action::Move(Motion::Down),
        KeyCode::PageUp => Action::Move(Motion::PageUp),
        KeyCode::PageDown | KeyCode::Char(' ') => Action::Move(Motion::PageDown),
        KeyCode::Home | KeyCode::Char('g') => Action::Move(Motion::First),
        KeyCode::End | KeyCode::Char('G') => Action::Move(Motion::Last),
        KeyCode::Char('p') => Action::Pause,
        KeyCode::Char('P') => Action::PauseAll,
        KeyCode::Char('h') => Action::Hold,
        KeyCode::Char('c') => Action::Cancel,
        KeyCode::Char('+' | '=') => Action::Raise(1),
        KeyCode::Char('-') => Action::Raise(-1),
        KeyCode::Enter | KeyCode::Char('l') => Action::Logs,
        KeyCode::Char('f') => Action::Failures,
        KeyCode::Char('?') => Action::Help,
        KeyCode::Char('y') => Action::Yes,
        KeyCode::Char('v') => Action::Keep,
        KeyCode::Esc | KeyCode::Char('n') => Action::Back,
        KeyCode::Char('q') => Action::Quit,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_that_is_explained_means_something() {
        for (keys, _) in HELP {
            for key in keys.split(", ") {
                let (code, modifiers) = match key {
                    "arrows" => (KeyCode::Up, KeyModifiers::NONE),
                    "Enter" => (KeyCode::Enter, KeyModifiers::NONE),
                    "Esc" => (KeyCode::Esc, KeyModifiers::NONE),
                    "Ctrl-C" => (KeyCode::Char('c'), KeyModifiers::CONTROL),
                    one => (
                        KeyCode::Char(one.chars().next().unwrap()),
                        KeyModifiers::NONE,
                    ),
                };
                assert!(action(KeyEvent::new(code, modifiers)).is_some(), "{key}");
            }
        }
    }

    #[test]
    fn a_control_key_is_no_letter() {
        let key = |modifiers| action(KeyEvent::new(KeyCode::Char('c'), modifiers));
        assert_eq!(key(KeyModifiers::NONE), Some(Action::Cancel));
        assert_eq!(key(KeyModifiers::CONTROL), Some(Action::Quit));
    }
}
