//! What commands print: tables and lines for people, JSON for programs; and what they say meanwhile on standard error.

use std::io::{self, IsTerminal, Write};

use framepack_ipc::{Envelope, text};
use framepack_jobs::Bytes;
use serde::Serialize;

/// What results are printed as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// In an envelope.
    Json,
}

/// Standard output, and how to use it.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) format: Format,
}

/// An envelope with more keys.
#[derive(Serialize)]
struct With<'e, T, M> {
    #[serde(flatten)]
    envelope: &'e Envelope<T>,
    #[serde(flatten)]
    more: &'e M,
}

impl Output {
    /// Records of a kind as JSON; else what `text` makes of them.
    pub(crate) fn records<T: Serialize>(
        &self,
        kind: &str,
        items: Vec<T>,
        text: impl FnOnce(&[T]) -> String,
    ) -> io::Result<()> {
        match self.format {
            Format::Json => json(&Envelope::new(kind, items)),
            Format::Text => write(&text(&items)),
        }
    }

    /// The same with warnings, and `more` beside the items.
    pub(crate) fn records_with<T: Serialize>(
        &self,
        envelope: &Envelope<T>,
        more: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> io::Result<()> {
        match self.format {
            Format::Json => json(&With { envelope, more }),
            Format::Text => write(&text()),
        }
    }

    /// Lines for people alone.
    pub(crate) fn say(&self, line: &str) -> io::Result<()> {
        match self.format {
            Format::Json => Ok(()),
            Format::Text => write(&format!("{line}\n")),
        }
    }
}

/// A document on standard output.
pub(crate) fn json<T: Serialize>(value: &T) -> io::Result<()> {
    let is_terminal = io::stdout().is_terminal();
    let text = if is_terminal {
        serde_json::to_string_pretty(value)?
    } else {
        serde_json::to_string(value)?
    };
    write(&format!("{text}\n"))
}

/// A size for people: `1.38 GiB`, `60.5 MiB`, and what is small in bytes.
pub(crate) fn size(bytes: u64) -> String {
    if bytes < 100 << 10 {
        return count(bytes, "byte");
    }
    Bytes(bytes).to_string()
}

/// `1 file`, `2 files`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// A line on standard error. Where that is closed or full, nobody reads it, and what is done goes on all the same.
pub(crate) fn tell(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// A reader that has closed our output has seen enough.
fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Lines of cells under a header.
pub(crate) fn table<const COLUMNS: usize>(
    header: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> String {
    let rows: Vec<_> = rows.into_iter().collect();
    text::table(header, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_sizes_are_bytes() {
        assert_eq!(size(579), "579 bytes");
        assert_eq!(size(1), "1 byte");
        assert_eq!(count(0, "part"), "0 parts");
        assert_eq!(size(5 << 20), "5.0 MiB");
    }
}
