//! What became of a dropped file, written beside it: JSON for programs, plain words for people.

use std::fmt::Write;

use framepack_jobs::{
    API, Class, Failure, Job, JobState, Problem, Timestamp, on_one_line,
    settings::{Setting, used_or_default},
};
use serde::Serialize;

use super::stored::Record;

/// Where a file goes when the daemon is finished with it; the folder's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// The video is there.
    Done,
    /// It was a job, and there is no video, or of a cancelled one a part.
    Failed,
    /// It never became a job.
    Rejected,
    /// It is a job already.
    Duplicate,
}

impl Outcome {
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::Duplicate => "duplicate",
        }
    }
}

/// The report.
#[derive(Debug, Serialize)]
pub(crate) struct Report<'a> {
    api: &'static str,
    kind: &'static str,
    outcome: Outcome,
    /// Name under which the file was dropped; bytes that are no text are replaced.
    file: String,
    written_at: Timestamp,
    versions: Versions<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hashes: Option<Hashes<'a>>,
    /// The job, with its effective settings, attempts, result or failure; of a duplicate, the job that it repeats.
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<&'a Job>,
    /// All settings that its last run had, each with where it comes from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    settings: Vec<Setting>,
    /// Of a duplicate: with which settings it would be rendered now instead of its job's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    settings_differ: Vec<String>,
    /// Why there is no video, or no job.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a Failure>,
    /// Each mistake in the file.
    #[serde(skip_serializing_if = "<[Problem]>::is_empty")]
    problems: &'a [Problem],
}

#[derive(Debug, Serialize)]
struct Versions<'a> {
    framepackd: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    worker: Option<&'a str>,
}

/// SHA-256 of what went in and came out, in hexadecimal. That of the latents is in the job's result.
#[derive(Debug, Serialize)]
#[expect(
    clippy::struct_field_names,
    reason = "these are the names in the report"
)]
struct Hashes<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    image_sha256: &'a str,
    /// Of the whole file, which tells when it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    video_sha256: Option<String>,
    /// Of its H.264 samples alone: equal when the same job is rendered again.
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_sha256: Option<&'a str>,
}

impl<'a> Report<'a> {
    /// A job that has ended. `video_sha256`: of its video, if there is one.
    pub(crate) fn ended(file: String, record: &'a Record, video_sha256: Option<String>) -> Self {
        let job = &record.job;
        let outcome = match job.state {
            JobState::Done { .. } => Outcome::Done,
            _ => Outcome::Failed,
        };
        let failure = match &job.state {
            JobState::Failed { failure, .. } | JobState::Expired { failure, .. } => Some(failure),
            _ => None,
        };
        Self {
            job: Some(job),
            settings: match job.runs.attempts {
                0 => Vec::new(),
                _ => used_or_default(&job.runs.settings),
            },
            failure,
            versions: Versions {
                framepackd: env!("CARGO_PKG_VERSION"),
                worker: record.private.worker_version.as_deref(),
            },
            hashes: Some(Hashes {
                image_sha256: &record.private.input_sha256,
                video_sha256,
                stream_sha256: job
                    .state
                    .result()
                    .and_then(|result| result.stream_sha256.as_deref()),
            }),
            ..Self::of(outcome, file)
        }
    }

    /// A file that never became a job.
    pub(crate) fn rejected(file: String, failure: &'a Failure, problems: &'a [Problem]) -> Self {
        Self {
            failure: Some(failure),
            problems,
            ..Self::of(Outcome::Rejected, file)
        }
    }

    /// A file that is a job already.
    pub(crate) fn duplicate(file: String, job: &'a Job, difference: Vec<String>) -> Self {
        Self {
            job: Some(job),
            settings_differ: difference,
            ..Self::of(Outcome::Duplicate, file)
        }
    }

    fn of(outcome: Outcome, file: String) -> Self {
        Self {
            api: API,
            kind: "Report",
            outcome,
            file,
            written_at: Timestamp::now(),
            versions: Versions {
                framepackd: env!("CARGO_PKG_VERSION"),
                worker: None,
            },
            hashes: None,
            job: None,
            settings: Vec::new(),
            settings_differ: Vec::new(),
            failure: None,
            problems: &[],
        }
    }

    pub(crate) fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The same for people: what failed, where, what to change, how to try again. `None` when nothing failed.
    pub(crate) fn in_words(&self) -> Option<String> {
        let file = on_one_line(&self.file);
        let mut text = match (self.outcome, self.job) {
            (Outcome::Done, _) => return None,
            (Outcome::Duplicate, Some(job)) => {
                return Some(duplicate_in_words(&self.file, job, &self.settings_differ));
            }
            (Outcome::Failed, Some(job)) => {
                format!(
                    "{file} (job {}, \"{}\"): {}, {}.\n",
                    job.id,
                    job.name,
                    job.state.name(),
                    video_in_words(job)
                )
            }
            _ => format!("{file} was rejected: it did not become a job.\n"),
        };
        if let Some(failure) = self.failure {
            describe(&mut text, failure, self.problems).expect(NEVER_FAILS);
        }
        let warnings = self.job.map_or(&[][..], |job| &job.warnings);
        if !warnings.is_empty() {
            writeln!(text, "\nWarnings:").expect(NEVER_FAILS);
        }
        for warning in warnings {
            writeln!(text, "  {}", on_one_line(warning)).expect(NEVER_FAILS);
        }
        write!(text, "\nTo try again: {}\n", self.retry()).expect(NEVER_FAILS);
        Some(text)
    }

    fn retry(&self) -> &'static str {
        match self.failure.map(|failure| failure.class) {
            Some(Class::Input | Class::Policy) => {
                "fix that, then move the job file from here back into the jobs folder."
            }
            Some(_) => {
                "once the cause is gone, move the job file from here back into the jobs folder."
            }
            None => "move the job file from here back into the jobs folder.",
        }
    }
}

/// What there is of a video that was not finished.
fn video_in_words(job: &Job) -> String {
    let result = job.state.result();
    let partial = result.and_then(|result| Some((result, result.partial.as_ref()?)));
    partial.map_or_else(
        || "there is no video".to_owned(),
        |(result, partial)| {
            let video = result.video.display();
            format!("there is a video of a part of it, {video}: {partial}")
        },
    )
}

const NEVER_FAILS: &str = "writing to a string cannot fail";

fn describe(text: &mut String, failure: &Failure, problems: &[Problem]) -> std::fmt::Result {
    writeln!(text, "\nWhat is wrong ({}):", failure.code)?;
    // Of several mistakes each has its own remedy.
    for problem in problems {
        writeln!(text, "  {problem}")?;
        if let Some(hint) = &problem.hint {
            writeln!(text, "      {hint}")?;
        }
    }
    if !problems.is_empty() {
        return Ok(());
    }
    for line in failure.message.lines() {
        writeln!(text, "  {line}")?;
    }
    if let Some(hint) = &failure.hint {
        writeln!(text, "\nWhat to do:")?;
        for line in hint.lines() {
            writeln!(text, "  {line}")?;
        }
    }
    Ok(())
}

fn duplicate_in_words(file: &str, job: &Job, difference: &[String]) -> String {
    let mut text = format!(
        "{} is a duplicate of job {} (\"{}\", {}): it has the same key, so nothing was queued.\n\n\
         The video of that job: {}\n\n",
        on_one_line(file),
        job.id,
        job.name,
        job.state.name(),
        job.output.display(),
    );
    if !difference.is_empty() {
        text += "That video has other settings than this file would get with the current farm-wide defaults:\n";
        for line in difference {
            writeln!(text, "  {line}").expect(NEVER_FAILS);
        }
        text.push('\n');
    }
    text + "To render it again anyway: change the seed, the prompt, the image or (if the file has one) the key, or\n\
            remove the video. Then move the file from here back into the jobs folder.\n"
}
