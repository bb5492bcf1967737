//! How fast a job is, and how long it will still take, by when its steps came: for those who see its progress.
//!
//! Messages do not say when they were written, so that what comes at once after a silence is known to be late
//! (`recent`); what a user's pause takes is told ([`Pace::pause`]), and counts as no time.

mod recent;

use std::time::{Duration, Instant};

use framepack_jobs::{Phase, Progress};

use self::recent::RecentSteps;

/// What takes less was waiting to be seen.
const AT_ONCE: Duration = Duration::from_millis(20);

/// A job's steps so far.
#[derive(Debug)]
pub struct Pace {
    /// What of the run so far was no pause, up to `going_since`.
    went: Duration,
    /// Since when it goes on; `None`: it is paused.
    going_since: Option<Instant>,
    /// Where the job was when it was first seen: since when it was there, nobody knows.
    first: Option<Progress>,
    /// The last step and when it was seen.
    last: Option<(Progress, Instant)>,
    steps: RecentSteps,
    /// Since when a section is decoded.
    decoding_since: Option<Instant>,
    /// What the last two took, from their last step to the next section.
    decodes: [Option<Duration>; 2],
    /// How long the job had run when the writing of the video began.
    writing_from: Option<Duration>,
}

impl Pace {
    /// Of a run that begins, or is seen for the first time.
    pub fn begin(now: Instant) -> Self {
        Self {
            went: Duration::ZERO,
            going_since: Some(now),
            first: None,
            last: None,
            steps: RecentSteps::default(),
            decoding_since: None,
            decodes: [None; 2],
            writing_from: None,
        }
    }

    /// The job is here now.
    pub fn note(&mut self, progress: &Progress, now: Instant) {
        if *self.first.get_or_insert(*progress) == *progress && progress.step > 0 {
            return;
        }
        if progress.phase == Phase::Decode {
            self.decoding_since.get_or_insert(now);
        } else if let Some(since) = self.decoding_since.take() {
            let took = now.saturating_duration_since(since);
            // Neither message was looked at when it came.
            if took >= AT_ONCE {
                self.decodes = [self.decodes[1], Some(took)];
            }
        }
        if matches!(progress.phase, Phase::Encode | Phase::Verify) && self.writing_from.is_none() {
            self.writing_from = Some(self.ran(now));
        }
        if progress.phase != Phase::Sample {
            self.last = None;
            return;
        }
        if let Some((before, at)) = &self.last
            && before.section == progress.section
            && before.step <= progress.step
        {
            let steps = progress.step - before.step;
            if steps == 0 {
                return;
            }
            self.steps.note(steps, now.saturating_duration_since(*at));
        }
        self.last = Some((*progress, now));
    }

    /// A user has paused the job.
    pub fn pause(&mut self, now: Instant) {
        self.went = self.ran(now);
        self.going_since = None;
        self.last = None;
        self.decoding_since = None;
    }

    /// It goes on.
    pub fn resume(&mut self, now: Instant) {
        self.going_since.get_or_insert(now);
    }

    /// How long it has run, without its pauses and without the time in which the machine slept.
    pub fn ran(&self, now: Instant) -> Duration {
        let going = self
            .going_since
            .map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        self.went + going
    }

    /// Seconds that a step takes, once two steps of a section were seen.
    pub fn secs_per_step(&self) -> Option<f64> {
        self.steps.secs_per_step()
    }

    /// Seconds that decoding a section takes, once one was seen. Of two the shorter one: sections are alike, and somebody may
    /// have stood still.
    pub fn decode_secs(&self) -> Option<f64> {
        let shortest = self.decodes.iter().flatten().min()?;
        Some(shortest.as_secs_f64())
    }

    /// How long the video has been written.
    pub fn writing(&self, now: Instant) -> Option<Duration> {
        Some(self.ran(now).saturating_sub(self.writing_from?))
    }

    /// How long the job's steps and sections will still take, as far as that was seen.
    pub fn left(&self, progress: &Progress) -> Option<Duration> {
        let secs_per_step = self.secs_per_step()?;
        let (steps, sections) = steps_and_decodes(progress)?;
        let decodes = f64::from(sections) * self.decode_secs().unwrap_or(0.0);
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
        let mut pace = Pace::begin(start);
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

    #[test]
    fn a_step_that_was_begun_before_it_was_seen_counts_for_nothing() {
        let start = Instant::now();
        let after = |secs| start + Duration::from_secs(secs);
        let mut pace = Pace::begin(start);
        // Steps of three seconds, seen from the middle of the fifth on.
        for (step, secs) in [(4, 0), (4, 0), (5, 1), (6, 4)] {
            pace.note(&at(Phase::Sample, 0, step), after(secs));
        }
        assert_eq!(pace.secs_per_step(), Some(3.0));
    }

    #[test]
    fn what_a_pause_takes_counts_nowhere() {
        let start = Instant::now();
        let mut pace = Pace::begin(start);
        let after = |secs| start + Duration::from_secs(secs);
        pace.note(&at(Phase::Image, 0, 0), start);
        pace.note(&at(Phase::Sample, 0, 1), after(10));
        pace.note(&at(Phase::Sample, 0, 2), after(12));
        pace.pause(after(13));
        pace.pause(after(14));
        assert_eq!(pace.ran(after(900)), Duration::from_secs(13));
        pace.resume(after(1000));
        pace.resume(after(1001));
        pace.note(&at(Phase::Sample, 0, 3), after(1001));
        pace.note(&at(Phase::Sample, 0, 4), after(1003));
        assert_eq!(pace.secs_per_step(), Some(2.0));
        assert_eq!(pace.ran(after(1003)), Duration::from_secs(16));
        pace.note(&at(Phase::Encode, 2, 0), after(1004));
        pace.pause(after(1005));
        assert_eq!(pace.writing(after(2000)), Some(Duration::from_secs(1)));
    }

    #[test]
    fn a_daemon_that_stood_still_over_steps_and_a_decoding_changes_no_pace() {
        let start = Instant::now();
        let mut pace = Pace::begin(start);
        let mut secs = 0.0;
        let mut note = |pace: &mut Pace, phase, section, step, after| {
            secs += after;
            let now = start + Duration::from_secs_f64(secs);
            pace.note(&at(phase, section, step), now);
        };
        for step in 0..10 {
            note(&mut pace, Phase::Sample, 0, step, 2.0);
        }
        note(&mut pace, Phase::Decode, 0, 10, 2.0);
        note(&mut pace, Phase::Sample, 1, 0, 5.0);
        // The next eight steps, the decoding and two steps of a third section are seen together.
        for step in 1..9 {
            let waited = if step == 1 { 25.0 } else { 0.0 };
            note(&mut pace, Phase::Sample, 1, step, waited);
        }
        note(&mut pace, Phase::Decode, 1, 10, 0.0);
        note(&mut pace, Phase::Sample, 2, 1, 0.0);
        note(&mut pace, Phase::Sample, 2, 2, 0.0);
        note(&mut pace, Phase::Sample, 2, 3, 2.0);
        let secs = pace.secs_per_step().unwrap();
        assert!((1.6..2.6).contains(&secs), "{secs}");
        assert_eq!(pace.decode_secs(), Some(5.0));
    }

    #[test]
    fn a_run_that_begins_its_section_again_is_no_step() {
        let start = Instant::now();
        let mut pace = Pace::begin(start);
        for (step, secs) in [(1, 0), (2, 2), (3, 4), (0, 100), (1, 102), (5, 110)] {
            let now = start + Duration::from_secs(secs);
            pace.note(&at(Phase::Sample, 0, step), now);
        }
        assert_eq!(pace.secs_per_step(), Some(2.0));
    }
}
