//! `cache`: what workers keep to find it again.

use framepack_ipc::{
    Exit,
    client::ClientError,
    control::{Request, Response},
    upkeep::{Cache, CacheRequest},
};

use crate::{
    cli::CacheAction,
    daemon::Daemon,
    failure::Failure,
    output::{Format, Output, Table, remark},
    terminal::size,
};

const FIELDS: [&str; 5] = ["kind", "path", "files", "bytes", "without"];

pub(crate) fn run(action: &CacheAction, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&FIELDS)?;
    let (request, clears) = match action {
        CacheAction::Ls => (CacheRequest::List, false),
        CacheAction::Clear { kind } => (CacheRequest::Clear { kind: *kind }, true),
    };
    let Response::Caches { caches } = daemon.ask(&Request::Caches(request))? else {
        return Err(ClientError::Unexpected.into());
    };
    match output.format {
        Format::Text => {
            output.table(&table(&caches))?;
            if clears {
                remark(&cleared(&caches));
            }
        }
        Format::Json | Format::Fields(_) => output.records("CacheList", &caches, Vec::new())?,
    }
    Ok(Exit::Ok)
}

fn table(caches: &[Cache]) -> Table<5> {
    let row = |cache: &Cache| {
        [
            cache.kind.to_string(),
            size::bytes(cache.bytes),
            cache.files.to_string(),
            cache.path.display().to_string(),
            cache.without.clone(),
        ]
    };
    Table {
        header: ["CACHE", "SIZE", "FILES", "PATH", "WITHOUT IT"],
        rows: caches.iter().map(row).collect(),
    }
}

fn cleared(caches: &[Cache]) -> String {
    let files: u64 = caches.iter().map(|cache| cache.files).sum();
    let bytes = size::bytes(caches.iter().map(|cache| cache.bytes).sum());
    match files {
        1 => format!("removed 1 file, {bytes}"),
        files => format!("removed {files} files, {bytes}"),
    }
}
