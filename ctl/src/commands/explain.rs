//! `explain`: what an error code means. Asks no daemon.

use framepack_ipc::Exit;
use framepack_jobs::Code;
use serde::Serialize;

use crate::{
    failure::Failure,
    output::{Format, Output},
    terminal::{
        style::Style,
        table::{Cell, labelled},
    },
};

/// A row of the table, as JSON.
#[derive(Debug, Serialize)]
struct Explanation {
    code: &'static str,
    class: &'static str,
    fault: &'static str,
    meaning: &'static str,
    hint: &'static str,
}

pub(crate) fn run(code: Code, output: &Output) -> Result<Exit, Failure> {
    let row = Explanation {
        code: code.as_str(),
        class: code.class().as_str(),
        fault: code.fault().as_str(),
        meaning: code.meaning(),
        hint: code.hint(),
    };
    match output.format {
        Format::Text => output.text(
            |terminal| {
                let facts = [
                    (row.code, Cell::new(row.meaning, Style::Strong)),
                    ("what to do", Cell::new(row.hint, Style::Hint)),
                    ("class", row.class.into()),
                    ("at fault", row.fault.into()),
                ];
                labelled(&facts, terminal)
            },
            || {
                vec![
                    format!("{code}: {}", row.meaning),
                    format!("what to do: {}", row.hint),
                    format!("class: {}; at fault: {}", row.class, row.fault),
                ]
            },
        )?,
        Format::Json | Format::Fields(_) => output.records("ErrorCode", &[row], Vec::new())?,
    }
    Ok(Exit::Ok)
}
