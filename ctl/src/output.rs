//! Records on standard output: a table for people, tab-separated lines for scripts, or JSON.

use std::io::{self, IsTerminal, Write};

use framepack_ipc::{
    Envelope, ErrorEnvelope,
    text::{self, one_line},
};
use framepack_jobs::Job;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{failure::Failure, fields, rows, waiting::Waiting};

/// What records are printed as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people on a terminal, for `cut` elsewhere.
    Text,
    /// Whole records in an envelope.
    Json,
    /// A list of records with only these fields.
    Fields(Vec<String>),
}

/// Standard output, and how to use it.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) format: Format,
    on_terminal: bool,
}

/// Lines of cells under a header.
#[derive(Debug)]
pub(crate) struct Table<const COLUMNS: usize> {
    pub(crate) header: [&'static str; COLUMNS],
    pub(crate) rows: Vec<[String; COLUMNS]>,
}

/// An envelope with more in it.
#[derive(Serialize)]
struct Wider<'a> {
    #[serde(flatten)]
    envelope: Envelope<Value>,
    #[serde(flatten)]
    beside: &'a Map<String, Value>,
}

impl Output {
    pub(crate) fn new(format: Format) -> Self {
        Self {
            format,
            on_terminal: io::stdout().is_terminal(),
        }
    }

    /// Whether people read it.
    pub(crate) fn is_on_terminal(&self) -> bool {
        self.on_terminal
    }

    /// Refuses fields that no record has, before anything is done.
    pub(crate) fn check_fields(&self, known: &[&str]) -> Result<(), Failure> {
        match &self.format {
            Format::Fields(fields) => fields::check(fields, known).map_err(Failure::new),
            Format::Text | Format::Json => Ok(()),
        }
    }

    /// Jobs, one a line, or as a `JobList` with what [`Output::warn`] said elsewhere.
    pub(crate) fn jobs(&self, jobs: &[Job], warnings: Vec<String>) -> Result<(), Failure> {
        match self.format {
            Format::Text => self.table(&rows::of_jobs(jobs, &Waiting::default())),
            Format::Json | Format::Fields(_) => self.records("JobList", jobs, warnings),
        }
    }

    /// Records of a kind as JSON.
    pub(crate) fn records<T: Serialize>(
        &self,
        kind: &str,
        items: &[T],
        warnings: Vec<String>,
    ) -> Result<(), Failure> {
        self.records_beside(kind, items, warnings, &Map::new())
    }

    /// The same, with what the envelope has of this kind alone.
    pub(crate) fn records_beside<T: Serialize>(
        &self,
        kind: &str,
        items: &[T],
        warnings: Vec<String>,
        beside: &Map<String, Value>,
    ) -> Result<(), Failure> {
        let items: Vec<Value> = items
            .iter()
            .map(serde_json::to_value)
            .collect::<Result<_, _>>()
            .map_err(io::Error::from)?;
        match &self.format {
            Format::Fields(fields) => {
                let picked: Vec<_> = items
                    .iter()
                    .map(|item| fields::pick(item, fields))
                    .collect();
                self.json(&picked)?;
            }
            Format::Json | Format::Text => self.json(&Wider {
                envelope: Envelope {
                    warnings,
                    ..Envelope::new(kind, items)
                },
                beside,
            })?,
        }
        Ok(())
    }

    /// An error as JSON.
    pub(crate) fn error(&self, envelope: &ErrorEnvelope) -> io::Result<()> {
        self.json(envelope)
    }

    fn json<T: Serialize>(&self, value: &T) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        if self.on_terminal {
            serde_json::to_writer_pretty(&mut stdout, value)?;
        } else {
            serde_json::to_writer(&mut stdout, value)?;
        }
        stdout.write_all(b"\n")
    }

    /// A table with header and columns on a terminal; cells with tabs between, and no header, elsewhere.
    pub(crate) fn table<const COLUMNS: usize>(
        &self,
        table: &Table<COLUMNS>,
    ) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        if self.on_terminal {
            stdout.write_all(text::table(table.header, &table.rows).as_bytes())?;
        } else {
            for row in &table.rows {
                writeln!(
                    stdout,
                    "{}",
                    row.each_ref().map(|cell| one_line(cell)).join("\t")
                )?;
            }
        }
        Ok(())
    }

    /// Warnings on standard error, unless JSON has a place for them.
    pub(crate) fn warn(&self, warnings: &[String]) {
        let shown = match self.format {
            Format::Json => &[],
            Format::Text | Format::Fields(_) => warnings,
        };
        for warning in shown {
            remark(&format!("warning: {warning}"));
        }
    }
}

/// Lines for people, on a terminal or not.
pub(crate) fn print_lines(lines: &[String]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    for line in lines {
        writeln!(stdout, "{line}")?;
    }
    Ok(())
}

/// A line for people beside the output. When nobody sees it, nothing is left to do.
pub(crate) fn remark(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
