//! What the journal's files say, however they were left.

use std::{collections::BTreeMap, fs, io, mem};

use framepack_ipc::event::Event;
use framepack_jobs::{JobId, Timestamp};

use super::entry::Entry;
use crate::file::Segment;

/// What was found in a journal.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// The latest entry of each job.
    pub(crate) latest: BTreeMap<JobId, Entry>,
    /// The highest number of an entry.
    pub(crate) seq: u64,
    /// The same before the last commit, whose database half may be missing after a crash.
    pub(crate) seq_before: u64,
    last_commit: Option<Timestamp>,
    /// Lines that can't be read, not counting an unfinished last one.
    pub(crate) damaged_lines: u64,
    /// Bytes of all files.
    pub(crate) bytes: u64,
    /// What changes are told as, in their order.
    pub(crate) untold: Vec<Untold>,
}

/// The events of a change.
#[derive(Debug)]
pub(crate) struct Untold {
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
    pub(crate) events: Vec<Event>,
}

/// Reads all files. Returns how many bytes of the last one are whole lines.
pub(super) fn read(segments: &[Segment]) -> io::Result<(Contents, u64)> {
    let mut contents = Contents::default();
    let mut whole_bytes = 0;
    for (at, segment) in segments.iter().enumerate() {
        let is_last = at + 1 == segments.len();
        whole_bytes = contents.take(&fs::read(&segment.path)?, is_last);
    }
    Ok((contents, whole_bytes))
}

impl Contents {
    /// Takes a file's lines. Returns where its last whole line ends.
    fn take(&mut self, bytes: &[u8], is_last: bool) -> u64 {
        self.bytes += bytes.len() as u64;
        let (mut whole, mut end, mut unread) = (0, 0, 0);
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            end += line.len();
            let entry = line.strip_suffix(b"\n").and_then(Entry::parse);
            if let Some(entry) = entry {
                self.damaged_lines += unread;
                (whole, unread) = (end, 0);
                self.note(entry);
            } else if line != b"\n" {
                unread += 1;
            }
        }
        // What a crash left of the last write was never acknowledged: it is one line without an end.
        let is_torn = is_last && unread <= 1 && !bytes.ends_with(b"\n");
        if !is_torn {
            self.damaged_lines += unread;
        }
        whole as u64
    }

    fn note(&mut self, mut entry: Entry) {
        if !entry.events.is_empty() {
            self.untold.push(Untold {
                seq: entry.seq,
                at: entry.at,
                events: mem::take(&mut entry.events),
            });
        }
        if entry.seq >= self.seq {
            if self.last_commit != Some(entry.at) {
                (self.seq_before, self.last_commit) = (self.seq, Some(entry.at));
            }
            self.seq = entry.seq;
        }
        let known = self.latest.get(&entry.job);
        if known.is_none_or(|known| known.seq <= entry.seq) {
            self.latest.insert(entry.job, entry);
        }
    }

    /// The highest job number.
    pub(crate) fn last_id(&self) -> JobId {
        self.latest.keys().next_back().copied().unwrap_or(JobId(0))
    }

    /// Jobs that the journal can rebuild.
    pub(crate) fn jobs(&self) -> usize {
        self.latest
            .values()
            .filter(|entry| entry.record.is_some())
            .count()
    }
}
