//! Everything about one job, as `show` prints it.

use framepack_jobs::{AtEnd, Job, JobState, RenderOutput, Timestamp, settings::Origin};

use super::{
    course::{Facts, course},
    progress::progress,
    rendering::{attention, decoding, idle},
    video::video,
};
use crate::{
    memory,
    progress::{percent, share},
    shown_state::ShownState,
    step_cache,
    terminal::{
        Terminal,
        bar::Bar,
        style::Style,
        table::{Cell, labelled},
        wording::Wording,
    },
    waiting::Waiting,
};

/// How wide the bar of a running job is.
const BAR_COLUMNS: usize = 30;
/// Room for a label.
const LABEL_WIDTH: usize = 10;

/// Everything about one job, a line for each thing.
pub(crate) fn details(job: &Job, waiting: &Waiting) -> Vec<String> {
    let state = ("state", ShownState::of(job).as_str().to_owned());
    let mut facts = vec![
        ("job", job.id.to_string()),
        ("name", job.name.clone()),
        state,
    ];
    facts.extend(facts_of(job, waiting, Wording::Exact));
    // A line that continues a value stands below it.
    let indented = format!("\n{}", " ".repeat(LABEL_WIDTH + 1));
    facts
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(label, value)| format!("{label:<LABEL_WIDTH$} {}", value.replace('\n', &indented)))
        .collect()
}

/// The same for people, below number and state.
pub(crate) fn details_for_people(
    job: &Job,
    waiting: &Waiting,
    terminal: &Terminal,
    now: Timestamp,
) -> Vec<String> {
    let state = ShownState::of(job);
    let word = terminal.paint(state.style(), state.as_str());
    let symbol = terminal.symbols.text(state.symbol());
    let symbol = terminal.paint(state.style(), symbol);
    let mut lines = vec![format!("{symbol} job {}: {word}", job.id)];
    let mut facts = vec![("name", job.name.clone())];
    facts.extend(facts_of(job, waiting, Wording::Human { now }));
    facts.insert(1, ("done", done(job, terminal)));
    let facts = facts.into_iter().filter(|(_, value)| !value.is_empty());
    let styled = facts.map(|(label, value)| (label, Cell::new(value, style_of(label))));
    lines.extend(labelled(&styled.collect::<Vec<_>>(), terminal));
    lines
}

/// A running job's steps as a bar, and in percent.
fn done(job: &Job, terminal: &Terminal) -> String {
    let JobState::Running {
        progress: Some(progress),
        ..
    } = &job.state
    else {
        return String::new();
    };
    let bar = Bar::new(share(progress), BAR_COLUMNS, terminal.symbols);
    format!("{bar} {}", percent(progress))
}

fn style_of(label: &str) -> Style {
    match label {
        "name" => Style::Strong,
        "failure" | "last error" => Style::Bad,
        "hint" => Style::Hint,
        "warning" => Style::Warning,
        "waits" => Style::Waiting,
        _ => Style::Plain,
    }
}

/// All but number, name and state.
fn facts_of(job: &Job, waiting: &Waiting, wording: Wording) -> Facts {
    let mut lines = vec![
        ("progress", progress(job, wording)),
        (
            "waits",
            wording.sentence(waiting.reason(job).unwrap_or_default()),
        ),
        ("submitted", wording.time(job.submitted_at)),
    ];
    lines.extend(rendered(job, wording));
    lines.extend(scheduled(job, wording));
    lines.extend([
        ("attempts", job.runs.attempts.to_string()),
        ("energy", energy(job).unwrap_or_default()),
        ("image", job.image.display().to_string()),
        ("prompt", job.spec.prompt.clone()),
        ("settings", settings(job)),
        ("seed", job.seed.to_string()),
        ("video", video(job, wording)),
        ("key", job.key.clone()),
    ]);
    lines.extend(warnings(job));
    lines
}

/// What its state has with it.
fn rendered(job: &Job, wording: Wording) -> Facts {
    let mut lines = course(job, wording);
    match &job.state {
        JobState::Done { result, .. } => lines.extend(result_of(result, wording)),
        JobState::Cancelled {
            result: Some(result),
            ..
        } => lines.extend(partial(result, wording)),
        _ => {}
    }
    lines
}

/// How a finished video was made, and what it is.
fn result_of(result: &RenderOutput, wording: Wording) -> Facts {
    let steps = result.step_cache.as_ref().map(step_cache::lines);
    let first_step = result.time_to_first_step_secs;
    let first_step = first_step.map(|secs| format!("after {}", wording.span(secs)));
    vec![
        ("device", format!("{} ({})", result.device, result.dtype)),
        ("attention", attention(result).unwrap_or_default()),
        ("steps", steps.unwrap_or_default().join("\n")),
        ("result", shape(result, wording)),
        ("idle", result.device_idle.map(idle).unwrap_or_default()),
        ("first step", first_step.unwrap_or_default()),
        ("memory", memory::peaks(result).unwrap_or_default()),
        ("vae", decoding(result).join("\n")),
    ]
}

/// What there is of a video that was not finished.
fn partial(result: &RenderOutput, wording: Wording) -> Facts {
    let partial = result.partial.as_ref();
    vec![
        (
            "partial",
            partial.map(ToString::to_string).unwrap_or_default(),
        ),
        ("result", shape(result, wording)),
    ]
}

fn shape(result: &RenderOutput, wording: Wording) -> String {
    let plan = &result.plan;
    format!(
        "{}x{}, {} frames, {:.2} s, {}",
        plan.width_px,
        plan.height_px,
        plan.frames,
        plan.secs,
        wording.bytes(result.video_bytes)
    )
}

/// What was foreseen, and what was seen: that is in the report once more.
fn warnings(job: &Job) -> Facts {
    let result = job.state.result();
    let seen = result.map_or(&[] as &[_], |result| result.warnings.as_slice());
    let mut said: Vec<&String> = Vec::new();
    for warning in job.warnings.iter().chain(seen) {
        if !said.contains(&warning) {
            said.push(warning);
        }
    }
    let said = said.into_iter();
    said.map(|warning| ("warning", warning.clone())).collect()
}

/// What others than the job's own file and the bundle set for the job's last run; before it, what the farm had set.
fn settings(job: &Job) -> String {
    let mut lines: Vec<String> = Vec::new();
    for setting in &job.runs.settings {
        if !matches!(setting.origin, Origin::Job | Origin::Bundle) {
            lines.push(setting.with_origin());
        }
    }
    if job.runs.settings.is_empty() {
        let set = job.farm_defaults.iter();
        lines.extend(set.map(|(key, value)| match job.origins.get(key) {
            Some(origin) => format!("{key}: {value}  # {origin}"),
            None => format!("{key}: {value}"),
        }));
    }
    lines.join("\n")
}

/// When the job may run, where its file or a failure says something of that.
fn scheduled(job: &Job, wording: Wording) -> Facts {
    let schedule = &job.schedule;
    let text = |time: Option<Timestamp>| time.map(|time| wording.time(time)).unwrap_or_default();
    let next = |time: Option<Timestamp>| time.map(|time| wording.next(time)).unwrap_or_default();
    let after: Vec<String> = schedule.after.iter().map(ToString::to_string).collect();
    let window = schedule.window.map(|window| match window.at_end() {
        AtEnd::Finish => window.to_string(),
        at_end => format!("{window}, at its end: {}", at_end.as_str()),
    });
    let priority = Some(schedule.priority).filter(|priority| *priority != 0);
    let failure = job.runs.last_failure.as_ref();
    vec![
        (
            "priority",
            priority
                .map(|priority| priority.to_string())
                .unwrap_or_default(),
        ),
        ("group", schedule.group.clone().unwrap_or_default()),
        ("after", after.join(", ")),
        ("not before", text(schedule.not_before)),
        ("deadline", text(schedule.deadline)),
        ("window", window.unwrap_or_default()),
        ("suspended until", next(job.runs.suspended_until)),
        ("retry at", next(job.runs.retry_at)),
        (
            "last error",
            failure
                .map(|failure| failure.code.behind(&failure.message))
                .unwrap_or_default(),
        ),
    ]
}

/// What a job took of energy, where its device tells.
fn energy(job: &Job) -> Option<String> {
    let joules = job.runs.energy_joules?;
    Some(format!("{joules:.0} J ({:.2} Wh)", joules / 3600.0))
}
