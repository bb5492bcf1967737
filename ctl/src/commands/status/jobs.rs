//! Some jobs, each with where it is and its last log lines.

use framepack_ipc::{
    client::{Client, ClientError},
    control::{Request, Response, SelectRequest},
    farm::RunningJob,
};
use framepack_jobs::{Job, JobState, Selector, Timestamp};
use serde_json::{Value, json};

use crate::{
    commands::logs::{in_words, latest},
    daemon::Daemon,
    ends,
    failure::Failure,
    farm::{percent, time_left},
    output::{Format, Output, print_lines},
    rows::describe,
    shown_state::ShownState,
    terminal::{
        Terminal,
        style::Style,
        symbol::Symbol,
        table::{Cell, labelled},
        time::{ago, span},
    },
    waiting::Waiting,
};

/// Log lines of a job.
const LOG_LINES: usize = 10;

/// A job with what is told of it.
struct Told {
    job: Job,
    running: Option<RunningJob>,
    log: Vec<String>,
}

pub(super) fn run(
    selectors: Vec<Selector>,
    daemon: &Daemon,
    terminal: &Terminal,
    output: &Output,
) -> Result<(), Failure> {
    output.check_fields(&fields())?;
    let mut client = daemon.connect()?;
    let jobs = client.jobs(&Request::Show(SelectRequest { jobs: selectors }))?;
    let waiting = Waiting::of(&jobs, daemon)?;
    let mut running = running(&mut client)?;
    let mut told = Vec::new();
    for job in jobs {
        let place = running.iter().position(|running| running.id == job.id);
        told.push(Told {
            running: place.map(|place| running.swap_remove(place)),
            log: latest(&mut client, job.id, LOG_LINES)?,
            job,
        });
    }
    match output.format {
        Format::Text => {
            let now = Timestamp::now();
            let shown = told
                .iter()
                .map(|told| told.lines(&waiting, now, terminal).join("\n"));
            print_lines(&[shown.collect::<Vec<_>>().join("\n\n")])
        }
        Format::Json | Format::Fields(_) => {
            let items: Vec<Value> = told.iter().map(Told::record).collect();
            output.records("JobStatus", &items, Vec::new())
        }
    }
}

/// Keys of a job's record, and of what is told beside it.
fn fields() -> Vec<&'static str> {
    let beside = ["secs_per_step", "left", "log"];
    ends::fields().into_iter().chain(beside).collect()
}

fn running(client: &mut Client) -> Result<Vec<RunningJob>, Failure> {
    match client.call(&Request::Farm)? {
        Response::Farm(farm) => Ok(farm.running),
        _ => Err(ClientError::Unexpected.into()),
    }
}

impl Told {
    fn record(&self) -> Value {
        let mut record = json!(self.job);
        let running = self.running.as_ref();
        record["secs_per_step"] = json!(running.and_then(|running| running.secs_per_step));
        record["left"] = json!(running.and_then(|running| running.left));
        if let Some(ends) = running.and_then(|running| running.ends.as_ref()) {
            record["ends"] = json!(ends);
        }
        let event = |line: &String| serde_json::from_str(line).unwrap_or_else(|_| json!(line));
        record["log"] = self.log.iter().map(event).collect();
        record
    }

    fn lines(&self, waiting: &Waiting, now: Timestamp, terminal: &Terminal) -> Vec<String> {
        let job = &self.job;
        let state = ShownState::of(job);
        let mut lines = vec![format!(
            "{} {} {}",
            terminal.paint(state.style(), terminal.symbols.text(state.symbol())),
            terminal.paint(
                Style::Strong,
                &format!("{} {}", job.id, terminal.cut(&job.name, 60))
            ),
            terminal.paint(state.style(), state.as_str()),
        )];
        let mut facts = vec![
            ("progress", self.progress()),
            ("sections", self.sections(terminal)),
        ];
        facts.extend(ended_or_begun(job, now));
        facts.extend([
            ("waits", waiting.reason(job).unwrap_or_default().to_owned()),
            ("submitted", ago(job.submitted_at, now)),
            ("video", job.output.display().to_string()),
        ]);
        let facts: Vec<(&str, Cell)> = facts
            .into_iter()
            .filter(|(_, fact)| !fact.is_empty())
            .map(|(label, fact)| (label, Cell::from(fact)))
            .collect();
        lines.extend(labelled(&facts, terminal));
        if !self.log.is_empty() {
            lines.push(String::new());
            lines.extend(
                self.log
                    .iter()
                    .map(|line| terminal.paint(Style::Dim, &in_words(line))),
            );
        }
        lines
    }

    fn progress(&self) -> String {
        let JobState::Running { progress, .. } = &self.job.state else {
            return match self.job.runs.sections_done {
                0 => String::new(),
                1 => "1 section done".to_owned(),
                sections => format!("{sections} sections done"),
            };
        };
        let Some(progress) = progress else {
            return "starting".to_owned();
        };
        let running = self.running.as_ref();
        let pace = running.and_then(|running| running.secs_per_step);
        let pace = pace.map(|secs| format!("{secs:.2} s/step"));
        let left = running.and_then(time_left);
        let parts = [
            Some(describe(progress)),
            Some(percent(progress)),
            pace,
            left,
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// `✔ 1  ✔ 2  ▶ 3  ○ 4`
    fn sections(&self, terminal: &Terminal) -> String {
        let JobState::Running {
            progress: Some(progress),
            ..
        } = &self.job.state
        else {
            return String::new();
        };
        let symbol = |section: u32| match section.cmp(&(progress.section + 1)) {
            std::cmp::Ordering::Less => Symbol::Done,
            std::cmp::Ordering::Equal => Symbol::Running,
            std::cmp::Ordering::Greater => Symbol::Queued,
        };
        let told = |section| format!("{} {section}", terminal.symbols.text(symbol(section)));
        let sections: Vec<String> = (1..=progress.sections).map(told).collect();
        sections.join("  ")
    }
}

/// When it began and on which device, or how it ended.
fn ended_or_begun(job: &Job, now: Timestamp) -> Vec<(&'static str, String)> {
    match &job.state {
        JobState::Queued => Vec::new(),
        JobState::Running {
            started_at, device, ..
        } => {
            vec![("device", format!("{device}, {}", ago(*started_at, now)))]
        }
        JobState::Done {
            started_at,
            finished_at,
            ..
        } => {
            let took = span(finished_at.secs_since(*started_at));
            vec![("done", format!("{}, in {took}", ago(*finished_at, now)))]
        }
        JobState::Failed {
            finished_at,
            failure,
        }
        | JobState::Expired {
            finished_at,
            failure,
        } => {
            vec![
                ("failed", ago(*finished_at, now)),
                ("failure", format!("{} [{}]", failure.message, failure.code)),
                ("hint", failure.hint.clone().unwrap_or_default()),
            ]
        }
        JobState::Cancelled { finished_at, .. } => vec![("cancelled", ago(*finished_at, now))],
    }
}
