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
    farm::time_left,
    output::{Format, Output, print_as_is},
    progress::percent,
    rows::{course, describe, finished_sections, video},
    shown_state::ShownState,
    terminal::{
        Terminal,
        cut::escaped,
        style::Style,
        symbol::Symbol,
        table::{Cell, labelled},
        time::ago,
        wording::Wording,
    },
    waiting::Waiting,
};

/// Log lines of a job.
const LOG_LINES: usize = 10;

/// A job with its figures and its last log lines.
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
            let shown = told
                .iter()
                .map(|told| told.lines(&waiting, output.wording(), terminal).join("\n"));
            print_as_is(&[shown.collect::<Vec<_>>().join("\n\n")])
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

    fn lines(&self, waiting: &Waiting, wording: Wording, terminal: &Terminal) -> Vec<String> {
        let now = Timestamp::now();
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
        facts.extend(course(job, Wording::Human { now }));
        facts.extend([
            (
                "waits",
                wording.sentence(waiting.reason(job).unwrap_or_default()),
            ),
            ("submitted", ago(job.submitted_at, now)),
            ("video", video(job, wording)),
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
                    .map(|line| terminal.paint(Style::Dim, &escaped(&in_words(line)))),
            );
        }
        lines
    }

    fn progress(&self) -> String {
        let JobState::Running { progress, .. } = &self.job.state else {
            return finished_sections(&self.job);
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
