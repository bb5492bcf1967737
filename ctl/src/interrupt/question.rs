//! The question whether a job is to go on without `run`.

use std::{
    io::{self, IsTerminal, Write},
    sync::mpsc::Sender,
    thread,
};

use crate::event::{Answer, Event};

/// Whether there is somebody to ask.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks; the answer is an event.
pub(crate) fn ask(job: &str, events: Sender<Event>) {
    let question = format!("\nLeave job {job} running? [Y/n] (Ctrl-C again cancels it) ");
    // A terminal that is gone answers nothing: that leaves it running.
    let _ = io::stderr().write_all(question.as_bytes());
    // Nobody joins it: it may wait for its line until the process ends.
    thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().read_line(&mut line);
        let answer = answer(read.is_ok().then_some(line.as_str()));
        // Nobody waits for it any more once the job has ended.
        let _ = events.send(Event::Answered(answer));
    });
}

/// What a line means: only a clear no loses what was rendered.
fn answer(line: Option<&str>) -> Answer {
    let line = line.unwrap_or_default().trim().to_lowercase();
    match line.as_str() {
        "n" | "no" => Answer::Cancel,
        _ => Answer::Leave,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_no_cancels() {
        for line in [Some("n\n"), Some("No\n"), Some(" N ")] {
            assert_eq!(answer(line), Answer::Cancel, "{line:?}");
        }
        for line in [Some("\n"), Some("y\n"), Some(""), Some("nearly"), None] {
            assert_eq!(answer(line), Answer::Leave, "{line:?}");
        }
    }
}
