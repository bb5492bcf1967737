//! The night as text: what went wrong first, and what to do about it.

use framepack_ipc::text::span;
use framepack_jobs::{Job, JobState};

use super::{Finished, Night, Totals};
use crate::terminal::{cut::escaped, size, time};

/// The report, line by line.
pub(crate) fn lines(night: &Night) -> Vec<String> {
    let mut lines = head(&night.totals());
    section(&mut lines, "Failed", night.failed.iter().map(failed));
    section(&mut lines, "Done", night.finished().map(done));
    section(
        &mut lines,
        "Cancelled",
        night.cancelled.iter().map(cancelled),
    );
    let queue = night.queue.jobs.iter();
    let queued = queue.map(|entry| {
        let what = format!("  {} {}: {}", entry.id, entry.name, entry.standing.as_str());
        vec![match entry.reason.as_str() {
            "" => what,
            reason => format!("{what}, {}", time::with_moments(reason, time::minute)),
        }]
    });
    section(&mut lines, "Running and waiting", queued);
    lines.iter().map(|line| escaped(line)).collect()
}

fn head(totals: &Totals) -> Vec<String> {
    let Totals {
        since,
        until,
        done,
        failed,
        cancelled,
        running,
        waiting,
        ..
    } = totals;
    let mut lines = vec![
        format!("{} to {}", time::minute(*since), time::minute(*until)),
        format!(
            "{done} done, {failed} failed, {cancelled} cancelled; {running} running, {waiting} waiting"
        ),
    ];
    if *done > 0 {
        let energy = totals.energy_joules;
        let energy = energy.map(|joules| format!(", {}", size::energy(joules)));
        lines.push(format!(
            "{} of video in {} of rendering{}",
            span(totals.video_secs),
            span(totals.rendering_secs),
            energy.unwrap_or_default()
        ));
    }
    lines
}

fn section(lines: &mut Vec<String>, title: &str, entries: impl Iterator<Item = Vec<String>>) {
    let entries: Vec<String> = entries.flatten().collect();
    if !entries.is_empty() {
        lines.push(String::new());
        lines.push(title.to_owned());
        lines.extend(entries);
    }
}

fn failed(job: &Job) -> Vec<String> {
    let (JobState::Failed { failure, .. } | JobState::Expired { failure, .. }) = &job.state else {
        return Vec::new();
    };
    let why = failure.code.behind(&failure.message);
    let what = format!("  {} {}: {why}", job.id, job.name);
    let hint = failure.hint.iter().map(|hint| format!("      {hint}"));
    std::iter::once(what).chain(hint).collect()
}

fn done(finished: Finished) -> Vec<String> {
    let Finished {
        job,
        output,
        rendering_secs,
    } = finished;
    vec![format!(
        "  {} {}: {:.1} s in {}, {}",
        job.id,
        job.name,
        output.plan.secs,
        span(rendering_secs),
        output.video.display()
    )]
}

fn cancelled(job: &Job) -> Vec<String> {
    let result = job.state.result();
    let video = result.map(|output| format!(": {}", output.video.display()));
    vec![format!(
        "  {} {}{}",
        job.id,
        job.name,
        video.unwrap_or_default()
    )]
}
