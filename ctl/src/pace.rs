//! A job's pace in words.

use std::time::Duration;

use framepack_jobs::{Pace, Progress};

/// `1.41 s/step, 3 min left`, once two steps were seen.
pub(crate) fn describe(pace: &Pace, progress: &Progress) -> Option<String> {
    let secs = pace.secs_per_step()?;
    let left = pace.left(progress)?;
    Some(format!("{secs:.2} s/step, {} left", rough(left)))
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
    use super::*;

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
