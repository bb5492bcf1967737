//! What commands print on standard output: text for people, plain lines for scripts, or JSON; and remarks beside it.

use std::io::{self, Write};

use framepack_ipc::{
    Envelope, ErrorEnvelope,
    text::{harmless, one_line},
};
use framepack_jobs::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    failure::Failure,
    fields,
    terminal::{
        self, ColourChoice, Terminal,
        style::Style,
        table::{self, Cell, Column, Headings},
        wording::Wording,
    },
};

/// How far cells of text are cut, and those of the last column broken into lines.
const LEAST_COLUMNS: usize = 12;
const LEAST_COLUMNS_OF_LAST: usize = 24;

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
    colour: ColourChoice,
    headings: Headings,
}

/// Rows of cells for programs, and their header for people where they are shown the same.
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
    pub(crate) fn new(format: Format, colour: ColourChoice, headings: Headings) -> Self {
        Self {
            format,
            terminal: Terminal::stdout(colour),
            errors: Terminal::stderr(colour),
            colour,
            headings,
        }
    }

    /// The same with the terminal as it is now: its window may have changed.
    pub(crate) fn measured(&self) -> Self {
        Self::new(self.format.clone(), self.colour, self.headings)
    }

    /// Whether text can be drawn in place.
    pub(crate) fn can_be_watched(&self) -> bool {
        self.format == Format::Text && terminal::can_be_drawn_on()
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
        if self.terminal.is_read_by_people() {
            print_as_is(&people(&self.terminal))
        } else {
            print_lines(&programs())
        }
    }

    /// A table that people and programs are shown alike: in columns, and with tabs.
    pub(crate) fn table<const COLUMNS: usize>(
        &self,
        table: &Table<COLUMNS>,
    ) -> Result<(), Failure> {
        self.text(|_| self.lines_of(&table.into()), || tab_separated(table))
    }

    /// The lines of a table for people.
    pub(crate) fn lines_of(&self, table: &table::Table) -> Vec<String> {
        table.lines(&self.terminal, self.headings)
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
            tell(&format!("{label} {}", harmless(warning)));
        }
    }
}

impl<const COLUMNS: usize> From<&Table<COLUMNS>> for table::Table {
    /// The first column stays; of the others the last ones are narrowed and left out first. The last one loses nothing.
    fn from(from: &Table<COLUMNS>) -> Self {
        let columns = from.header.iter().enumerate().map(|(i, heading)| {
            let mut cells = from.rows.iter().map(|row| &row[i]);
            let column = if cells.all(|cell| is_number(cell)) {
                Column::number(heading)
            } else if i + 1 == COLUMNS {
                Column::text(heading).wrapped_to(LEAST_COLUMNS_OF_LAST)
            } else {
                Column::text(heading).cut_to(LEAST_COLUMNS)
            };
            column.rank(i.try_into().unwrap_or(u8::MAX))
        });
        let mut table = Self::new(columns.collect::<Vec<_>>());
        for row in &from.rows {
            table.push(row.each_ref().map(|cell| Cell::from(cell.as_str())));
        }
        table
    }
}

/// `7`, `19.2 GiB`, or nothing.
fn is_number(cell: &str) -> bool {
    cell.chars()
        .next()
        .is_none_or(|first| first.is_ascii_digit())
}

/// Rows of cells with tabs between them, as `cut` takes them.
pub(crate) fn tab_separated<const COLUMNS: usize>(table: &Table<COLUMNS>) -> Vec<String> {
    let cells = |row: &[String; COLUMNS]| row.each_ref().map(|cell| one_line(cell));
    table.rows.iter().map(|row| cells(row).join("\t")).collect()
}

/// Plain lines; a terminal obeys nothing in them.
pub(crate) fn print_lines(lines: &[String]) -> Result<(), Failure> {
    let lines: Vec<String> = lines.iter().map(|line| harmless(line)).collect();
    print_as_is(&lines)
}

/// Lines that are JSON, or made for a terminal: with colours, and with what came from elsewhere escaped already.
pub(crate) fn print_as_is(lines: &[String]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    for line in lines {
        writeln!(stdout, "{line}")?;
    }
    Ok(())
}

/// A plain line for people beside the output; a terminal obeys nothing in it.
pub(crate) fn remark(line: &str) {
    tell(&harmless(line));
}

/// A line on standard error. When nobody sees it, nothing is left to do.
fn tell(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_for_all_has_its_numbers_on_the_right() {
        let mut output = Output::new(Format::Text, ColourChoice::Never, Headings::Shown);
        output.terminal.width = 28;
        let row = |name: &str, size: &str| [name.to_owned(), size.to_owned(), "a note".to_owned()];
        let table = Table {
            header: ["NAME", "SIZE", "NOTE"],
            rows: vec![row("outputs", "19.2 GiB"), row("state", "4.0 KiB")],
        };
        let expected = [
            "NAME         SIZE  NOTE",
            "outputs  19.2 GiB  a note",
            "state     4.0 KiB  a note",
        ];
        assert_eq!(output.lines_of(&(&table).into()), expected);
        assert_eq!(tab_separated(&table)[1], "state\t4.0 KiB\ta note");
    }
}
