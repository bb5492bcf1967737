//! Events as entries of systemd's journal: `job = 7` becomes `JOB_ID=7`, for `journalctl JOB_ID=7`.

use std::io;

use serde_json::Value;
use systemd_journal_logger::JournalLog;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{Layer, layer::Context};

use super::fields::Fields;

/// The layer that talks to journald.
pub(super) struct Journald(JournalLog);

impl Journald {
    /// Fails where no journald listens.
    pub(super) fn connect() -> io::Result<Self> {
        Ok(Self(JournalLog::new()?))
    }
}

impl<S: Subscriber> Layer<S> for Journald {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let Fields { message, others } = Fields::of(event);
        let others: Vec<(String, String)> = others
            .into_iter()
            .map(|(name, value)| (entry_name(name), text(value)))
            .collect();
        // An event of figures alone; an entry needs words.
        let message = match message.as_str() {
            "" => metadata.target(),
            words => words,
        };
        let mut record = log::Record::builder();
        record
            .level(level(*metadata.level()))
            .target(metadata.target())
            .module_path(metadata.module_path())
            .file(metadata.file())
            .line(metadata.line())
            .key_values(&others);
        // Where this fails there is nowhere left to say that the log is lost.
        let _ = self
            .0
            .journal_send(&record.args(format_args!("{message}")).build());
    }
}

/// The name under which an entry has a field.
fn entry_name(field: &str) -> String {
    match field {
        "job" => "JOB_ID".to_owned(),
        "code" => "ERROR_CODE".to_owned(),
        "name" => "JOB_NAME".to_owned(),
        other => other.to_ascii_uppercase(),
    }
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn level(level: Level) -> log::Level {
    match level {
        Level::ERROR => log::Level::Error,
        Level::WARN => log::Level::Warn,
        Level::INFO => log::Level::Info,
        Level::DEBUG => log::Level::Debug,
        Level::TRACE => log::Level::Trace,
    }
}
