//! What commands print on standard output: text for people, plain lines for scripts, or JSON; and remarks beside it.

use std::io::{self, IsTerminal, Write};

use framepack_ipc::{Envelope, ErrorEnvelope, text::one_line};
use framepack_jobs::{Job, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    cli::Look,
    failure::Failure,
    fields,
    rows::{self, Wording},
    terminal::{Terminal, cut::escaped, style::Style, table::Table},
    waiting::Waiting,
};

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

/// Standard output and standard error, and how to use them.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    pub(crate) format: Format,
    /// Standard output.
    pub(crate) terminal: Terminal,
    /// Standard error.
    errors: Terminal,
    look: Look,
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
    pub(crate) fn new(format: Format, look: &Look) -> Self {
        Self {
            format,
            terminal: Terminal::stdout(look.color),
            errors: Terminal::stderr(look.color),
            look: *look,
        }
    }

    /// The same with the terminal as it is now: its window may have changed.
    pub(crate) fn measured(&self) -> Self {
        Self::new(self.format.clone(), &self.look)
    }

    /// Whether text can be drawn in place.
    pub(crate) fn can_be_watched(&self) -> bool {
        self.format == Format::Text && io::stdout().is_terminal()
    }

    /// Refuses fields that no record has, before anything is done.
    pub(crate) fn check_fields(&self, known: &[&str]) -> Result<(), Failure> {
        match &self.format {
            Format::Fields(fields) => fields::check(fields, known).map_err(Failure::new),
            Format::Text | Format::Json => Ok(()),
        }
    }

    /// How times and sizes are written.
    pub(crate) fn wording(&self) -> Wording {
        if self.is_text_for_people() {
            Wording::Human {
                now: Timestamp::now(),
            }
        } else {
            Wording::Exact
        }
    }

    /// Whether text is printed, and people read it.
    pub(crate) fn is_text_for_people(&self) -> bool {
        self.format == Format::Text && self.terminal.is_read_by_people()
    }

    /// Text: lines for people, made for their terminal, or plain ones for programs.
    pub(crate) fn text(
        &self,
        people: impl FnOnce(&Terminal) -> Vec<String>,
        programs: impl FnOnce() -> Vec<String>,
    ) -> Result<(), Failure> {
        print_lines(&if self.terminal.is_read_by_people() {
            people(&self.terminal)
        } else {
            programs()
        })
    }

    /// The lines of a table for people.
    pub(crate) fn table(&self, table: &Table) -> Vec<String> {
        table.lines(&self.terminal, self.look.headings())
    }

    /// Jobs that a command was about, one a line, or as a `JobList` with what [`Output::warn`] said elsewhere.
    pub(crate) fn jobs(&self, jobs: &[Job], warnings: Vec<String>) -> Result<(), Failure> {
        match self.format {
            Format::Text => self.text(
                |terminal| {
                    let now = Timestamp::now();
                    let told = jobs.iter();
                    told.flat_map(|job| rows::told(job, terminal, now))
                        .collect()
                },
                || tab_separated(&rows::of_jobs(jobs, &Waiting::default())),
            ),
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

    /// An error: JSON on standard output if that was asked for, text on standard error otherwise.
    pub(crate) fn error(&self, envelope: &ErrorEnvelope) -> io::Result<()> {
        match self.format {
            Format::Text => self.tell_error(envelope),
            Format::Json | Format::Fields(_) => self.json(envelope),
        }
    }

    /// `error: … [FP2103]`, and what to do about it, on standard error.
    pub(crate) fn tell_error(&self, envelope: &ErrorEnvelope) -> io::Result<()> {
        if !self.errors.is_read_by_people() {
            return envelope.tell(&mut io::stderr());
        }
        let mut stderr = io::stderr().lock();
        for error in std::iter::once(&envelope.error).chain(&envelope.more) {
            let label = self.errors.paint(Style::Bad, "error:");
            let code = self.errors.paint(Style::Dim, &format!("[{}]", error.code));
            writeln!(stderr, "{label} {} {code}", harmless(&error.message))?;
            if let Some(hint) = &error.hint {
                let label = self.errors.paint(Style::Hint, "hint:");
                writeln!(stderr, "{label} {}", harmless(hint))?;
            }
        }
        Ok(())
    }

    fn json<T: Serialize>(&self, value: &T) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        if self.terminal.is_read_by_people() {
            serde_json::to_writer_pretty(&mut stdout, value)?;
        } else {
            serde_json::to_writer(&mut stdout, value)?;
        }
        stdout.write_all(b"\n")
    }

    /// Warnings on standard error, unless JSON has a place for them.
    pub(crate) fn warn(&self, warnings: &[String]) {
        let shown = match self.format {
            Format::Json => &[],
            Format::Text | Format::Fields(_) => warnings,
        };
        let label = self.errors.paint(Style::Warning, "warning:");
        for warning in shown {
            if self.errors.is_read_by_people() {
                remark(&format!("{label} {}", harmless(warning)));
            } else {
                remark(&format!("{label} {warning}"));
            }
        }
    }
}

/// Rows of cells with tabs between them, as `cut` takes them.
pub(crate) fn tab_separated<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> Vec<String> {
    let cells = |row: &[String; COLUMNS]| row.each_ref().map(|cell| one_line(cell));
    rows.iter().map(|row| cells(row).join("\t")).collect()
}

/// Lines of text in which a terminal finds nothing to obey.
fn harmless(text: &str) -> String {
    text.lines().map(escaped).collect::<Vec<_>>().join("\n")
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
