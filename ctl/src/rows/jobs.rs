//! Jobs, one a row.

use framepack_ipc::text::span;
use framepack_jobs::{Job, JobState, RenderOutput, Timestamp};

use super::progress::progress;
use crate::{
    output,
    shown_state::ShownState,
    terminal::{
        Terminal,
        style::Style,
        table::{Cell, Column, Table},
        time,
        wording::Wording,
    },
    waiting::Waiting,
};

const COLUMNS: [Column; 7] = [
    Column::number("ID"),
    Column::text("STATE"),
    Column::text("NAME").cut_to(12),
    Column::text("GROUP").cut_to(6).rank(4),
    Column::number("TOOK").rank(2),
    Column::text("CHANGED").rank(3),
    Column::text("RESULT").cut_to(22).rank(1),
];

/// Number, state, progress, name, submission, and the video or why there is none.
pub(crate) fn of_jobs(jobs: &[Job], waiting: &Waiting) -> output::Table<6> {
    let row = |job: &Job| {
        [
            job.id.to_string(),
            ShownState::of(job).as_str().to_owned(),
            progress(job, Wording::Exact),
            job.name.clone(),
            job.submitted_at.to_string(),
            waiting
                .reason(job)
                .map_or_else(|| result(job), str::to_owned),
        ]
    };
    output::Table {
        header: ["ID", "STATE", "PROGRESS", "NAME", "SUBMITTED", "RESULT"],
        rows: jobs.iter().map(row).collect(),
    }
}

/// The same for people.
pub(crate) fn table_of_jobs(
    jobs: &[Job],
    waiting: &Waiting,
    terminal: &Terminal,
    now: Timestamp,
) -> Table {
    let mut table = Table::new(COLUMNS);
    for job in jobs {
        let state = ShownState::of(job);
        let took = took_secs(job, now).map(span).unwrap_or_default();
        table.push([
            job.id.to_string().into(),
            Cell::new(state.with_symbol(terminal), state.style()),
            Cell::new(&job.name, Style::Strong),
            job.schedule.group.clone().unwrap_or_default().into(),
            took.into(),
            Cell::new(time::ago(job.changed_at(), now), Style::Dim),
            outcome(job, waiting, now),
        ]);
    }
    table
}

/// The video, why there is none, how far it is, or what it waits for.
fn outcome(job: &Job, waiting: &Waiting, now: Timestamp) -> Cell {
    match &job.state {
        JobState::Failed { .. } | JobState::Expired { .. } => Cell::new(result(job), Style::Bad),
        JobState::Done { .. } | JobState::Cancelled { .. } => result(job).into(),
        _ => match waiting.reason(job) {
            Some(reason) => Cell::new(Wording::Human { now }.sentence(reason), Style::Waiting),
            None => progress(job, Wording::Human { now }).into(),
        },
    }
}

/// How long the job was rendered, or is by now.
pub(super) fn took_secs(job: &Job, now: Timestamp) -> Option<f64> {
    match &job.state {
        JobState::Running { started_at, .. } => Some(now.secs_since(*started_at)),
        JobState::Done {
            started_at,
            finished_at,
            ..
        } => Some(finished_at.secs_since(*started_at)),
        _ => None,
    }
}

/// The video, or why there is none.
fn result(job: &Job) -> String {
    match &job.state {
        JobState::Done { result, .. }
        | JobState::Cancelled {
            result: Some(result),
            ..
        } => video(result),
        JobState::Failed { failure, .. } | JobState::Expired { failure, .. } => {
            failure.code.behind(&failure.message)
        }
        _ => String::new(),
    }
}

/// A video's file, and which part of the whole it is where it is one.
pub(super) fn video(result: &RenderOutput) -> String {
    let video = result.video.display();
    match &result.partial {
        Some(partial) => format!("{video} ({partial})"),
        None => video.to_string(),
    }
}
