//! Many jobs in one command: each is changed or not by itself, and what is lost of more than a few is asked for first.

use framepack_ipc::{
    Exit,
    client::ClientError,
    control::{Request, Response, SelectRequest},
};
use framepack_jobs::{Code, Selector};

use crate::{cli::Consent, confirm::confirm, daemon::Daemon, failure::Failure};

/// So many jobs lose something without a question.
const UNASKED: u64 = 20;

/// What jobs lose by a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// They are cancelled.
    Runs,
    /// They begin again without their finished sections.
    Sections,
    /// They are removed.
    Records,
    /// They are removed with their videos.
    Videos,
}

impl Loss {
    /// So many jobs need no question.
    fn unasked(self) -> u64 {
        match self {
            Self::Runs | Self::Sections | Self::Records => UNASKED,
            Self::Videos => 0,
        }
    }

    /// What is done to so many jobs.
    fn act(self, jobs: u64) -> String {
        let (jobs, their) = match jobs {
            1 => ("1 job".to_owned(), "its"),
            count => (format!("{count} jobs"), "their"),
        };
        match self {
            Self::Runs => format!("cancel {jobs}"),
            Self::Sections => format!("start {jobs} over, without {their} finished sections"),
            Self::Records => format!("remove {jobs}"),
            Self::Videos if their == "its" => format!("remove {jobs} and its video"),
            Self::Videos => format!("remove {jobs} and their videos"),
        }
    }
}

/// Jobs as a user named them, and what of that there is not.
#[derive(Debug)]
pub(crate) struct Named {
    selectors: Vec<Selector>,
    missing: Vec<Selector>,
}

impl Named {
    pub(crate) fn new(selectors: Vec<Selector>) -> Self {
        Self {
            selectors,
            missing: Vec::new(),
        }
    }

    pub(crate) fn selectors(&self) -> &[Selector] {
        &self.selectors
    }

    /// The same once the user agrees to what is lost. From then on exactly the jobs are meant that she was asked about.
    pub(crate) fn agreed(
        mut self,
        loss: Loss,
        consent: Consent,
        daemon: &Daemon,
    ) -> Result<Self, Failure> {
        let is_few = at_most(&self.selectors).is_some_and(|jobs| jobs <= loss.unasked());
        if consent == Consent::Given || is_few {
            return Ok(self);
        }
        let jobs = self.look_up(daemon)?;
        if jobs > loss.unasked() {
            confirm(&loss.act(jobs))?;
        }
        Ok(self)
    }

    /// The answer to a request for these jobs. What is not there does not keep it from the others.
    pub(crate) fn ask(
        &mut self,
        daemon: &Daemon,
        request: impl Fn(Vec<Selector>) -> Request,
    ) -> Result<Response, Failure> {
        match daemon.ask(&request(self.selectors.clone())) {
            Err(refused) if self.selectors.len() > 1 && is_missing(&refused) => {
                self.look_up(daemon)?;
                Ok(daemon.ask(&request(self.selectors.clone()))?)
            }
            answer => Ok(answer?),
        }
    }

    /// What is not there, in words.
    pub(crate) fn missing(&self) -> impl Iterator<Item = String> {
        let missing = self.missing.iter();
        missing.map(|selector| format!("no such job: {selector}"))
    }

    /// What the exit code says of what is not there.
    pub(crate) fn exit(&self) -> Exit {
        match self.missing.as_slice() {
            [] => Exit::Ok,
            _ => Exit::NotFound,
        }
    }

    /// Puts the jobs' numbers in the place of the selectors. Returns how many there are. An error: there is none.
    fn look_up(&mut self, daemon: &Daemon) -> Result<u64, Failure> {
        let ids = |selectors: Vec<Selector>| -> Result<Vec<Selector>, ClientError> {
            let jobs = daemon.jobs(&Request::Show(SelectRequest { jobs: selectors }))?;
            Ok(jobs.iter().map(|job| Selector::Id(job.id)).collect())
        };
        let mut found = Vec::new();
        match ids(self.selectors.clone()) {
            Ok(all) => found = all,
            Err(refused) if is_missing(&refused) => {
                for selector in std::mem::take(&mut self.selectors) {
                    match ids(vec![selector.clone()]) {
                        Ok(jobs) => found.extend(jobs),
                        Err(error) if is_missing(&error) => self.missing.push(selector),
                        Err(error) => return Err(error.into()),
                    }
                }
                if found.is_empty() {
                    return Err(refused.into());
                }
            }
            Err(error) => return Err(error.into()),
        }
        let count = found.len() as u64;
        if count > 0 {
            self.selectors = found;
        }
        Ok(count)
    }
}

/// How many jobs these can be at most, as far as they tell.
fn at_most(selectors: &[Selector]) -> Option<u64> {
    let counts = selectors.iter().map(|selector| match selector {
        Selector::Id(_) | Selector::Last => Some(1),
        Selector::Range(first, last) => Some((last.0 - first.0).saturating_add(1)),
        Selector::State(_) | Selector::Failed(_) | Selector::Group(_) | Selector::Name(_) => None,
    });
    counts.sum()
}

fn is_missing(error: &ClientError) -> bool {
    matches!(error, ClientError::Refused(refused) if refused.error.code == Code::NO_SUCH_JOB)
}

/// The worse of two ends: the one with the higher number.
pub(crate) fn worst(one: Exit, other: Exit) -> Exit {
    if one as u8 >= other as u8 { one } else { other }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_names_what_is_lost() {
        for (loss, jobs, expected) in [
            (Loss::Runs, 21, "cancel 21 jobs"),
            (Loss::Records, 30, "remove 30 jobs"),
            (Loss::Videos, 1, "remove 1 job and its video"),
            (Loss::Videos, 2, "remove 2 jobs and their videos"),
            (
                Loss::Sections,
                21,
                "start 21 jobs over, without their finished sections",
            ),
        ] {
            assert_eq!(loss.act(jobs), expected);
        }
    }

    #[test]
    fn numbers_tell_how_many_jobs_they_are() {
        let jobs = |texts: &[&str]| {
            let selectors: Vec<Selector> = texts.iter().map(|text| text.parse().unwrap()).collect();
            at_most(&selectors)
        };
        assert_eq!(jobs(&["7", "3-9", "@last"]), Some(9));
        assert_eq!(jobs(&["7", "@failed"]), None);
        assert_eq!(jobs(&["cat"]), None);
    }
}
