//! `gc`: what nobody needs is removed now.

use framepack_ipc::{
    Exit,
    client::ClientError,
    control::{Request, Response},
    upkeep::{Collected, GcMode, GcRequest, Junk},
};

use crate::{
    cli::Gc,
    daemon::Daemon,
    failure::Failure,
    output::{Format, Output, Table, remark},
    terminal::size,
};

const FIELDS: [&str; 3] = ["kind", "path", "bytes"];

pub(crate) fn run(arguments: &Gc, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&FIELDS)?;
    let mode = if arguments.dry_run {
        GcMode::DryRun
    } else {
        GcMode::Remove
    };
    let Response::Collected(collected) = daemon.ask(&Request::Gc(GcRequest { mode }))? else {
        return Err(ClientError::Unexpected.into());
    };
    match output.format {
        Format::Text => {
            output.table(&table(&collected.items))?;
            collected.remarks.iter().for_each(|line| remark(line));
            remark(&summary(&collected));
        }
        Format::Json | Format::Fields(_) => {
            output.records("JunkList", &collected.items, collected.remarks)?;
        }
    }
    Ok(Exit::Ok)
}

fn table(items: &[Junk]) -> Table<3> {
    let row = |junk: &Junk| {
        [
            junk.kind.as_str().to_owned(),
            size::bytes(junk.bytes),
            junk.path.display().to_string(),
        ]
    };
    Table {
        header: ["WHAT", "SIZE", "PATH"],
        rows: items.iter().map(row).collect(),
    }
}

fn summary(collected: &Collected) -> String {
    let bytes = size::bytes(collected.items.iter().map(|junk| junk.bytes).sum());
    let count = collected.items.len();
    let things = if count == 1 {
        "file or folder"
    } else {
        "files and folders"
    };
    match collected.mode {
        GcMode::Remove => format!("removed {count} {things}, {bytes}"),
        GcMode::DryRun => format!("would remove {count} {things}, {bytes}"),
    }
}
