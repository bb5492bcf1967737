//! What a device waits for while its worker can't start: when it is tried again, and what may have changed by then.

use std::{fs, os::unix::fs::MetadataExt, path::Path, time::Duration};

use framepack_ipc::control::Outage;
use framepack_jobs::{Failure, Timestamp};

use crate::{disk::Disk, nvidia::Nvidia};

/// Pause before the first try, doubled with each.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// Time between two looks at what a worker needs.
pub(super) const LOOK_PAUSE: Duration = Duration::from_secs(2);

/// The wait of one device.
#[derive(Debug, Default)]
pub(super) struct Wait {
    tries: u32,
}

/// Whether a fault is told of for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    New,
    Known,
}

/// What a worker needs, as files tell of it: when it is other than before, another try is worth it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Clue {
    program: Option<(u64, i64, u64, u32)>,
    nvidia: Nvidia,
}

impl Wait {
    /// The pause before the next try.
    pub(super) fn next(&mut self) -> Duration {
        let pause = FIRST_PAUSE
            .saturating_mul(2_u32.saturating_pow(self.tries))
            .min(LONGEST_PAUSE);
        self.tries += 1;
        pause
    }

    /// The device has rendered a job.
    pub(super) fn forget(&mut self) {
        self.tries = 0;
    }
}

/// What is told of a device that waits. It has waited since `before`, where that was for the same.
pub(super) fn told(
    device: &str,
    failure: &Failure,
    before: Option<&Outage>,
    pause: Duration,
) -> (Outage, News) {
    let same =
        before.filter(|before| before.code == failure.code && before.message == failure.message);
    let now = Timestamp::now();
    let outage = Outage {
        code: failure.code.clone(),
        message: failure.message.clone(),
        hint: failure.hint.clone(),
        since: same.map_or(now, |same| same.since),
        next_try: Some(now.plus(pause)),
        devices: vec![device.to_owned()],
        models: Vec::new(),
    };
    (
        outage,
        if same.is_some() {
            News::Known
        } else {
            News::New
        },
    )
}

impl Clue {
    /// How it is now; `None` while the program's share does not answer.
    pub(super) async fn now(disk: &Disk, program: &Path) -> Option<Self> {
        let path = program.to_owned();
        let look = move || Self {
            program: fs::metadata(&path)
                .ok()
                .map(|file| (file.len(), file.mtime(), file.ino(), file.mode())),
            nvidia: Nvidia::look(),
        };
        disk.at(program, look).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use framepack_jobs::Code;

    use super::*;

    #[test]
    fn pauses_grow_up_to_a_minute_and_begin_again_after_a_job() {
        let mut wait = Wait::default();
        let secs: Vec<u64> = (0..9).map(|_| wait.next().as_secs()).collect();
        assert_eq!(secs, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        wait.forget();
        assert_eq!(wait.next().as_secs(), 1);
    }

    #[test]
    fn the_same_fault_lasts_since_it_was_met_first() {
        let failure = Failure::new(Code::WORKER_PROGRAM, "gone");
        let second = Duration::from_secs(1);
        let (first, news) = told("cpu", &failure, None, second);
        assert_eq!(news, News::New);
        let (again, news) = told("cpu", &failure, Some(&first), second);
        assert_eq!((again.since, news), (first.since, News::Known));
        let other = Failure::new(Code::WORKER_LIBRARY, "gone");
        assert_eq!(told("cpu", &other, Some(&first), second).1, News::New);
    }
}
