//! `folder`: the jobs folder.

use framepack_ipc::{
    Exit,
    client::ClientError,
    control::{Request, Response},
    folder::Scan,
};
use framepack_jobs::on_one_line;

use crate::{
    cli::Folder,
    daemon::Daemon,
    failure::Failure,
    output::{Format, Output, print_lines},
};

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
        Format::Text => print_lines(&lines(&scan))?,
        Format::Json | Format::Fields(_) => output.records("FolderScan", &[scan], Vec::new())?,
    }
    Ok(Exit::Ok)
}

fn lines(scan: &Scan) -> Vec<String> {
    let mut lines = vec![format!(
        "{} new jobs, {} duplicates, {} rejected; {} waiting, {} left for later",
        scan.jobs, scan.duplicates, scan.rejected, scan.waiting, scan.left
    )];
    for file in &scan.files {
        lines.push(format!("{}: {}", on_one_line(&file.file), file.why));
    }
    if let Some(more) = scan.waiting.checked_sub(scan.files.len() as u64)
        && more > 0
    {
        lines.push(format!("… and {more} more"));
    }
    for file in &scan.passed_over {
        lines.push(format!(
            "passed over: {}: {}",
            on_one_line(&file.file),
            file.why
        ));
    }
    for note in &scan.notes {
        lines.push(format!("{} [{}]", note.message, note.code));
    }
    lines
}
