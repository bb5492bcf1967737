//! Events: what happens to jobs, devices and the farm, one JSON object a line. Part of [`crate::control`].
//!
//! A line is written once, by the daemon, and reaches the reader's standard output as it is, so that a client prints
//! facts of a later daemon, too. Prompts are not in events.

use std::{fmt, path::PathBuf, str::FromStr};

use framepack_jobs::{Failure, Job, JobId, JobState, Selector, StateName, Timestamp, suggest};
use serde::{Deserialize, Serialize};

/// What happened, in the order in which its keys are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Where it is in the daemon's log of events; a reader continues behind it. Opaque; none for what is not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// When it was noted.
    pub at: Timestamp,
    /// What it is about.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// What happened.
    pub event: EventName,
    /// The rest.
    #[serde(flatten)]
    pub facts: Facts,
}

/// What an event says beside its name; each event has those that it has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The job's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobId>,
    /// The job's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The job's state from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<StateName>,
    /// The job's group, or the group that was paused or resumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// `cpu` or `cuda:N`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Which run of the job it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// What a worker does, as in a job's progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// Sections that are finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sections_done: Option<u32>,
    /// Sections that there will be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sections: Option<u32>,
    /// Steps of the section that are finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    /// Steps of each section.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<u32>,
    /// The video.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video: Option<PathBuf>,
    /// When the job goes on by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Stable code of what went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The same, or more about the event, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventType {
    /// A job.
    Job,
    /// A device.
    Device,
    /// The farm as a whole.
    Farm,
    /// A job's steps: sent while they are made, only to who asks for them, and not kept.
    Progress,
    /// A type of a later version.
    #[serde(other)]
    Unknown,
}

/// What happened. One that a reader does not know is passed over, or told as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventName {
    /// A job is in the queue: new, tried again by a user, or back since its daemon, its device or the farm failed.
    Queued,
    /// A worker has the job.
    Started,
    /// A section is finished, and a later run continues after it.
    Section,
    /// A run failed, and the job will be tried again.
    Retrying,
    /// The job's window ended while it ran; it goes on when the window opens.
    Suspended,
    /// A queued job does not start until it is released.
    Held,
    /// It may start again.
    Released,
    /// A running job halts; or the queue, or a group of it, starts no job.
    Paused,
    /// It goes on.
    Resumed,
    /// The video is there.
    Done,
    /// There is no video.
    Failed,
    /// A user stopped the job.
    Cancelled,
    /// The job's deadline passed before it began.
    Expired,
    /// A user removed the job, which had ended.
    Removed,
    /// A device takes jobs.
    Up,
    /// A device's worker is gone, and will be started again.
    Down,
    /// A device has failed too often, and gets no job.
    Faulty,
    /// A user gives it jobs again.
    Enabled,
    /// Something is not as it should be.
    Degraded,
    /// It is again.
    Mended,
    /// Nothing runs, and nothing is ready to start.
    Idle,
    /// There is work again.
    Busy,
    /// The daemon has started.
    Starting,
    /// It stops, as it was asked to.
    Stopping,
    /// A step of a job is finished.
    Step,
    /// An event of a later version.
    #[serde(other)]
    Unknown,
}

/// Which events are wanted. Answered by [`Response::Events`](crate::control::Response::Events), the first of which
/// comes at once, and by an end unless they are followed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventsRequest {
    /// Where to begin; `None`: with the last 24 hours, or with what happens from now on if they are followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
    /// Whether to go on with what happens.
    pub follow: bool,
    /// Only of these types; none: all but [`EventType::Progress`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<EventType>,
    /// Only of these jobs; none: of all, and those that are not about a job.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<Selector>,
}

/// Where to begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Since {
    /// Behind the event with this cursor.
    Cursor(String),
    /// With the first one that was noted then or later.
    Time(Timestamp),
}

/// Not the name of a type of events.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{found}` is not a type of events; expected job, device, farm or progress{}",
    near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
)]
pub struct UnknownType {
    found: String,
    near: Option<&'static str>,
}

impl Event {
    /// An event that was noted now.
    pub fn now(kind: EventType, event: EventName, facts: Facts) -> Self {
        Self {
            cursor: None,
            at: Timestamp::now(),
            kind,
            event,
            facts,
        }
    }

    /// A job's step, as those who follow it are told.
    pub fn of_step(job: &Job) -> Option<Self> {
        let JobState::Running {
            device,
            progress: Some(progress),
            ..
        } = &job.state
        else {
            return None;
        };
        let facts = Facts {
            device: Some(device.clone()),
            phase: Some(progress.phase.as_str().to_owned()),
            sections_done: Some(progress.section),
            sections: Some(progress.sections),
            step: Some(progress.step),
            steps: Some(progress.steps),
            ..Facts::of_job(job)
        };
        Some(Self::now(EventType::Progress, EventName::Step, facts))
    }
}

impl Facts {
    /// Which job it is, and its state.
    pub fn of_job(job: &Job) -> Self {
        Self {
            job: Some(job.id),
            name: Some(job.name.clone()),
            state: Some(job.state.name()),
            group: job.schedule.group.clone(),
            ..Self::default()
        }
    }

    /// The same with what went wrong.
    #[must_use]
    pub fn failing(self, failure: &Failure) -> Self {
        Self {
            code: Some(failure.code.to_string()),
            message: Some(failure.message.clone()),
            hint: failure.hint.clone(),
            ..self
        }
    }
}

impl EventType {
    /// Those that can be asked for.
    pub const ALL: [Self; 4] = [Self::Job, Self::Device, Self::Farm, Self::Progress];

    /// The type as users read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::Device => "device",
            Self::Farm => "farm",
            Self::Progress => "progress",
            Self::Unknown => "unknown",
        }
    }
}

impl FromStr for EventType {
    type Err = UnknownType;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut all = Self::ALL.into_iter();
        all.find(|kind| kind.as_str() == text)
            .ok_or_else(|| UnknownType {
                found: text.to_owned(),
                near: suggest(text, Self::ALL.map(Self::as_str)),
            })
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_looks_like_this() {
        let event = Event {
            cursor: Some("9f3c2a1b-17-0".to_owned()),
            at: "2026-11-23T05:16:08.000001Z".parse().unwrap(),
            kind: EventType::Job,
            event: EventName::Done,
            facts: Facts {
                job: Some(JobId(7)),
                name: Some("cat".to_owned()),
                state: Some(StateName::Done),
                video: Some("/outputs/cat-7.mp4".into()),
                ..Facts::default()
            },
        };
        let json = r#"{"cursor":"9f3c2a1b-17-0","at":"2026-11-23T05:16:08.000001Z","type":"job","event":"done","job":7,"name":"cat","state":"done","video":"/outputs/cat-7.mp4"}"#;
        assert_eq!(serde_json::to_string(&event).unwrap(), json);
        assert_eq!(serde_json::from_str::<Event>(json).unwrap(), event);
    }

    #[test]
    fn events_of_later_versions_are_understood_as_unknown() {
        let json =
            r#"{"at":"2026-11-23T05:16:08.000001Z","type":"moon","event":"eclipsed","by":"earth"}"#;
        let event: Event = serde_json::from_str(json).unwrap();
        assert_eq!(
            (event.kind, event.event),
            (EventType::Unknown, EventName::Unknown)
        );
    }

    #[test]
    fn types_are_known_by_their_names() {
        for kind in EventType::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        let unknown = "jobs".parse::<EventType>().unwrap_err().to_string();
        assert!(unknown.ends_with("did you mean `job`?"), "{unknown}");
    }
}
