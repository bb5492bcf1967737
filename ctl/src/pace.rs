//! How fast a job is, and how long it will still take, by when its steps came.

use std::time::{Duration, Instant};

use framepack_jobs::{Phase, Progress};

/// Weight of the newest step in the mean.
const NEWEST: f64 = 0.2;

/// A job's steps so far.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// The last step and when it was seen.
    last: Option<(Progress, Instant)>,
    secs_per_step: Option<f64>,
    /// Since when a section is decoded.
    decoding_since: Option<Instant>,
    /// What the last one took, from its last step to the next section.
    decode_secs: f64,
}

impl Pace {
    /// The job is here now.
    pub(crate) fn note(&mut self, progress: &Progress, now: Instant) {
        if progress.phase == Phase::Decode {
            self.decoding_since.get_or_insert(now);
        } else if let Some(since) = self.decoding_since.take() {
            self.decode_secs = now.duration_since(since).as_secs_f64();
        }
        if progress.phase != Phase::Sample {
            self.last = None;
            return;
        }
        if let Some((before, at)) = &self.last {
            let steps = progress.step.saturating_sub(before.step);
            if before.section != progress.section {
                self.last = None;
            } else if steps > 0 {
                let secs = now.duration_since(*at).as_secs_f64() / f64::from(steps);
                let mean = self.secs_per_step.unwrap_or(secs);
                self.secs_per_step = Some(mean + NEWEST * (secs - mean));
            } else {
                return;
            }
        }
        self.last = Some((*progress, now));
    }

    /// `1.41 s/step, 3 min left`, once two steps were seen.
    pub(crate) fn describe(&self, progress: &Progress) -> Option<String> {
        let secs = self.secs_per_step?;
        let left = self.left(progress)?;
        Some(format!("{secs:.2} s/step, {} left", rough(left)))
    }

    /// How long the job's steps and sections will still take.
    fn left(&self, progress: &Progress) -> Option<Duration> {
        let secs_per_step = self.secs_per_step?;
        let in_section = match progress.phase {
            Phase::Sample => progress.steps.saturating_sub(progress.step),
            Phase::Decode => 0,
            _ => return None,
        };
        let sections = progress.sections.saturating_sub(progress.section + 1);
        let steps = f64::from(in_section) + f64::from(sections) * f64::from(progress.steps);
        let decodes = f64::from(sections + 1) * self.decode_secs;
        Duration::try_from_secs_f64(steps * secs_per_step + decodes).ok()
    }
}

/// A duration as people say it: `40 s`, `3 min`, `2 h 5 min`.
fn rough(time: Duration) -> String {
    let secs = time.as_secs();
    match secs {
        0..90 => format!("{secs} s"),
        90..5400 => format!("{} min", (secs + 30) / 60),
        _ => format!("{} h {} min", secs / 3600, secs % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use framepack_jobs::StepTimeline;

    use super::*;

    fn at(phase: Phase, section: u32, step: u32) -> Progress {
        Progress {
            phase,
            section,
            sections: 2,
            step,
            steps: 10,
            timeline: StepTimeline::default(),
        }
    }

    #[test]
    fn steps_tell_their_pace_and_sections_what_is_left() {
        let start = Instant::now();
        let mut pace = Pace::default();
        let mut note = |phase, section, step, secs| {
            let progress = at(phase, section, step);
            pace.note(&progress, start + Duration::from_secs(secs));
            pace.describe(&progress)
        };
        assert_eq!(note(Phase::Text, 0, 0, 0), None);
        assert_eq!(note(Phase::Sample, 0, 1, 10), None);
        let told = note(Phase::Sample, 0, 3, 14);
        assert_eq!(told.as_deref(), Some("2.00 s/step, 34 s left"));
        // Seen once more, it is no step.
        let told = note(Phase::Sample, 0, 3, 90);
        assert_eq!(told.as_deref(), Some("2.00 s/step, 34 s left"));
        note(Phase::Sample, 0, 10, 28);
        note(Phase::Decode, 0, 10, 28);
        // What the first decoding took is expected of the second.
        let told = note(Phase::Sample, 1, 0, 33);
        assert_eq!(told.as_deref(), Some("2.00 s/step, 25 s left"));
        assert_eq!(note(Phase::Encode, 2, 0, 60), None);
    }

    #[test]
    fn durations_are_said_roughly() {
        for (secs, said) in [
            (0, "0 s"),
            (89, "89 s"),
            (100, "2 min"),
            (7500, "2 h 5 min"),
        ] {
            assert_eq!(rough(Duration::from_secs(secs)), said);
        }
    }
}
