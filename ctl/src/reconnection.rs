//! How a command that waits outlives the daemon: after a restart it asks again.

use std::{
    thread,
    time::{Duration, Instant},
};

use framepack_ipc::client::ClientError;
use framepack_jobs::Class;

/// Before a daemon that is gone is looked for again: at first, and at most.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(2)];

/// How it stands with the daemon, and how long it is waited for.
#[derive(Debug)]
pub(crate) struct Reconnection {
    contact: Contact,
    pause: Duration,
    deadline: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Contact {
    /// It has not answered yet.
    New,
    /// It answers.
    Live,
    /// It did, and does not.
    Lost,
}

/// Why the daemon is not waited for any longer.
#[derive(Debug)]
pub(crate) enum GivenUp {
    /// The deadline has passed.
    TimedOut,
    /// It was never there, or asking again would not help.
    Error(ClientError),
}

impl From<GivenUp> for ClientError {
    fn from(given_up: GivenUp) -> Self {
        match given_up {
            GivenUp::TimedOut => Self::TimedOut,
            GivenUp::Error(error) => error,
        }
    }
}

impl Reconnection {
    /// A daemon that is waited for until `deadline` once it has answered: one that is not there at the beginning is an
    /// error.
    pub(crate) fn before(deadline: Option<Instant>) -> Self {
        Self {
            contact: Contact::New,
            pause: PAUSES[0],
            deadline,
        }
    }

    /// The daemon has answered. Says so if it was away.
    pub(crate) fn answered(&mut self, say: impl FnOnce(&str)) {
        if std::mem::replace(&mut self.contact, Contact::Live) == Contact::Lost {
            self.pause = PAUSES[0];
            say("connected to the daemon again");
        }
    }

    /// Why this error ends the wait.
    pub(crate) fn given_up(&self, error: ClientError) -> GivenUp {
        if self.has_timed_out() {
            GivenUp::TimedOut
        } else {
            GivenUp::Error(error)
        }
    }

    /// The daemon does not answer: returns when it is time to ask again. Says so the first time.
    pub(crate) fn lost(
        &mut self,
        error: ClientError,
        say: impl FnOnce(&str),
    ) -> Result<(), GivenUp> {
        if self.has_timed_out() || self.contact == Contact::New || !may_pass(&error) {
            return Err(self.given_up(error));
        }
        if std::mem::replace(&mut self.contact, Contact::Lost) == Contact::Live {
            say(&format!("{error}; waiting for the daemon to come back"));
        }
        let left = self
            .deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()));
        thread::sleep(left.map_or(self.pause, |left| left.min(self.pause)));
        self.pause = PAUSES[1].min(2 * self.pause);
        Ok(())
    }

    /// Until when the daemon is waited for.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Whether the daemon has answered, and does not any more.
    pub(crate) fn is_lost(&self) -> bool {
        self.contact == Contact::Lost
    }

    fn has_timed_out(&self) -> bool {
        self.deadline
            .is_some_and(|deadline| deadline <= Instant::now())
    }
}

/// Whether the same request may be answered later: the daemon is not there, or not ready.
fn may_pass(error: &ClientError) -> bool {
    match error {
        ClientError::Refused(refusal) => matches!(
            refusal.error.class,
            Class::Unreachable | Class::Resource | Class::State
        ),
        ClientError::Unreachable { .. }
        | ClientError::Broken(_)
        | ClientError::Closed
        | ClientError::TimedOut => true,
        ClientError::Codec(_) | ClientError::Unexpected => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said when the daemon is lost, and whether it is waited for.
    fn lose(reconnection: &mut Reconnection, error: ClientError) -> (String, bool) {
        let mut said = String::new();
        let goes_on = reconnection.lost(error, |line| line.clone_into(&mut said));
        (said, goes_on.is_ok())
    }

    #[test]
    fn only_a_daemon_that_was_there_is_waited_for_and_that_is_said_once() {
        let mut reconnection = Reconnection::before(None);
        assert!(!lose(&mut reconnection, ClientError::Closed).1);
        reconnection.answered(|line| panic!("it was never away: {line}"));
        let (said, goes_on) = lose(&mut reconnection, ClientError::Closed);
        assert!(goes_on && said.ends_with("; waiting for the daemon to come back"));
        assert_eq!(
            lose(&mut reconnection, ClientError::Closed),
            (String::new(), true)
        );
        let mut said = String::new();
        reconnection.answered(|line| line.clone_into(&mut said));
        assert_eq!(said, "connected to the daemon again");
        assert!(!lose(&mut reconnection, ClientError::Unexpected).1);
    }

    #[test]
    fn the_deadline_counts_also_while_the_daemon_is_away() {
        let mut reconnection = Reconnection::before(Some(Instant::now()));
        reconnection.answered(|_| {});
        let given_up = reconnection.lost(ClientError::Closed, |_| {});
        assert!(matches!(given_up, Err(GivenUp::TimedOut)));
    }
}
