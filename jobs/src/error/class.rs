//! What kind of error it is, and who can put it right.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What kind of error it is. Retries of jobs and exit codes of commands go by the class, never by the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The job's own files are wrong: syntax, ranges, an image that does not decode.
    Input,
    /// The configuration forbids it.
    Policy,
    /// Device or host memory ran out.
    Oom,
    /// NaN or Inf in latents or frames, or a video that is not what was asked for.
    Numerics,
    /// The worker stopped making progress.
    Hang,
    /// The device or its driver failed.
    Gpu,
    /// Reading or writing files failed.
    Io,
    /// A user cancelled the job.
    Cancelled,
    /// The command line or the configuration is wrong.
    Usage,
    /// The daemon can't be reached.
    Unreachable,
    /// There is no such job, device or state directory.
    NotFound,
    /// A file given to a command is wrong.
    Validation,
    /// Something took longer than it may.
    Timeout,
    /// Not possible in the job's state, or while another daemon runs.
    Conflict,
    /// Disk or memory is short, or the queue is full.
    Resource,
    /// Client and daemon do not understand each other.
    Protocol,
    /// The store or the jobs folder is not as it should be.
    State,
    /// A bug, or a fault of the installation: a corrupt checkpoint, a dead worker.
    Internal,
    /// A class of a later version.
    #[serde(other)]
    Unknown,
}

/// Who can put it right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The user: the job file, the files that it names, or the command.
    Job,
    /// The operator: machine, installation, configuration.
    Farm,
    /// The developers: it is a bug.
    Program,
}

impl Class {
    /// Those that the failure of a job can have.
    pub const OF_JOBS: [Self; 9] = [
        Self::Input,
        Self::Policy,
        Self::Oom,
        Self::Numerics,
        Self::Hang,
        Self::Gpu,
        Self::Io,
        Self::Cancelled,
        Self::Internal,
    ];

    /// The class as JSON spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Policy => "policy",
            Self::Oom => "oom",
            Self::Numerics => "numerics",
            Self::Hang => "hang",
            Self::Gpu => "gpu",
            Self::Io => "io",
            Self::Cancelled => "cancelled",
            Self::Usage => "usage",
            Self::Unreachable => "unreachable",
            Self::NotFound => "not_found",
            Self::Validation => "validation",
            Self::Timeout => "timeout",
            Self::Conflict => "conflict",
            Self::Resource => "resource",
            Self::Protocol => "protocol",
            Self::State => "state",
            Self::Internal => "internal",
            Self::Unknown => "unknown",
        }
    }

    /// The class of a command that fails with such an error: those that only a job's failure has become others.
    #[must_use]
    pub const fn of_command(self) -> Self {
        match self {
            Self::Input => Self::Validation,
            Self::Oom => Self::Resource,
            Self::Numerics | Self::Hang | Self::Gpu | Self::Io | Self::Cancelled => Self::Internal,
            other => other,
        }
    }
}

impl Fault {
    /// The word as JSON spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::Farm => "farm",
            Self::Program => "program",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use crate::Code;

    #[test]
    fn words_are_those_of_json() {
        for code in Code::all() {
            let (class, fault) = (code.class(), code.fault());
            assert_eq!(serde_json::to_value(class).unwrap(), class.as_str());
            assert_eq!(serde_json::to_value(fault).unwrap(), fault.as_str());
        }
    }
}
