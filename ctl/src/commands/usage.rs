//! `usage`: disk space, energy and hours.

use framepack_ipc::{
    Exit,
    client::ClientError,
    control::{Request, Response},
    upkeep::{FolderUsage, Measured, Usage, UsageRequest, WorkUsage},
};

use crate::{
    cli::{self, Since},
    daemon::Daemon,
    failure::Failure,
    output::{Format, Output, Table, print_lines},
    terminal::size,
};

pub(crate) fn run(
    arguments: &cli::Usage,
    daemon: &Daemon,
    output: &Output,
) -> Result<Exit, Failure> {
    output.check_fields(&Usage::FIELDS)?;
    let since = arguments.since.map(|Since(time)| time);
    let Response::Usage(usage) = daemon.ask(&Request::Usage(UsageRequest { since }))? else {
        return Err(ClientError::Unexpected.into());
    };
    match output.format {
        Format::Text => {
            output.table(&folders(&usage.folders))?;
            if !usage.work.is_empty() {
                print_lines(&[String::new()])?;
                output.table(&work(&usage.work))?;
            }
        }
        Format::Json | Format::Fields(_) => output.records("Usage", &[usage], Vec::new())?,
    }
    Ok(Exit::Ok)
}

fn folders(folders: &[FolderUsage]) -> Table<5> {
    let row = |folder: &FolderUsage| {
        let size = match folder.measured {
            Measured::All => size::bytes(folder.bytes),
            Measured::Part | Measured::Unknown => format!("over {}", size::bytes(folder.bytes)),
            Measured::Silent => "no answer".to_owned(),
        };
        let free = folder.free_bytes.map(size::bytes);
        [
            folder.name.clone(),
            size,
            folder.files.to_string(),
            free.unwrap_or_default(),
            folder.path.display().to_string(),
        ]
    };
    Table {
        header: ["FOLDER", "SIZE", "FILES", "FREE", "PATH"],
        rows: folders.iter().map(row).collect(),
    }
}

fn work(work: &[WorkUsage]) -> Table<7> {
    let row = |usage: &WorkUsage| {
        let energy = usage.energy_wh().map(|wh| format!("{wh:.1} Wh"));
        [
            usage.day.clone(),
            usage.group.clone().unwrap_or_default(),
            usage.done.to_string(),
            usage.others.to_string(),
            format!("{:.2} h", usage.render_secs / 3600.0),
            format!("{:.1} s", usage.video_secs),
            energy.unwrap_or_default(),
        ]
    };
    Table {
        header: [
            "DAY",
            "GROUP",
            "DONE",
            "OTHERS",
            "RENDERING",
            "VIDEO",
            "ENERGY",
        ],
        rows: work.iter().map(row).collect(),
    }
}
