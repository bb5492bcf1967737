//! What the user sees meanwhile, on standard error: bars on a terminal, a line now and then elsewhere.

use std::{
    io::{self, IsTerminal},
    sync::{
        Mutex, PoisonError,
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
    /// What has come since `started`.
    come_bytes: AtomicU64,
    started: Instant,
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
        let bars = MultiProgress::new();
        let sum = bars.add(ProgressBar::new(total_bytes).with_style(style(
            "{wide_bar} {binary_bytes} of {binary_total_bytes}, {binary_bytes_per_sec}, {eta} left",
        )));
        Self {
            on_terminal: io::stderr().is_terminal(),
            bars,
            sum,
            total_bytes,
            there_bytes: AtomicU64::new(0),
            come_bytes: AtomicU64::new(0),
            started: Instant::now(),
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
            there_bytes: AtomicU64::new(0),
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
        let there = self.there_bytes.load(Ordering::Relaxed);
        self.sum.set_position(there);
        if self.on_terminal {
            return;
        }
        let mut last = self
            .last_line
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= INTERVAL {
            *last = Instant::now();
            let come = self.come_bytes.load(Ordering::Relaxed);
            tell(&line(there, self.total_bytes, come, self.started.elapsed()));
        }
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
            // What an earlier run left did not come now.
            if before > 0 {
                all.come_bytes.fetch_add(bytes - before, Ordering::Relaxed);
            }
        } else {
            all.there_bytes.fetch_sub(before - bytes, Ordering::Relaxed);
        }
        self.bar.set_position(bytes);
        all.tell();
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
