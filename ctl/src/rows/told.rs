//! What has become of a job in a sentence, as commands answer people that submit, change or wait for it.

use framepack_ipc::text::span;
use framepack_jobs::{Failure, Job, JobState, Timestamp};

use super::{
    jobs::{took_secs, video},
    progress::progress,
};
use crate::{
    shown_state::ShownState,
    terminal::{Terminal, cut::escaped, style::Style, time, wording::Wording},
};

/// `✔ job 7 (cat) is done, in 4 min 10 s: /out/cat.mp4`; what to do next where that is plain.
pub(crate) fn told(job: &Job, terminal: &Terminal, now: Timestamp) -> Vec<String> {
    let mut lines = vec![format!(
        "{} {}",
        named(job, terminal),
        became(job, terminal, now)
    )];
    if let JobState::Failed { failure, .. } = &job.state
        && let Some(hint) = &failure.hint
    {
        let label = terminal.paint(Style::Hint, "hint:");
        lines.push(format!("  {label} {}", escaped(hint)));
    }
    lines
}

/// The sentence behind the job's name.
fn became(job: &Job, terminal: &Terminal, now: Timestamp) -> String {
    let state = ShownState::of(job);
    let word = terminal.paint(state.style(), state.as_str());
    let advised = |advice: &str, command: &str| {
        let id = job.id;
        format!("is {word}; {advice} with `framepackctl {command} {id}`")
    };
    match (state, &job.state) {
        (ShownState::Queued, _) => advised("see it", "show"),
        (ShownState::Held, _) => advised("release it", "release"),
        (ShownState::Paused, _) => advised("resume it", "resume"),
        (ShownState::Suspended, _) => match job.runs.suspended_until {
            Some(until) => format!("is {word}; it goes on {}", time::until(until, now)),
            None => format!("is {word}"),
        },
        (ShownState::Cancelling, _) => format!("is {word}: its finished sections become a video"),
        (ShownState::Running, _) => {
            format!("is {word}: {}", progress(job, Wording::Human { now }))
        }
        (_, JobState::Done { result, .. }) => {
            let took = took_secs(job, now).map(span).unwrap_or_default();
            let had = match job.done_all_the_same() {
                Some(_) => "had all its sections; it ",
                None => "",
            };
            format!("{had}is {word}, in {took}: {}", escaped(&video(result)))
        }
        (
            _,
            JobState::Cancelled {
                result: Some(result),
                ..
            },
        ) => format!("is {word}, with a video: {}", escaped(&video(result))),
        (_, JobState::Failed { failure, .. } | JobState::Expired { failure, .. }) => {
            format!("has {word}: {}", reason(failure, terminal))
        }
        _ => format!("is {word}"),
    }
}

/// `✔ job 7 (cat)`
pub(crate) fn named(job: &Job, terminal: &Terminal) -> String {
    let state = ShownState::of(job);
    let symbol = terminal.symbols.text(state.symbol());
    let name = terminal.cut(&job.name, terminal.width / 2);
    format!(
        "{} job {} ({})",
        terminal.paint(state.style(), symbol),
        job.id,
        terminal.paint(Style::Strong, &name)
    )
}

fn reason(failure: &Failure, terminal: &Terminal) -> String {
    let code = terminal.paint(Style::Dim, &format!("[{}]", failure.code));
    format!("{} {code}", escaped(&failure.message))
}
