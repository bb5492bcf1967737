//! What the user sees meanwhile, on standard error: bars on a terminal, a line now and then elsewhere.

use std::{
    io::{self, IsTerminal},
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{HumanDuration, MultiProgress, ProgressBar, ProgressStyle};

use super::plan::Planned;
use crate::output::{size, tell};

/// Between two lines where there is no terminal.
const INTERVAL: Duration = Duration::from_secs(10);

/// All files together.
#[derive(Debug)]
pub(crate) struct Progress {
    on_terminal: bool,
    bars: MultiProgress,
    sum: ProgressBar,
    total_bytes: u64,
    /// What is there of them.
    there_bytes: AtomicU64,
    /// What has come from the Hub.
    come_bytes: AtomicU64,
    /// When the first of it came.
    started: OnceLock<Instant>,
    last_line: Mutex<Instant>,
}

/// One file.
#[derive(Debug)]
pub(crate) struct FileProgress<'p> {
    all: &'p Progress,
    name: String,
    bytes: u64,
    bar: ProgressBar,
    there_bytes: AtomicU64,
}

impl Progress {
    /// For these files.
    pub(crate) fn of(planned: &[Planned<'_>]) -> Self {
        let total_bytes = planned.iter().map(|it| it.file.bytes).sum();
        let there_bytes = planned.iter().map(there_bytes).sum();
        let bars = MultiProgress::new();
        // With a line of our own: the bar would count what was there as if it had just come.
        let sum = ProgressBar::new(total_bytes).with_style(style("{wide_bar} {msg}"));
        let sum = bars.add(sum);
        Self {
            on_terminal: io::stderr().is_terminal(),
            bars,
            sum,
            total_bytes,
            there_bytes: AtomicU64::new(there_bytes),
            come_bytes: AtomicU64::new(0),
            started: OnceLock::new(),
            last_line: Mutex::new(Instant::now()),
        }
    }

    /// A file that is begun.
    pub(crate) fn file(&self, planned: &Planned<'_>) -> FileProgress<'_> {
        let bar = ProgressBar::new(planned.file.bytes).with_prefix(planned.name());
        let bar = bar.with_style(style(
            "  {prefix} {binary_bytes} of {binary_total_bytes} {msg}",
        ));
        FileProgress {
            all: self,
            name: planned.name(),
            bytes: planned.file.bytes,
            bar: self.bars.insert_before(&self.sum, bar),
            there_bytes: AtomicU64::new(there_bytes(planned)),
        }
    }

    /// Something that the user should know.
    pub(crate) fn note(&self, line: &str) {
        if self.on_terminal {
            // A terminal that is gone needs no line.
            let _ = self.bars.println(line);
        } else {
            tell(line);
        }
    }

    /// Nothing more comes.
    pub(crate) fn finish(&self) {
        self.sum.finish_and_clear();
    }

    fn tell(&self) {
        self.sum
            .set_position(self.there_bytes.load(Ordering::Relaxed));
        if self.on_terminal {
            self.sum.set_message(self.line());
            return;
        }
        let mut last = self
            .last_line
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= INTERVAL {
            *last = Instant::now();
            tell(&self.line());
        }
    }

    fn line(&self) -> String {
        let bytes = |of: &AtomicU64| of.load(Ordering::Relaxed);
        let elapsed = self.started.get().map_or(Duration::ZERO, Instant::elapsed);
        line(
            bytes(&self.there_bytes),
            self.total_bytes,
            bytes(&self.come_bytes),
            elapsed,
        )
    }
}

impl FileProgress<'_> {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// So many bytes of it are there.
    pub(crate) fn set(&self, bytes: u64) {
        let before = self.there_bytes.swap(bytes, Ordering::Relaxed);
        let all = self.all;
        if bytes >= before {
            all.there_bytes.fetch_add(bytes - before, Ordering::Relaxed);
        } else {
            all.there_bytes.fetch_sub(before - bytes, Ordering::Relaxed);
        }
        self.bar.set_position(bytes);
        all.tell();
    }

    /// So many bytes of it have come from the Hub, and now `there` are there.
    pub(crate) fn came(&self, bytes: u64, there: u64) {
        self.all.started.get_or_init(Instant::now);
        self.all.come_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.set(there);
    }

    /// So many more bytes of it were compared with the Hub's hash.
    pub(crate) fn checked(&self, bytes: u64) {
        self.bar.set_message("checking");
        self.bar.inc(bytes);
    }

    /// It is there; `was_there`: it was before.
    pub(crate) fn finish(self, was_there: bool) {
        self.set(self.bytes);
        self.bar.finish_and_clear();
        let done = if was_there {
            "there already"
        } else {
            "fetched"
        };
        let (name, bytes) = (&self.name, size(self.bytes));
        self.all.note(&format!("{name} ({bytes}): {done}"));
    }
}

/// What is there of a file before it is begun.
fn there_bytes(planned: &Planned<'_>) -> u64 {
    planned.file.bytes - planned.missing_bytes()
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("templates are constants with known keys")
}

/// `1.20 GiB of 41.30 GiB, 85.1 MiB a second, 8 minutes left`
fn line(there: u64, total: u64, come: u64, elapsed: Duration) -> String {
    let begin = format!("{} of {}", size(there), size(total));
    let rate = come as f64 / elapsed.as_secs_f64().max(0.001);
    if rate < 1.0 {
        return begin;
    }
    let left = Duration::from_secs_f64(total.saturating_sub(there) as f64 / rate);
    format!(
        "{begin}, {} a second, {} left",
        size(rate as u64),
        HumanDuration(left)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::{HubFile, Listing},
        catalog::Selection,
        hash::HubHash,
        licence::Licence,
        target::{Presence, Target},
    };

    #[test]
    fn what_was_there_did_not_come() {
        let mib = 1 << 20;
        let listing = Listing {
            repository: Selection::Original.repositories().remove(0),
            commit: String::new(),
            licence: Licence::known(""),
            files: Vec::new(),
        };
        let file = HubFile {
            path: "a".into(),
            bytes: 12 * mib,
            hash: HubHash::GitBlob(String::new()),
        };
        let planned = Planned {
            listing: &listing,
            file: &file,
            place: Target::Folder("/d".into()).place("a/b", "c", &file),
            presence: Presence::Part(10 * mib),
            is_checked: false,
        };
        let progress = Progress::of(std::slice::from_ref(&planned));
        assert_eq!(progress.line(), "10.0 MiB of 12.0 MiB");
        let shown = progress.file(&planned);
        shown.set(10 * mib);
        assert_eq!(progress.line(), "10.0 MiB of 12.0 MiB");
        shown.came(mib, 11 * mib);
        assert!(progress.line().starts_with("11.0 MiB of 12.0 MiB, "));
        assert_eq!(progress.come_bytes.load(Ordering::Relaxed), mib);
        // A server that begins anew.
        shown.came(mib, mib);
        assert!(progress.line().starts_with("1.0 MiB of 12.0 MiB, "));
        assert_eq!(progress.come_bytes.load(Ordering::Relaxed), 2 * mib);
    }

    #[test]
    fn line_has_bytes_rate_and_time_left() {
        let mib = 1 << 20;
        let told = line(200 * mib, 1224 * mib, 100 * mib, Duration::from_secs(10));
        assert_eq!(
            told,
            "0.20 GiB of 1.20 GiB, 10.0 MiB a second, 2 minutes left"
        );
        assert_eq!(
            line(0, mib, 0, Duration::from_secs(1)),
            "0 bytes of 1.0 MiB"
        );
    }
}
