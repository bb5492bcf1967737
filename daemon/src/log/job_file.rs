//! One file for each job, `state/logs/<job>.ndjson`: every event about it, one JSON object a line.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    sync::mpsc::{self, Receiver, SyncSender},
    thread,
};

use framepack_jobs::{JobId, Timestamp};
use serde_json::{Map, Value};
use tracing::{Event, Subscriber};
use tracing_subscriber::{Layer, layer::Context};

use super::fields::Fields;

/// Lines that may wait for the disk; beyond, lines are dropped rather than the daemon held up.
const BACKLOG: usize = 4096;

/// Where a job's log lies.
pub(crate) fn path(state: &Path, job: JobId) -> PathBuf {
    state.join("logs").join(format!("{job}.ndjson"))
}

/// A line of a job's log. Boxed in the channel, which has its room from the beginning.
type Line = Box<(JobId, Vec<u8>)>;

/// The layer that passes the jobs' events on to the thread that writes them.
pub(super) struct JobFiles(SyncSender<Line>);

impl JobFiles {
    /// Starts the thread. It ends with the layer.
    pub(super) fn start(state: &Path) -> Self {
        let (lines, inbox) = mpsc::sync_channel(BACKLOG);
        let state = state.to_owned();
        let writer = thread::Builder::new().name("job-logs".to_owned());
        // Without the thread lines go nowhere, and jobs are still rendered.
        let _ = writer.spawn(move || write_all(&state, &inbox));
        Self(lines)
    }
}

impl<S: Subscriber> Layer<S> for JobFiles {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let fields = Fields::of(event);
        if let Some(job) = fields.get("job").and_then(job_of) {
            let _ = self.0.try_send(Box::new((job, line(event, fields))));
        }
    }
}

fn job_of(value: &Value) -> Option<JobId> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
    .map(JobId)
}

fn line(event: &Event<'_>, Fields { message, others }: Fields) -> Vec<u8> {
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| {
        object.insert(key.to_owned(), value);
    };
    put("at", Timestamp::now().to_string().into());
    put(
        "level",
        event
            .metadata()
            .level()
            .as_str()
            .to_ascii_lowercase()
            .into(),
    );
    put("message", message.into());
    for (name, value) in others {
        put(name, value);
    }
    let mut line = Value::Object(object).to_string().into_bytes();
    line.push(b'\n');
    line
}

fn write_all(state: &Path, inbox: &Receiver<Line>) {
    for line in inbox {
        let (job, line) = *line;
        let path = path(state, job);
        let written = append(&path, &line).or_else(|_| {
            fs::create_dir_all(path.parent().expect("a file in a folder"))?;
            append(&path, &line)
        });
        // A log that can't be written must not end what it tells of; the daemon's own log has the same events.
        drop(written);
    }
}

fn append(path: &Path, line: &[u8]) -> std::io::Result<()> {
    File::options()
        .create(true)
        .append(true)
        .open(path)?
        .write_all(line)
}
