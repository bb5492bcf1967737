//! The log as readers see it: files, read behind a position, up to what was told.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use framepack_ipc::event::Event;
use framepack_jobs::Timestamp;
use tokio::sync::watch;

use super::{
    position::{Cursor, Position},
    segment::Header,
};
use crate::file::{Segment, segments};

/// The log for readers; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct EventsView {
    folder: PathBuf,
    name: String,
    told: watch::Receiver<Position>,
}

/// Somebody who reads the log.
#[derive(Debug)]
pub(crate) struct Reader {
    view: EventsView,
    /// The last event that was read.
    position: Position,
    /// Where the next one is, once it was looked for.
    place: Option<Place>,
    /// Events that were noted before this are passed over.
    from: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    number: u64,
    offset: u64,
}

/// An event, and its line without the newline.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) event: Event,
    pub(crate) text: String,
}

/// Why there is nothing to read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unread {
    /// They were removed, or can't be read.
    #[error("the events behind cursor {0} are no longer kept")]
    Gone(String),
    /// Another state directory has them.
    #[error("cursor {0} is not of this daemon's log of events")]
    Foreign(String),
    #[error("reading the log of events: {0}")]
    Io(#[from] io::Error),
}

impl EventsView {
    pub(super) fn new(folder: PathBuf, name: String, told: watch::Receiver<Position>) -> Self {
        Self { folder, name, told }
    }

    /// A reader of what is behind a cursor.
    pub(crate) fn behind(&self, cursor: &str) -> Result<Reader, Unread> {
        match cursor.parse::<Cursor>() {
            Ok(Cursor { log, position }) if log == self.name && position <= self.told() => {
                let mut reader = self.reader(position);
                reader.find()?;
                Ok(reader)
            }
            _ => Err(Unread::Foreign(cursor.to_owned())),
        }
    }

    /// A reader of what was noted at a time or later, as far as it is kept.
    pub(crate) fn since(&self, time: Timestamp) -> io::Result<Reader> {
        let mut reader = self.reader(self.told());
        let mut first = None;
        for segment in segments(&self.folder)? {
            if let Some((header, bytes)) = Header::read(&segment.path)?
                && (first.is_none() || header.at <= time)
            {
                let (number, offset) = (segment.number, bytes);
                first = Some((header.after, Place { number, offset }));
            }
        }
        if let Some((after, place)) = first {
            (reader.position, reader.place) = (after, Some(place));
        }
        reader.from = Some(time);
        Ok(reader)
    }

    /// A reader of what comes.
    pub(crate) fn now(&self) -> Reader {
        self.reader(self.told())
    }

    /// Waits until there is more than there was when this, or the reader's view, looked last. Fails when the daemon stops.
    pub(crate) async fn changed(&mut self) -> Result<(), watch::error::RecvError> {
        self.told.changed().await
    }

    fn told(&self) -> Position {
        *self.told.borrow()
    }

    fn reader(&self, position: Position) -> Reader {
        Reader {
            view: self.clone(),
            position,
            place: None,
            from: None,
        }
    }
}

impl Reader {
    /// Where it is.
    pub(crate) fn cursor(&self) -> String {
        let cursor = Cursor {
            log: self.view.name.clone(),
            position: self.position,
        };
        cursor.to_string()
    }

    /// The next events, at most so many; none at the end. Takes as long as the disk does.
    pub(crate) fn next(&mut self, limit: usize) -> Result<Vec<Line>, Unread> {
        let told = self.view.told();
        let mut lines = Vec::new();
        while self.position < told && lines.len() < limit {
            let place = match self.place {
                Some(place) => place,
                None => self.find()?,
            };
            if !self.read(place, told, limit, &mut lines)? {
                self.place = Some(self.following(place.number)?);
            }
        }
        Ok(lines)
    }

    /// Reads on in a file. `false`: it is at its end.
    fn read(
        &mut self,
        mut place: Place,
        told: Position,
        limit: usize,
        lines: &mut Vec<Line>,
    ) -> Result<bool, Unread> {
        let path = crate::file::segment_path(&self.view.folder, place.number);
        let mut file = BufReader::new(self.opened(&path)?);
        file.seek(SeekFrom::Start(place.offset))?;
        while self.position < told && lines.len() < limit {
            let mut text = String::new();
            match file.read_line(&mut text) {
                Ok(0) => return Ok(false),
                Ok(read) => place.offset += read as u64,
                Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(self.gone()),
                Err(error) => return Err(error.into()),
            }
            let (event, position) = parsed(&text).ok_or_else(|| self.gone())?;
            text.truncate(text.trim_end().len());
            self.place = Some(place);
            // A reader that was looking for its place is not there yet.
            let is_new = position > self.position;
            self.position = self.position.max(position);
            self.from = self.from.filter(|from| event.at < *from);
            if is_new && self.from.is_none() {
                lines.push(Line { event, text });
            }
        }
        Ok(true)
    }

    /// The file that this position is in, read from its beginning.
    fn find(&mut self) -> Result<Place, Unread> {
        for Segment { number, path } in segments(&self.view.folder)?.into_iter().rev() {
            let header = match Header::read(&path) {
                // Removed in this moment.
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                header => header?,
            };
            let (header, offset) = header.ok_or_else(|| self.gone())?;
            if header.after <= self.position {
                let place = Place { number, offset };
                self.place = Some(place);
                return Ok(place);
            }
        }
        Err(self.gone())
    }

    /// The file behind this one.
    fn following(&self, number: u64) -> Result<Place, Unread> {
        let mut later = segments(&self.view.folder)?.into_iter();
        let next = later.find(|segment| segment.number > number);
        let Segment { number, path } = next.ok_or_else(|| self.gone())?;
        let (header, offset) = Header::read(&path)?.ok_or_else(|| self.gone())?;
        // Otherwise those in between were removed.
        if header.after > self.position {
            return Err(self.gone());
        }
        Ok(Place { number, offset })
    }

    fn opened(&self, path: &Path) -> Result<File, Unread> {
        match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(self.gone()),
            opened => Ok(opened?),
        }
    }

    fn gone(&self) -> Unread {
        Unread::Gone(self.cursor())
    }
}

fn parsed(line: &str) -> Option<(Event, Position)> {
    let event: Event = serde_json::from_str(line.strip_suffix('\n')?).ok()?;
    let cursor: Cursor = event.cursor.as_ref()?.parse().ok()?;
    Some((event, cursor.position))
}
