//! The daemon's log: systemd's journal with one field for each figure, or stderr; and for each job a file of its own.
//!
//! All three are layers under the same `tracing` events. An event with a field `job` is about that job.

mod fields;
mod job_file;
mod journal;

use std::{
    io::{self, IsTerminal},
    path::Path,
};

use tracing_subscriber::{
    EnvFilter, Layer, filter::Targets, layer::SubscriberExt, util::SubscriberInitExt,
};

pub(crate) use job_file::path as job_file;

use self::{job_file::JobFiles, journal::Journal};

/// What is logged when `RUST_LOG` does not say otherwise; sled and notify report each of their steps.
const FILTER: &str = "info,sled=warn,notify=warn,mio=warn";

/// Begins to log. The jobs' files are beneath the state directory.
pub fn start(state: &Path) {
    let filter = || EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(FILTER));
    // systemd has connected stderr to the journal: talk to it directly, so that figures stay figures.
    let journal = systemd_journal_logger::connected_to_journal()
        .then(Journal::connect)
        .and_then(Result::ok);
    let stderr = journal.is_none().then(|| {
        tracing_subscriber::fmt::layer()
            .with_writer(io::stderr)
            .with_ansi(io::stderr().is_terminal())
            .with_filter(filter())
    });
    // Each step is worth a line in the job's file and none in the daemon's log.
    let jobs = Targets::new().with_target("framepackd", tracing::Level::DEBUG);
    tracing_subscriber::registry()
        .with(journal.map(|journal| journal.with_filter(filter())))
        .with(stderr)
        .with(JobFiles::start(state).with_filter(jobs))
        .init();
}
