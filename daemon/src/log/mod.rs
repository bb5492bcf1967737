//! The daemon's log: systemd's journal with one field for each figure, or stderr; and for each job a file of its own.
//!
//! All three are layers under the same `tracing` events. An event with a field `job` is about that job.

mod fields;
mod job_file;
mod journald;

use std::{
    env,
    io::{self, IsTerminal},
    path::Path,
};

use tracing_subscriber::{Layer, filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

pub(crate) use job_file::path as job_file;

use self::{job_file::JobFiles, journald::Journald};

/// What is logged when `RUST_LOG` does not say otherwise; sled and notify report each of their steps.
const FILTER: &str = "info,sled=warn,notify=warn,mio=warn";

/// What is logged: `TARGET=LEVEL` pairs. A filter by fields, which `EnvFilter` has too, would bring the daemon a megabyte
/// of regular expressions.
fn filter() -> Targets {
    let wanted = env::var("RUST_LOG").ok();
    wanted
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| {
            FILTER
                .parse()
                .expect("it is a list of targets and levels, as its test says")
        })
}

/// Begins to log. The jobs' files are beneath the state directory.
pub fn start(state: &Path) {
    // systemd has connected stderr to the journal: talk to it directly, so that figures stay figures.
    let journald = systemd_journal_logger::connected_to_journal()
        .then(Journald::connect)
        .and_then(Result::ok);
    let stderr = journald.is_none().then(|| {
        tracing_subscriber::fmt::layer()
            .with_writer(io::stderr)
            .with_ansi(io::stderr().is_terminal())
            .with_filter(filter())
    });
    // Each step is worth a line in the job's file and none in the daemon's log.
    let jobs = Targets::new().with_target("framepackd", tracing::Level::DEBUG);
    tracing_subscriber::registry()
        .with(journald.map(|journald| journald.with_filter(filter())))
        .with(stderr)
        .with(JobFiles::start(state).with_filter(jobs))
        .init();
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn the_usual_filter_leaves_out_the_steps_of_others() {
        let filter: Targets = FILTER.parse().unwrap();
        assert!(filter.would_enable("framepackd::queue", &Level::INFO));
        assert!(!filter.would_enable("framepackd::queue", &Level::DEBUG));
        assert!(!filter.would_enable("sled::pagecache", &Level::INFO));
        assert!(filter.would_enable("sled::pagecache", &Level::WARN));
    }
}
