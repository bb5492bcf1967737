//! How fast a job is, and how long it will still take, by when its steps came: for those who see its progress.

use std::time::{Duration, Instant};

use framepack_jobs::{Phase, Progress};

/// Weight of the newest step in the mean.
const NEWEST: f64 = 0.2;

/// A job's steps so far.
#[derive(Debug, Default)]
pub struct Pace {
    /// The last step and when it was seen.
    last: Option<(Progress, Instant)>,
    secs_per_step: Option<f64>,
    /// Since when a section is decoded.
    decoding_since: Option<Instant>,
    /// What the last one took, from its last step to the next section.
    decode_secs: Option<f64>,
    /// Since when the video is written.
    writing_since: Option<Instant>,
}

impl Pace {
    /// The job is here now.
    pub fn note(&mut self, progress: &Progress, now: Instant) {
        if progress.phase == Phase::Decode {
            self.decoding_since.get_or_insert(now);
        } else if let Some(since) = self.decoding_since.take() {
            self.decode_secs = Some(now.duration_since(since).as_secs_f64());
        }
        if matches!(progress.phase, Phase::Encode | Phase::Verify) {
            self.writing_since.get_or_insert(now);
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

    /// Time has passed in which the job stood still.
    pub fn stood_still(&mut self) {
        self.last = None;
        self.decoding_since = None;
    }

    /// Seconds that a step takes, once two steps of a section were seen.
    pub fn secs_per_step(&self) -> Option<f64> {
        self.secs_per_step
    }

    /// Seconds that decoding a section takes, once one was seen.
    pub fn decode_secs(&self) -> Option<f64> {
        self.decode_secs
    }

    /// How long the video has been written.
    pub fn writing(&self, now: Instant) -> Option<Duration> {
        Some(now.saturating_duration_since(self.writing_since?))
    }

    /// How long the job's steps and sections will still take, as far as that was seen.
    pub fn left(&self, progress: &Progress) -> Option<Duration> {
        let secs_per_step = self.secs_per_step?;
        let (steps, sections) = steps_and_decodes(progress)?;
        let decodes = f64::from(sections) * self.decode_secs.unwrap_or(0.0);
        Duration::try_from_secs_f64(f64::from(steps) * secs_per_step + decodes).ok()
    }
}

/// Steps that are still to be made, and sections that are still to be decoded; `None` where the job makes no steps.
pub fn steps_and_decodes(progress: &Progress) -> Option<(u32, u32)> {
    let in_section = match progress.phase {
        Phase::Sample => progress.steps.saturating_sub(progress.step),
        Phase::Decode => 0,
        _ => return None,
    };
    let sections = progress.sections.saturating_sub(progress.section + 1);
    Some((in_section + sections * progress.steps, sections + 1))
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
            let left = pace.left(&progress)?.as_secs_f64();
            Some((pace.secs_per_step()?, left))
        };
        assert_eq!(note(Phase::Text, 0, 0, 0), None);
        assert_eq!(note(Phase::Sample, 0, 1, 10), None);
        let told = note(Phase::Sample, 0, 3, 14);
        assert_eq!(told, Some((2.0, 34.0)));
        // Seen once more, it is no step.
        let told = note(Phase::Sample, 0, 3, 90);
        assert_eq!(told, Some((2.0, 34.0)));
        note(Phase::Sample, 0, 10, 28);
        note(Phase::Decode, 0, 10, 28);
        // What the first decoding took is expected of the second.
        let told = note(Phase::Sample, 1, 0, 33);
        assert_eq!(told, Some((2.0, 25.0)));
        assert_eq!(note(Phase::Encode, 2, 0, 60), None);
    }
}
