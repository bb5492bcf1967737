//! The log, open for writing.

use std::{
    collections::VecDeque,
    fs::{self, DirBuilder, File},
    io::{self, Write},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::Duration,
};

use framepack_ipc::event::{Event, EventName, EventType};
use framepack_jobs::Timestamp;
use tokio::sync::watch;
use tracing::warn;

use super::{
    position::{Cursor, Position},
    read::EventsView,
    segment::Header,
};
use crate::{
    file::{open_segment, replace, segment_path, segments, sync_dir},
    record::random_id,
};

/// Files of the log, if each is full: whole ones are removed.
const SEGMENTS: u64 = 8;
/// No file is larger than this.
const MAX_SEGMENT_BYTES: u64 = 4 << 20;
/// Nor does it hold more than this time.
const SEGMENT_TIME: Duration = Duration::from_hours(24);

/// How much of the log is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EventLimits {
    /// Bytes of all files, about.
    pub(crate) max_bytes: u64,
    /// How long an event is kept; `None` = for ever.
    pub(crate) max_age: Option<Duration>,
}

/// The log. The state directory's lock keeps others away.
#[derive(Debug)]
pub(crate) struct EventLog {
    folder: PathBuf,
    limits: EventLimits,
    name: String,
    files: VecDeque<Segment>,
    file: File,
    /// Something may lie behind the last file's whole lines.
    is_torn: bool,
    /// Whether the last events are durable.
    is_synced: bool,
    /// Events that are not written yet.
    noted: Vec<Event>,
    /// The place of the last of them.
    last: Position,
    /// Whether the farm is idle, by what is written.
    is_idle: bool,
    /// The place of the last one that readers may have.
    told: watch::Sender<Position>,
}

#[derive(Debug)]
struct Segment {
    number: u64,
    bytes: u64,
    begun: Timestamp,
}

/// What a file says, however it was left.
struct Whole {
    bytes: u64,
    last: Position,
    is_idle: bool,
}

impl EventLog {
    /// Opens or creates the log. A new one begins behind the change `seq`.
    pub(crate) fn open(folder: &Path, limits: EventLimits, seq: u64) -> io::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o750)
            .create(folder)?;
        let mut files = VecDeque::new();
        let mut latest = None;
        for segment in segments(folder)? {
            let Some((header, _)) = Header::read(&segment.path)? else {
                return Self::anew(folder, limits, seq);
            };
            files.push_back(Segment {
                number: segment.number,
                bytes: fs::metadata(&segment.path)?.len(),
                begun: header.at,
            });
            latest = Some((header, segment.path));
        }
        let (Some((header, path)), Some(file)) = (latest, files.back_mut()) else {
            return Self::create(folder, limits, seq);
        };
        let whole = Whole::of(&path, &header)?;
        file.bytes = whole.bytes;
        Ok(Self {
            folder: folder.to_owned(),
            limits,
            name: header.log,
            file: open_segment(folder, file.number)?,
            files,
            is_torn: true,
            is_synced: false,
            noted: Vec::new(),
            last: whole.last,
            is_idle: whole.is_idle,
            told: watch::Sender::new(whole.last),
        })
    }

    /// Sets aside a log that can't be read, and begins another one: whoever follows it learns that.
    fn anew(folder: &Path, limits: EventLimits, seq: u64) -> io::Result<Self> {
        let aside = folder.with_extension("damaged");
        warn!(aside = %aside.display(), "the log of events can't be read: beginning another one");
        if aside.exists() {
            fs::remove_dir_all(&aside)?;
        }
        fs::rename(folder, aside)?;
        Self::open(folder, limits, seq)
    }

    fn create(folder: &Path, limits: EventLimits, seq: u64) -> io::Result<Self> {
        let after = Position { seq, nth: 0 };
        let header = Header {
            log: random_id()?,
            after,
            at: Timestamp::now(),
            idle: true,
        };
        let line = header.line();
        replace(&segment_path(folder, 1), &line)?;
        Ok(Self {
            folder: folder.to_owned(),
            limits,
            name: header.log,
            file: open_segment(folder, 1)?,
            files: VecDeque::from([Segment {
                number: 1,
                bytes: line.len() as u64,
                begun: header.at,
            }]),
            is_torn: false,
            is_synced: true,
            noted: Vec::new(),
            last: after,
            is_idle: true,
            told: watch::Sender::new(after),
        })
    }

    /// The change that the last event belongs to; some of its events may be missing.
    pub(crate) fn last_seq(&self) -> u64 {
        self.last.seq
    }

    /// Whether the farm was told to be idle last.
    pub(crate) fn is_idle(&self) -> bool {
        self.is_idle
    }

    /// The log for readers.
    pub(crate) fn view(&self) -> EventsView {
        EventsView::new(
            self.folder.clone(),
            self.name.clone(),
            self.told.subscribe(),
        )
    }

    /// Notes the events of a change that is durable in the journal, but for those that the log has.
    pub(crate) fn note_change(&mut self, seq: u64, at: Timestamp, events: &[Event]) {
        for (nth, event) in (0..).zip(events) {
            let position = Position { seq, nth };
            if position > self.last {
                let event = Event {
                    at,
                    ..event.clone()
                };
                self.note(position, event);
            }
        }
    }

    /// Notes what is no change of a job.
    pub(crate) fn note_other(&mut self, event: Event) {
        self.note(self.last.next(), event);
    }

    fn note(&mut self, position: Position, event: Event) {
        let cursor = Cursor {
            log: self.name.clone(),
            position,
        };
        self.last = position;
        self.noted.push(Event {
            cursor: Some(cursor.to_string()),
            ..event
        });
    }

    /// Writes what was noted, and tells readers. When that fails it stays noted.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        if self.noted.is_empty() {
            return Ok(());
        }
        self.cut()?;
        self.begin_segment_if_due()?;
        let lines: Vec<u8> = self.noted.iter().flat_map(line).collect();
        (self.is_torn, self.is_synced) = (true, false);
        self.file.write_all(&lines)?;
        // The journal has the others.
        if self.noted.iter().any(|event| event.kind != EventType::Job) {
            self.sync()?;
        }
        self.is_torn = false;
        let mut told = self.noted.iter().filter_map(is_idle);
        self.is_idle = told.next_back().unwrap_or(self.is_idle);
        self.noted.clear();
        let file = self
            .files
            .back_mut()
            .expect("there is a file from the beginning");
        file.bytes += lines.len() as u64;
        self.told.send_replace(self.last);
        Ok(())
    }

    /// Makes durable what was written.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        if !self.is_synced {
            self.file.sync_data()?;
            self.is_synced = true;
        }
        Ok(())
    }

    /// Cuts off what is no whole line.
    fn cut(&mut self) -> io::Result<()> {
        if self.is_torn {
            let whole_bytes = self.files.back().map_or(0, |file| file.bytes);
            self.file.set_len(whole_bytes)?;
            self.is_torn = false;
        }
        Ok(())
    }

    /// Begins the next file once the last one is large or old, and removes those that are not to be kept.
    fn begin_segment_if_due(&mut self) -> io::Result<()> {
        let now = Timestamp::now();
        let segment_bytes = (self.limits.max_bytes / SEGMENTS).min(MAX_SEGMENT_BYTES);
        let last = self.files.back();
        let Some(last) =
            last.filter(|file| file.bytes > segment_bytes || file.begun.plus(SEGMENT_TIME) < now)
        else {
            return Ok(());
        };
        let number = last.number + 1;
        self.sync()?;
        let header = Header {
            log: self.name.clone(),
            after: *self.told.borrow(),
            at: now,
            idle: self.is_idle,
        };
        let line = header.line();
        replace(&segment_path(&self.folder, number), &line)?;
        self.file = open_segment(&self.folder, number)?;
        self.files.push_back(Segment {
            number,
            bytes: line.len() as u64,
            begun: now,
        });
        self.remove_old(now)
    }

    /// The end of a file is the beginning of the next one.
    fn remove_old(&mut self, now: Timestamp) -> io::Result<()> {
        let mut is_changed = false;
        while let [oldest, next, ..] = self.files.make_contiguous() {
            let (number, end) = (oldest.number, next.begun);
            let bytes: u64 = self.files.iter().map(|file| file.bytes).sum();
            let is_old = self.limits.max_age.is_some_and(|age| end.plus(age) < now);
            if bytes <= self.limits.max_bytes && !is_old {
                break;
            }
            fs::remove_file(segment_path(&self.folder, number))?;
            self.files.pop_front();
            is_changed = true;
        }
        if is_changed {
            sync_dir(&self.folder)
        } else {
            Ok(())
        }
    }
}

impl Whole {
    /// Reads the lines up to the first one that is none: what follows was never told, or the journal has it.
    fn of(path: &Path, header: &Header) -> io::Result<Self> {
        let text = fs::read(path)?;
        let mut lines = text.split_inclusive(|&byte| byte == b'\n');
        let first = lines.next().map_or(0, <[u8]>::len);
        let mut whole = Self {
            bytes: first as u64,
            last: header.after,
            is_idle: header.idle,
        };
        for line in lines {
            let Some(event) = line
                .strip_suffix(b"\n")
                .and_then(|line| serde_json::from_slice::<Event>(line).ok())
            else {
                break;
            };
            let cursor = event.cursor.as_ref().and_then(|cursor| cursor.parse().ok());
            let Some(Cursor { position, .. }) = cursor else {
                break;
            };
            whole.bytes += line.len() as u64;
            whole.last = position;
            whole.is_idle = is_idle(&event).unwrap_or(whole.is_idle);
        }
        Ok(whole)
    }
}

fn is_idle(event: &Event) -> Option<bool> {
    match event.event {
        EventName::Idle => Some(true),
        EventName::Busy => Some(false),
        _ => None,
    }
}

fn line(event: &Event) -> Vec<u8> {
    let mut line = serde_json::to_vec(event).expect("an event is plain data with string keys");
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests;
