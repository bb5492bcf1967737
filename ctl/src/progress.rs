//! Jobs under way, on standard error: a bar each on a terminal, a line for each new phase elsewhere.

use std::{
    collections::HashMap,
    io::{self, IsTerminal},
    time::Instant,
};

use framepack_ipc::{
    pace::Pace,
    text::{harmless, span},
};
use framepack_jobs::{Job, JobId, JobState, Phase, Progress};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{output::remark, rows::describe, terminal::cut::escaped};

/// Shows jobs as they change.
#[derive(Debug)]
pub(crate) struct ProgressView {
    on_terminal: bool,
    bars: MultiProgress,
    running: HashMap<JobId, Shown>,
}

/// What is shown of one job.
#[derive(Debug)]
struct Shown {
    bar: ProgressBar,
    /// Phase and section of the last line.
    last: Option<(Phase, u32)>,
    pace: Pace,
}

impl ProgressView {
    pub(crate) fn new() -> Self {
        Self {
            on_terminal: io::stderr().is_terminal(),
            bars: MultiProgress::new(),
            running: HashMap::new(),
        }
    }

    /// Shows where `job` is now; a job that does not run any more disappears.
    pub(crate) fn show(&mut self, job: &Job) {
        let JobState::Running {
            progress, paused, ..
        } = &job.state
        else {
            if let Some(shown) = self.running.remove(&job.id) {
                shown.bar.finish_and_clear();
            }
            return;
        };
        let now = Instant::now();
        let shown = self.running.entry(job.id).or_insert_with(|| Shown {
            bar: self.bars.add(bar(job)),
            last: None,
            pace: Pace::begin(now),
        });
        if *paused {
            shown.pace.pause(now);
        } else {
            shown.pace.resume(now);
        }
        let Some(progress) = progress else {
            return;
        };
        shown.pace.note(progress, now);
        if self.on_terminal {
            shown.bar.set_length(total_steps(progress));
            shown.bar.set_message(match pace(&shown.pace, progress) {
                Some(pace) => format!("{}, {pace}", describe(progress)),
                None => describe(progress),
            });
            shown.bar.set_position(finished_steps(progress));
        } else if shown.last.replace((progress.phase, progress.section))
            != Some((progress.phase, progress.section))
        {
            remark(&format!("job {}: {}", job.id, describe(progress)));
        }
    }
}

impl ProgressView {
    /// Prints a line, above the bars.
    pub(crate) fn say(&self, line: &str) {
        if self.on_terminal {
            // A terminal that is gone shows nothing.
            let _ = self.bars.println(harmless(line));
        } else {
            remark(line);
        }
    }

    /// Draws no bar until [`ProgressView::unhide`], so that a user can be asked something.
    pub(crate) fn hide(&self) {
        let _ = self.bars.clear();
        self.bars.set_draw_target(ProgressDrawTarget::hidden());
    }

    /// Draws the bars again.
    pub(crate) fn unhide(&self) {
        self.bars.set_draw_target(ProgressDrawTarget::stderr());
    }
}

fn bar(job: &Job) -> ProgressBar {
    // `MultiProgress` draws on standard error, and only if it is a terminal.
    let style = ProgressStyle::with_template("{prefix} {wide_bar} {percent:>3}% {elapsed} {msg}")
        .expect("the template is a constant with known keys");
    ProgressBar::new(1)
        .with_style(style)
        .with_prefix(format!("{} {}", job.id, escaped(&job.name)))
        .with_message("starting")
}

/// How much of its steps a job has finished, from 0 to 1.
pub(crate) fn share(progress: &Progress) -> f64 {
    finished_steps(progress) as f64 / total_steps(progress) as f64
}

/// `68 %` of a job's steps: 100 only once all are done.
pub(crate) fn percent(progress: &Progress) -> String {
    format!("{:.0} %", (share(progress) * 100.0).floor())
}

/// `1.41 s/step, 3 min 5 s left`, once two steps were seen.
fn pace(pace: &Pace, progress: &Progress) -> Option<String> {
    let secs = pace.secs_per_step()?;
    let left = span(pace.left(progress)?.as_secs_f64());
    Some(format!("{secs:.2} s/step, {left} left"))
}

fn total_steps(progress: &Progress) -> u64 {
    (u64::from(progress.sections) * u64::from(progress.steps)).max(1)
}

/// Steps of all sections; those of a finished section count in full.
fn finished_steps(progress: &Progress) -> u64 {
    let steps = u64::from(progress.steps);
    match progress.phase {
        Phase::Load | Phase::Text | Phase::Image => 0,
        Phase::Sample => u64::from(progress.section) * steps + u64::from(progress.step),
        Phase::Decode => u64::from(progress.section + 1) * steps,
        _ => total_steps(progress),
    }
}

#[cfg(test)]
mod tests {
    use framepack_jobs::StepTimeline;

    use super::*;

    #[test]
    fn steps_add_up_over_sections() {
        let at = |phase, section, step| {
            finished_steps(&Progress {
                phase,
                section,
                sections: 4,
                step,
                steps: 25,
                timeline: StepTimeline::default(),
            })
        };
        assert_eq!(at(Phase::Image, 0, 0), 0);
        assert_eq!(at(Phase::Sample, 0, 1), 1);
        assert_eq!(at(Phase::Decode, 0, 25), 25);
        assert_eq!(at(Phase::Sample, 3, 18), 93);
        assert_eq!(at(Phase::Encode, 4, 0), 100);
    }
}
