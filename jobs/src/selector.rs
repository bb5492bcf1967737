//! Which jobs a command means: `12`, `3-9`, `@failed`, `@failed:FP3012`, `@failed:oom`, `@last`, `group:night`, or a name.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Class, Code, Job, JobId, JobState, StateName, UnknownState, name::composed, suggest};

/// One selector, as a user types it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Selector {
    /// `12`
    Id(JobId),
    /// `3-9`, both included; numbers in between that are no jobs are passed over.
    Range(JobId, JobId),
    /// `@failed`: all jobs in that state. May be none.
    State(StateName),
    /// `@failed:FP3012`, `@failed:oom`: all jobs that have failed for this reason. May be none.
    Failed(Reason),
    /// `@last`: the newest job.
    Last,
    /// `group:night`: all jobs of that group.
    Group(String),
    /// Anything else: all jobs of that name. `name:12` means a job that is called `12`.
    Name(String),
}

/// Why jobs have failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// With this code.
    Code(Code),
    /// With a code of this class.
    Class(Class),
}

/// Why a text is no selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSelector {
    /// `@` and something else than a state.
    #[error(transparent)]
    State(#[from] UnknownState),
    /// `@failed:` and neither a code nor a class.
    #[error(
        "`{found}` is neither an error code, as in @failed:FP3012 (docs/ERRORS.md lists all), nor one of the classes {}{}",
        classes().join(", "),
        suggestion.as_ref().map(|word| format!("; did you mean `@failed:{word}`?")).unwrap_or_default()
    )]
    Reason {
        /// What follows the colon.
        found: String,
        /// What it resembles most.
        suggestion: Option<String>,
    },
    /// A colon after another state than `failed`.
    #[error("only failed jobs have a code and a class: `@failed:{0}`")]
    NotFailed(String),
    /// `9-3`
    #[error("the range `{0}` ends before it begins")]
    Backwards(String),
    /// Nothing.
    #[error("expected a job's number, a range, @state, group:NAME or a name")]
    Empty,
}

/// A selector that fits no job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no such job: {0}")]
pub struct Unmatched(pub Selector);

impl Selector {
    fn matches(&self, job: &Job, last: Option<JobId>) -> bool {
        match self {
            Self::Id(id) => job.id == *id,
            Self::Range(first, end) => (first..=end).contains(&&job.id),
            Self::State(state) => job.is(*state),
            Self::Failed(reason) => reason.matches(job),
            Self::Last => Some(job.id) == last,
            Self::Group(group) => job.schedule.group.as_ref() == Some(group),
            Self::Name(name) => job.name == *name,
        }
    }
}

impl Reason {
    fn matches(self, job: &Job) -> bool {
        let JobState::Failed { failure, .. } = &job.state else {
            return false;
        };
        match self {
            Self::Code(code) => failure.code == code,
            Self::Class(class) => failure.class == class,
        }
    }
}

/// The words for the classes that a failed job can have.
fn classes() -> Vec<&'static str> {
    Class::OF_JOBS.iter().map(|class| class.as_str()).collect()
}

impl FromStr for Reason {
    type Err = InvalidSelector;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(code) = text.parse() {
            return Ok(Self::Code(code));
        }
        let is_named = |class: &&Class| class.as_str().eq_ignore_ascii_case(text);
        if let Some(class) = Class::OF_JOBS.iter().find(is_named) {
            return Ok(Self::Class(*class));
        }
        let codes = Code::all().map(Code::as_str);
        let known: Vec<&str> = classes().into_iter().chain(codes).collect();
        let upper = text.to_ascii_uppercase();
        let wanted = if upper.starts_with("FP") {
            &upper
        } else {
            text
        };
        Err(InvalidSelector::Reason {
            found: text.to_owned(),
            suggestion: suggest(wanted, known).map(str::to_owned),
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => code.fmt(f),
            Self::Class(class) => class.fmt(f),
        }
    }
}

/// The jobs that any of the selectors means, each once, in the order of `jobs`.
pub fn select<'j>(
    selectors: &[Selector],
    jobs: impl IntoIterator<Item = &'j Job> + Clone,
) -> Result<Vec<&'j Job>, Unmatched> {
    let last = jobs.clone().into_iter().map(|job| job.id).max();
    for selector in selectors {
        let may_be_empty = matches!(selector, Selector::State(_) | Selector::Failed(_));
        if !may_be_empty
            && !jobs
                .clone()
                .into_iter()
                .any(|job| selector.matches(job, last))
        {
            return Err(Unmatched(selector.clone()));
        }
    }
    let meant = |job: &&Job| selectors.iter().any(|selector| selector.matches(job, last));
    Ok(jobs.into_iter().filter(meant).collect())
}

impl FromStr for Selector {
    type Err = InvalidSelector;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(InvalidSelector::Empty);
        }
        if let Some(state) = text.strip_prefix('@') {
            return match state.split_once(':') {
                Some(("failed", reason)) => Ok(Self::Failed(reason.parse()?)),
                Some((_, reason)) => Err(InvalidSelector::NotFailed(reason.to_owned())),
                None if state == "last" => Ok(Self::Last),
                None => Ok(Self::State(state.parse()?)),
            };
        }
        // A name has no colon, and so has a group's.
        if let Some(group) = text.strip_prefix("group:") {
            return Ok(Self::Group(composed(group).into_owned()));
        }
        if let Some(name) = text.strip_prefix("name:") {
            return Ok(Self::Name(composed(name).into_owned()));
        }
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        if let Some((first, end)) = text.split_once('-')
            && let (Ok(first), Ok(end)) = (first.parse::<JobId>(), end.parse::<JobId>())
        {
            return if first <= end {
                Ok(Self::Range(first, end))
            } else {
                Err(InvalidSelector::Backwards(text.to_owned()))
            };
        }
        Ok(Self::Name(composed(text).into_owned()))
    }
}

impl TryFrom<String> for Selector {
    type Error = InvalidSelector;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Selector> for String {
    fn from(selector: Selector) -> Self {
        selector.to_string()
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Range(first, end) => write!(f, "{first}-{end}"),
            Self::State(state) => write!(f, "@{state}"),
            Self::Failed(reason) => write!(f, "@failed:{reason}"),
            Self::Last => f.write_str("@last"),
            Self::Group(group) => write!(f, "group:{group}"),
            Self::Name(name) if name.parse() == Ok(self.clone()) => f.write_str(name),
            Self::Name(name) => write!(f, "name:{name}"),
        }
    }
}
