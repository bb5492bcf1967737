//! The night as one HTML page: no script, nothing beside it, light and dark, wide and narrow.
//!
//! Whatever a job brings (names, prompts, paths, messages) is text: `maud` escapes it.

use std::{collections::BTreeMap, path::Path};

use framepack_ipc::{estimate::Moment, queue::QueueEntry, text::span};
use framepack_jobs::{Failure, Job, JobId, JobState, RenderOutput};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Finished, Night, Strip, Totals};
use crate::terminal::{size, time};

const STYLE: &str = include_str!("page.css");

/// What the page shows.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    pub(crate) night: &'a Night,
    pub(crate) strips: &'a BTreeMap<JobId, Strip>,
    pub(crate) prompts: Prompts,
}

/// Whether prompts are in the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prompts {
    Shown,
    Hidden,
}

/// The page's text.
pub(crate) fn page(page: &Page) -> String {
    let night = page.night;
    let totals = night.totals();
    let title = format!("{} done, {} failed", totals.done, totals.failed);
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { "framepackd: " (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (title) }
                    p.faint { (time::minute(night.since)) " to " (time::minute(night.until)) }
                    (figures(&totals))
                }
                main {
                    @if !night.failed.is_empty() { (failures(&night.failed)) }
                    @if !night.done.is_empty() { (videos(page)) }
                    @if !night.cancelled.is_empty() { (cancelled(&night.cancelled)) }
                    @if !night.queue.jobs.is_empty() { (queue(night)) }
                    @if night.is_empty() { p { "No job has ended since then, and none is queued." } }
                }
            }
        }
    };
    markup.into_string()
}

fn figures(totals: &Totals) -> Markup {
    html! {
        ul.figures {
            li.done { strong { (totals.done) } "done" }
            @if totals.failed > 0 { li.failed { strong { (totals.failed) } "failed" } }
            @if totals.cancelled > 0 { li { strong { (totals.cancelled) } "cancelled" } }
            li { strong { (totals.running) } "running" }
            li { strong { (totals.waiting) } "waiting" }
            @if totals.done > 0 {
                li { strong { (span(totals.video_secs)) } "of video" }
                li { strong { (span(totals.rendering_secs)) } "of rendering" }
            }
            @if let Some(joules) = totals.energy_joules {
                li { strong { (size::energy(joules)) } "of energy" }
            }
        }
    }
}

fn failures(jobs: &[Job]) -> Markup {
    html! {
        section {
            h2 { "Failed" }
            div.failures { @for job in jobs { (failed(job)) } }
        }
    }
}

fn failed(job: &Job) -> Markup {
    html! {
        article {
            h3 { "Job " (job.id) ": " (job.name) }
            @if let Some(failure) = failure(job) {
                p { (failure.message) " " code { (failure.code.to_string()) } }
                @if let Some(hint) = &failure.hint { p.todo { (hint) } }
            }
            p.faint {
                @if let Some(at) = job.state.finished_at() { (time::minute(at)) ", " }
                (attempts(job.runs.attempts)) ". Again: " code { "framepackctl retry " (job.id) }
            }
        }
    }
}

fn failure(job: &Job) -> Option<&Failure> {
    match &job.state {
        JobState::Failed { failure, .. } | JobState::Expired { failure, .. } => Some(failure),
        _ => None,
    }
}

fn attempts(attempts: u32) -> String {
    match attempts {
        0 => "never begun".to_owned(),
        1 => "1 attempt".to_owned(),
        more => format!("{more} attempts"),
    }
}

fn videos(page: &Page) -> Markup {
    html! {
        section {
            h2 { "Done" }
            div.videos { @for job in page.night.finished() { (video(job, page)) } }
        }
    }
}

fn video(finished: Finished, page: &Page) -> Markup {
    let Finished {
        job,
        output,
        rendering_secs,
    } = finished;
    let plan = &output.plan;
    html! {
        article {
            @match page.strips.get(&job.id) {
                Some(strip) => (playing(strip, &job.name)),
                None => div.blank { "no preview" },
            }
            div {
                h3 { a href=(address(&output.video)) { (job.name) } }
                p.faint {
                    "Job " (job.id) ", " (format!("{:.1} s", plan.secs)) ", " (plan.width_px) "x" (plan.height_px)
                    ", " (size::bytes(output.video_bytes)) ". Took " (span(rendering_secs))
                    @if let Some(joules) = job.runs.energy_joules { ", " (size::energy(joules)) }
                    ". Seed " (job.seed) "."
                }
                @if page.prompts == Prompts::Shown { p.prompt tabindex="0" { (job.spec.prompt) } }
                @for warning in &output.warnings { p.faint { "Warning: " (warning) } }
            }
        }
    }
}

fn playing(strip: &Strip, name: &str) -> Markup {
    let Strip {
        width_px,
        height_px,
        frames,
        url,
    } = strip;
    let style =
        format!("--frames:{frames};--ratio:{width_px}/{height_px};background-image:url({url})");
    html! {
        div.frame {
            div.strip tabindex="0" role="img" aria-label={ "Frames of " (name) } style=(style) {}
        }
    }
}

/// A file's address for a browser.
fn address(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    let written = bytes.map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
            char::from(*byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    });
    format!("file://{}", written.collect::<Vec<_>>().concat())
}

fn cancelled(jobs: &[Job]) -> Markup {
    html! {
        section {
            h2 { "Cancelled" }
            div.scroll { table {
                thead { tr { th { "Job" } th { "Name" } th { "When" } th { "Video" } } }
                tbody { @for job in jobs { tr {
                    td.number { (job.id) }
                    td { (job.name) }
                    td { @if let Some(at) = job.state.finished_at() { (time::minute(at)) } }
                    td { @if let Some(output) = job.state.result() { (partial(output)) } }
                } } }
            } }
        }
    }
}

/// The video of the sections that a cancelled job had.
fn partial(output: &RenderOutput) -> Markup {
    html! {
        a href=(address(&output.video)) { "its finished sections" }
        @if let Some(partial) = &output.partial { ": " (partial) }
    }
}

fn queue(night: &Night) -> Markup {
    html! {
        section {
            h2 { "Running and waiting" }
            @if let Some(reason) = &night.queue.paused { p { "No job starts: " (reason) } }
            div.scroll { table {
                thead { tr { th { "Job" } th { "Name" } th { "State" } th { "Ends" } th { "Why" } } }
                tbody { @for entry in &night.queue.jobs { (queued(entry)) } }
            } }
        }
    }
}

fn queued(entry: &QueueEntry) -> Markup {
    html! {
        tr {
            td.number { (entry.id) }
            td { (entry.name) }
            td { (entry.standing.as_str()) }
            td { @if let Some(expected) = entry.ends.as_ref().and_then(Moment::expected) { (time::minute(expected.at)) } }
            td { (time::with_moments(&entry.reason, time::minute)) }
        }
    }
}
