//! Locks that a dying process still holds for a moment.

use std::{
    thread,
    time::{Duration, Instant},
};

/// How long a lock that another process holds is asked for.
const PATIENCE: Duration = Duration::from_secs(2);
/// Pause before it is asked for again.
const RETRY: Duration = Duration::from_millis(20);

/// Asks for a lock, and again for a while as long as the answer is that somebody holds it. Returns the last answer.
pub(crate) fn patiently<T>(mut ask: impl FnMut() -> T, is_held: impl Fn(&T) -> bool) -> T {
    let begin = Instant::now();
    loop {
        let answer = ask();
        if !is_held(&answer) || begin.elapsed() >= PATIENCE {
            return answer;
        }
        thread::sleep(RETRY);
    }
}
