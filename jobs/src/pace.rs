//! How fast a job is, and how long it will still take, by when its steps came.

use std::time::{Duration, Instant};

use crate::{Phase, Progress};

/// Weight of the newest step in the mean.
const NEWEST: f64 = 0.2;

/// A job's steps so far.
#[derive(Debug, Clone, Default)]
pub struct Pace {
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
    pub fn note(&mut self, progress: &Progress, now: Instant) {
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

    /// The job stands still: the time until its next step tells nothing.
    pub fn halt(&mut self) {
        self.last = None;
        self.decoding_since = None;
    }

    /// How long a step takes, once two were seen.
    pub fn secs_per_step(&self) -> Option<f64> {
        self.secs_per_step
    }

    /// How long the job's steps and sections will still take, as far as these tell.
    pub fn left(&self, progress: &Progress) -> Option<Duration> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StepTimeline;

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
            let left = pace.left(&progress).map(|left| left.as_secs());
            Some((pace.secs_per_step()?, left?))
        };
        assert_eq!(note(Phase::Text, 0, 0, 0), None);
        assert_eq!(note(Phase::Sample, 0, 1, 10), None);
        assert_eq!(note(Phase::Sample, 0, 3, 14), Some((2.0, 34)));
        // Seen once more, it is no step.
        assert_eq!(note(Phase::Sample, 0, 3, 90), Some((2.0, 34)));
        note(Phase::Sample, 0, 10, 28);
        note(Phase::Decode, 0, 10, 28);
        // What the first decoding took is expected of the second.
        assert_eq!(note(Phase::Sample, 1, 0, 33), Some((2.0, 25)));
        assert_eq!(note(Phase::Encode, 2, 0, 60), None);
    }

    #[test]
    fn the_time_of_a_halt_is_no_steps() {
        let start = Instant::now();
        let mut pace = Pace::default();
        let secs = |secs| start + Duration::from_secs(secs);
        pace.note(&at(Phase::Sample, 0, 1), start);
        pace.note(&at(Phase::Sample, 0, 2), secs(2));
        pace.halt();
        pace.note(&at(Phase::Sample, 0, 3), secs(600));
        assert_eq!(pace.secs_per_step(), Some(2.0));
    }
}
