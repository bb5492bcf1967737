//! Changes of what a job is, and its removal. Part of [`crate::control`].

use framepack_jobs::{JobId, Selector};
use serde::{Deserialize, Serialize};

use crate::{ErrorBody, queue::Changed};

/// Asks for a job as a job file. One that may not be changed is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobFileRequest {
    /// The job: a selector that means one.
    pub job: Selector,
}

/// A job as a job file that says what the job says itself, and no default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobFile {
    /// The job.
    pub job: JobId,
    /// The file's text.
    pub yaml: String,
}

/// Puts what a job file says in the place of a job that has not begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditRequest {
    /// The job.
    pub job: JobId,
    /// The text as it was sent: the job must still be that.
    pub was: String,
    /// The text as it is to be.
    pub yaml: String,
}

/// Sets keys of jobs, as `--set` of `submit` does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetRequest {
    /// The jobs.
    pub jobs: Vec<Selector>,
    /// `steps=32`; nothing behind the equals sign means the key's default.
    pub set: Vec<String>,
    /// Which jobs may be changed, and what becomes of them.
    pub of: SetOf,
}

/// Which jobs keys are set of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetOf {
    /// Jobs that have not begun. They stay where they are.
    Queued,
    /// Failed and expired jobs. They are queued again, as by [`crate::queue::Change::Retry`].
    Failed {
        /// Without the sections that they have.
        from_start: bool,
    },
}

/// Forgets jobs that have ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoveRequest {
    /// The jobs.
    pub jobs: Vec<Selector>,
    /// What becomes of their videos.
    pub videos: Videos,
}

/// What becomes of the videos of jobs that are removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Videos {
    /// They stay.
    Keep,
    /// They are removed.
    Remove,
}

/// A job that was to be another one, or to be forgotten.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edited {
    /// The job, and what became of it.
    #[serde(flatten)]
    pub changed: Changed,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ErrorBody>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Request;

    #[test]
    fn requests_look_like_this_on_the_wire() {
        let jobs = || vec!["3-9".parse().unwrap(), "group:night".parse().unwrap()];
        let set = vec!["steps=3".to_owned()];
        let messages = [
            (
                Request::JobFile(JobFileRequest {
                    job: "7".parse().unwrap(),
                }),
                r#"{"type":"job_file","job":"7"}"#,
            ),
            (
                Request::Set(SetRequest {
                    jobs: jobs(),
                    set: set.clone(),
                    of: SetOf::Queued,
                }),
                r#"{"type":"set","jobs":["3-9","group:night"],"set":["steps=3"],"of":"queued"}"#,
            ),
            (
                Request::Set(SetRequest {
                    jobs: jobs(),
                    set,
                    of: SetOf::Failed { from_start: true },
                }),
                r#"{"type":"set","jobs":["3-9","group:night"],"set":["steps=3"],"of":{"failed":{"from_start":true}}}"#,
            ),
            (
                Request::Remove(RemoveRequest {
                    jobs: jobs(),
                    videos: Videos::Keep,
                }),
                r#"{"type":"remove","jobs":["3-9","group:night"],"videos":"keep"}"#,
            ),
        ];
        for (request, json) in messages {
            assert_eq!(serde_json::to_string(&request).unwrap(), json);
            assert_eq!(serde_json::from_str::<Request>(json).unwrap(), request);
        }
    }
}
