//! The store of jobs: its check, its repair, and taking it elsewhere and back.

use framepack_jobs::JobId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Exit, control::Note};

/// What is to be done with the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum StateRequest {
    /// Compare store and journal. Answered by `Response::State`.
    Check,
    /// The same, and make the two agree. A store that can't be opened is opened without what can't be read.
    Repair,
    /// The repairs have been noticed.
    Acknowledge,
    /// Take records that were exported. Answered by `Response::Imported`.
    Import {
        /// As they were exported; some hundred at a time.
        records: Vec<Value>,
    },
}

/// How the store is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateReport {
    /// Jobs in the store; in the journal, while the store is closed.
    pub jobs: u64,
    /// The number of the last change.
    pub seq: u64,
    /// Bytes of the store's files.
    pub store_bytes: u64,
    /// Bytes of the journal's files.
    pub journal_bytes: u64,
    /// Bytes that are free where the store is.
    pub free_bytes: u64,
    /// Bytes that must be free for the store to be opened.
    pub needed_bytes: u64,
    /// What is wrong now.
    pub problems: Vec<String>,
    /// What was repaired and not acknowledged.
    pub repairs: Vec<Note>,
}

impl StateReport {
    /// The report as people read it.
    pub fn lines(&self) -> Vec<String> {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        let mut lines = vec![
            format!("jobs       {} (change {})", self.jobs, self.seq),
            format!(
                "bytes      store {:.1} MiB, journal {:.1} MiB; {:.0} MiB free, {:.0} MiB needed",
                mib(self.store_bytes),
                mib(self.journal_bytes),
                mib(self.free_bytes),
                mib(self.needed_bytes)
            ),
        ];
        let problems = self.problems.iter();
        lines.extend(problems.map(|problem| format!("problem    {problem}")));
        for note in &self.repairs {
            lines.push(format!("repaired   {}", note.code.behind(&note.message)));
        }
        if self.problems.is_empty() {
            lines.push("sound".to_owned());
        }
        lines
    }

    /// How a command ends that prints it.
    pub fn exit(&self) -> Exit {
        if self.problems.is_empty() {
            Exit::Ok
        } else {
            Exit::StateDamaged
        }
    }
}

/// What became of one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Imported {
    /// It is a job now, under this number.
    Added {
        /// The number, which is the exported one where that was free.
        job: JobId,
    },
    /// The job is there already.
    Known {
        /// Its number.
        job: JobId,
    },
    /// It can't be taken.
    Refused {
        /// Why.
        message: String,
    },
    /// An outcome of a later version.
    #[serde(other)]
    Unknown,
}

impl Imported {
    /// What became of all records, as people read it, and how a command ends that took them.
    pub fn summary(outcomes: &[Self]) -> (Vec<String>, Exit) {
        let count = |is: fn(&Self) -> bool| outcomes.iter().filter(|outcome| is(outcome)).count();
        let added = count(|outcome| matches!(outcome, Self::Added { .. }));
        let known = count(|outcome| matches!(outcome, Self::Known { .. }));
        let mut lines = vec![format!("{added} jobs added, {known} already present")];
        let mut exit = Exit::Ok;
        for outcome in outcomes {
            if let Self::Refused { message } = outcome {
                lines.push(format!("refused: {message}"));
                exit = Exit::Failure;
            }
        }
        (lines, exit)
    }
}
