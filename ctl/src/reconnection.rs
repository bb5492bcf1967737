//! How a command that waits outlives the daemon: after a restart it asks again.

use std::{thread, time::Duration};

use framepack_ipc::client::ClientError;
use framepack_jobs::Class;

use crate::{
    deadline::{Deadline, silent},
    failure::Failure,
};

/// Before a daemon that is gone is looked for again: at first, and at most.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(2)];

/// How it stands with the daemon, and how long it is waited for.
#[derive(Debug)]
pub(crate) struct Reconnection {
    contact: Contact,
    pause: Duration,
    deadline: Deadline,
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

/// Why a command that passes on what the daemon says can't go on for now.
#[derive(Debug)]
pub(crate) enum Interruption {
    /// The daemon says no more.
    Daemon(ClientError),
    /// Something that another answer does not help.
    Failure(Failure),
}

/// Why the daemon is not waited for any longer.
#[derive(Debug)]
pub(crate) enum GivenUp {
    /// The deadline has passed, and it has not answered once.
    Silent,
    /// The deadline has passed.
    TimedOut,
    /// It was never there, or asking again would not help.
    Error(ClientError),
}

impl From<GivenUp> for ClientError {
    fn from(given_up: GivenUp) -> Self {
        match given_up {
            GivenUp::Silent | GivenUp::TimedOut => Self::TimedOut,
            GivenUp::Error(error) => error,
        }
    }
}

impl From<GivenUp> for Failure {
    fn from(given_up: GivenUp) -> Self {
        match given_up {
            GivenUp::Silent | GivenUp::TimedOut => silent(),
            GivenUp::Error(error) => error.into(),
        }
    }
}

impl Reconnection {
    /// A daemon that is waited for until `deadline` once it has answered: one that is not there at the beginning is an
    /// error.
    pub(crate) fn before(deadline: Deadline) -> Self {
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

    /// The daemon does not answer: returns when it is time to ask again. Says so the first time.
    pub(crate) fn lost(
        &mut self,
        error: ClientError,
        say: impl FnOnce(&str),
    ) -> Result<(), GivenUp> {
        if !may_pass(&error) {
            return Err(GivenUp::Error(error));
        }
        match (self.contact, self.deadline.has_passed(), &error) {
            (Contact::New, true, ClientError::TimedOut) => return Err(GivenUp::Silent),
            (Contact::New, ..) => return Err(GivenUp::Error(error)),
            (Contact::Live | Contact::Lost, true, _) => return Err(GivenUp::TimedOut),
            (Contact::Live | Contact::Lost, false, _) => {}
        }
        if std::mem::replace(&mut self.contact, Contact::Lost) == Contact::Live {
            say(&format!("{error}; waiting for the daemon to come back"));
        }
        thread::sleep(self.deadline.at_most(self.pause));
        self.pause = PAUSES[1].min(2 * self.pause);
        Ok(())
    }

    /// Until when the daemon is waited for.
    pub(crate) fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Whether the daemon has answered, and does not any more.
    pub(crate) fn is_lost(&self) -> bool {
        self.contact == Contact::Lost
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
        let mut reconnection = Reconnection::before(Deadline::NEVER);
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
        let mut reconnection = Reconnection::before(Deadline::after(Some(Duration::ZERO)));
        reconnection.answered(|_| {});
        let given_up = reconnection.lost(ClientError::Closed, |_| {});
        assert!(matches!(given_up, Err(GivenUp::TimedOut)));
        let gone = reconnection.lost(ClientError::Unexpected, |_| {});
        assert!(matches!(gone, Err(GivenUp::Error(_))));
    }

    #[test]
    fn a_daemon_that_is_not_there_at_the_beginning_is_told_from_one_that_does_not_answer() {
        let mut reconnection = Reconnection::before(Deadline::after(Some(Duration::ZERO)));
        let silent = reconnection.lost(ClientError::TimedOut, |_| {});
        assert!(matches!(silent, Err(GivenUp::Silent)));
        let absent = reconnection.lost(ClientError::Closed, |_| {});
        assert!(matches!(absent, Err(GivenUp::Error(_))));
    }
}
