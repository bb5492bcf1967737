//! Whoever started the daemon for a while, as `framepackctl run` does: it holds the other end of standard input.
//!
//! A pipe tells more reliably than a process id that its owner is gone: the kernel closes it however the owner ends, and
//! nobody else can have the same one.

use std::{
    io::{self, BufRead},
    thread,
    time::Duration,
};

use framepack_ipc::FINISH;
use tokio::{sync::watch, time::sleep};
use tracing::info;

use crate::queue::QueueHandle;

/// Time between two looks at the queue.
const LOOK_PAUSE: Duration = Duration::from_millis(500);

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct Owner(watch::Receiver<Presence>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    Here,
    /// Gone, or going, and its jobs are to be finished.
    LetGo,
    Gone,
}

impl Owner {
    /// Whoever holds the other end of standard input.
    pub fn on_stdin() -> Self {
        let (tell, presence) = watch::channel(Presence::Here);
        // Nobody joins it: it may wait for its line until the process ends.
        thread::spawn(move || {
            tell.send_replace(follow(io::stdin().lock()));
        });
        Self(presence)
    }

    /// Resolves when the owner is gone and nothing is to be finished.
    pub async fn gone(mut self) {
        self.becomes(Presence::Gone).await;
    }

    /// Resolves when the owner has let go and no job is queued or running any more.
    pub(crate) async fn jobs_finished(mut self, queue: QueueHandle) {
        self.becomes(Presence::LetGo).await;
        info!("whoever started this daemon has left: it stops when its jobs have ended");
        while let Ok(summary) = queue.summary().await {
            if summary.queued == 0 && summary.running.is_empty() {
                return;
            }
            sleep(LOOK_PAUSE).await;
        }
    }

    async fn becomes(&mut self, presence: Presence) {
        let found = self.0.wait_for(|now| *now == presence).await;
        if found.is_err() {
            // What it has become is the last that is ever known.
            std::future::pending::<()>().await;
        }
    }
}

/// Reads what the owner says until its end. What can't be read is an end, too.
fn follow(says: impl BufRead) -> Presence {
    let mut lines = says.lines().map_while(Result::ok);
    if lines.any(|line| line == FINISH) {
        Presence::LetGo
    } else {
        Presence::Gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_that_ends_without_a_word_is_gone() {
        assert_eq!(follow(&b""[..]), Presence::Gone);
        assert_eq!(follow(&b"something else\n"[..]), Presence::Gone);
        assert_eq!(follow(&b"finish\n"[..]), Presence::LetGo);
    }
}
