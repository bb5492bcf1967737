//! What people see of a job's state: its name, or what a user or the clock has made of it; with its colour and symbol.

use framepack_ipc::queue::Standing;
use framepack_jobs::{Job, JobState};

use crate::terminal::{Terminal, style::Style, symbol::Symbol};

/// A job's state as people see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShownState {
    Queued,
    /// Queued, and does not begin until a user releases it.
    Held,
    /// Queued, and goes on at a time.
    Suspended,
    Running,
    /// Running, and stands still until a user resumes it.
    Paused,
    /// Queued or running, until its finished sections are a video.
    Cancelling,
    Done,
    Failed,
    Cancelled,
    Expired,
}

impl ShownState {
    /// In the order of a job's life.
    pub(crate) const ALL: [Self; 10] = [
        Self::Queued,
        Self::Held,
        Self::Suspended,
        Self::Running,
        Self::Paused,
        Self::Cancelling,
        Self::Done,
        Self::Failed,
        Self::Cancelled,
        Self::Expired,
    ];

    /// The job's.
    pub(crate) fn of(job: &Job) -> Self {
        match &job.state {
            JobState::Queued | JobState::Running { .. } if job.runs.keep_sections => {
                Self::Cancelling
            }
            JobState::Queued if job.runs.held => Self::Held,
            JobState::Queued if job.runs.suspended_until.is_some() => Self::Suspended,
            JobState::Queued => Self::Queued,
            JobState::Running { paused: true, .. } => Self::Paused,
            JobState::Running { .. } => Self::Running,
            JobState::Done { .. } => Self::Done,
            JobState::Failed { .. } => Self::Failed,
            JobState::Cancelled { .. } => Self::Cancelled,
            JobState::Expired { .. } => Self::Expired,
        }
    }

    /// Its word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Held => "held",
            Self::Suspended => "suspended",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Cancelling => "cancelling",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// Its colour.
    pub(crate) fn style(self) -> Style {
        match self {
            Self::Queued | Self::Suspended => Style::Waiting,
            Self::Held | Self::Paused => Style::Held,
            Self::Running | Self::Cancelling => Style::Active,
            Self::Done => Style::Good,
            Self::Failed | Self::Expired => Style::Bad,
            Self::Cancelled => Style::Dim,
        }
    }

    /// Its symbol.
    pub(crate) fn symbol(self) -> Symbol {
        match self {
            Self::Queued | Self::Suspended => Symbol::Queued,
            Self::Held | Self::Paused => Symbol::Held,
            Self::Running | Self::Cancelling => Symbol::Running,
            Self::Done => Symbol::Done,
            Self::Failed | Self::Expired => Symbol::Failed,
            Self::Cancelled => Symbol::Cancelled,
        }
    }

    /// `✔ done`, without colours.
    pub(crate) fn with_symbol(self, terminal: &Terminal) -> String {
        format!("{} {}", terminal.symbols.text(self.symbol()), self.as_str())
    }
}

/// The symbol and the colour of where a job of the queue stands.
pub(crate) fn of_standing(standing: Standing) -> (Symbol, Style) {
    match standing {
        Standing::Running => (Symbol::Running, Style::Active),
        Standing::Paused | Standing::Held => (Symbol::Held, Style::Held),
        Standing::Ready => (Symbol::Queued, Style::Plain),
        Standing::Waiting => (Symbol::Queued, Style::Waiting),
        Standing::Unknown => (Symbol::Bullet, Style::Plain),
    }
}
