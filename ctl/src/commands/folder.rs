//! `folder`: the jobs folder.

use framepack_ipc::{
    Exit,
    client::ClientError,
    control::{Request, Response},
    folder::{Scan, WaitingFile},
};
use framepack_jobs::on_one_line;

use crate::{
    cli::Folder,
    daemon::Daemon,
    failure::Failure,
    output::{Format, Output},
    terminal::{
        Terminal,
        cut::escaped,
        style::Style,
        symbol::Symbol,
        table::{Cell, Column, Table},
    },
};

const COLUMNS: [Column; 3] = [
    Column::text("FILE").cut_to(16),
    Column::text("STATE"),
    Column::text("WHY").wrapped_to(24).rank(1),
];
const FIELDS: [&str; 8] = [
    "jobs",
    "duplicates",
    "rejected",
    "left",
    "waiting",
    "files",
    "passed_over",
    "notes",
];

pub(crate) fn run(action: &Folder, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    let Folder::Scan = action;
    output.check_fields(&FIELDS)?;
    let Response::Scanned(scan) = daemon.ask(&Request::Scan)? else {
        return Err(ClientError::Unexpected.into());
    };
    match output.format {
        Format::Text => output.text(
            |terminal| for_people(&scan, terminal, output),
            || lines(&scan),
        )?,
        Format::Json | Format::Fields(_) => output.records("FolderScan", &[scan], Vec::new())?,
    }
    Ok(Exit::Ok)
}

fn lines(scan: &Scan) -> Vec<String> {
    let mut lines = vec![summary(scan)];
    for file in &scan.files {
        lines.push(format!("{}: {}", on_one_line(&file.file), file.why));
    }
    lines.extend(unlisted(scan).map(|more| format!("… and {more} more")));
    for file in &scan.passed_over {
        lines.push(format!(
            "passed over: {}: {}",
            on_one_line(&file.file),
            file.why
        ));
    }
    for note in &scan.notes {
        lines.push(note.code.behind(&note.message));
    }
    lines
}

/// What was taken, and a table of the files that were not.
fn for_people(scan: &Scan, terminal: &Terminal, output: &Output) -> Vec<String> {
    let mut files = Table::new(COLUMNS);
    let mut push = |file: &WaitingFile, state: Cell| {
        files.push([
            Cell::new(on_one_line(&file.file), Style::Strong),
            state,
            Cell::from(&file.why),
        ]);
    };
    for file in &scan.files {
        push(file, Cell::new("waiting", Style::Waiting));
    }
    for file in &scan.passed_over {
        push(file, Cell::new("passed over", Style::Warning));
    }
    let mut lines = vec![terminal.paint(Style::Strong, &summary(scan))];
    lines.extend(output.lines_of(&files));
    let ellipsis = terminal.symbols.text(Symbol::Ellipsis);
    let more = unlisted(scan).map(|more| format!("{ellipsis} and {more} more"));
    lines.extend(more.map(|more| terminal.paint(Style::Dim, &more)));
    for note in &scan.notes {
        let note = note.code.behind(&escaped(&note.message));
        lines.push(terminal.paint(Style::Warning, &note));
    }
    lines
}

fn summary(scan: &Scan) -> String {
    format!(
        "{} new jobs, {} duplicates, {} rejected; {} waiting, {} left for later",
        scan.jobs, scan.duplicates, scan.rejected, scan.waiting, scan.left
    )
}

/// How many files wait that the answer does not name.
fn unlisted(scan: &Scan) -> Option<u64> {
    let more = scan.waiting.checked_sub(scan.files.len() as u64)?;
    Some(more).filter(|more| *more > 0)
}
