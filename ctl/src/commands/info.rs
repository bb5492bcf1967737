//! `info`: versions, paths, counts and limits.

use std::path::Path;

use framepack_ipc::{
    Exit,
    client::ClientError,
    control::{CONTROL_PROTOCOL, Request, Response},
    upkeep::{FarmInfo, FarmLimits, FarmPaths, WorkerProgram},
};
use framepack_jobs::Bytes;
use serde_json::{Map, json};

use crate::{
    daemon::Daemon,
    failure::Failure,
    output::{Format, Output, print_lines},
};

pub(crate) fn run(daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&FarmInfo::FIELDS)?;
    let Response::Info(info) = daemon.ask(&Request::Info)? else {
        return Err(ClientError::Unexpected.into());
    };
    match output.format {
        Format::Text => print_lines(&in_words(&info))?,
        Format::Json | Format::Fields(_) => {
            output.records_beside("FarmInfo", &[*info], Vec::new(), &client())?;
        }
    }
    Ok(Exit::Ok)
}

/// This program.
pub(crate) fn client() -> Map<String, serde_json::Value> {
    let program = std::env::current_exe().unwrap_or_default();
    let client = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "protocol": CONTROL_PROTOCOL,
        "program": program,
    });
    Map::from_iter([("client".to_owned(), client)])
}

/// `name: value`, a group after the other.
fn in_words(info: &FarmInfo) -> Vec<String> {
    let mut lines = vec![
        format!(
            "framepackctl: {} (protocol {CONTROL_PROTOCOL})",
            env!("CARGO_PKG_VERSION")
        ),
        format!(
            "framepackd: {} (protocol {}), process {}",
            info.version, info.protocol, info.pid
        ),
        format!("system: {}", info.system),
        format!(
            "NVIDIA driver: {}",
            info.driver.as_deref().unwrap_or("none")
        ),
    ];
    lines.extend(info.workers.iter().map(worker));
    lines.extend(paths(&info.paths));
    let jobs = info.jobs.iter().filter(|(_, count)| **count > 0);
    let jobs: Vec<String> = jobs
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    let jobs = if jobs.is_empty() {
        "none".to_owned()
    } else {
        jobs.join(", ")
    };
    lines.push(format!("jobs: {jobs}"));
    lines.extend(limits(&info.limits));
    lines
}

fn worker(worker: &WorkerProgram) -> String {
    let libtorch = worker.libtorch.as_deref().unwrap_or("unknown");
    format!(
        "worker {}: framepack-worker {}, libtorch {libtorch}, {} with {}",
        worker.device,
        worker.version,
        worker.device_name,
        Bytes(worker.device_total_bytes)
    )
}

fn paths(paths: &FarmPaths) -> Vec<String> {
    let named: [(&str, &Path); 7] = [
        ("socket", &paths.socket),
        ("jobs folder", &paths.jobs),
        ("outputs", &paths.outputs),
        ("state", &paths.state),
        ("models", &paths.bundle),
        ("framepackd is", &paths.daemon),
        ("framepack-worker is", &paths.worker),
    ];
    let mut lines: Vec<String> = named
        .into_iter()
        .map(|(name, path)| format!("{name}: {}", path.display()))
        .collect();
    let inputs = paths.inputs.iter();
    lines.extend(inputs.map(|path| format!("start images below: {}", path.display())));
    lines
}

fn limits(limits: &FarmLimits) -> Vec<String> {
    vec![
        format!("most jobs queued or running: {}", limits.jobs),
        format!("longest job file: {}", Bytes(limits.job_file_bytes)),
        format!("longest request: {}", Bytes(limits.request_bytes)),
        format!("longest response: {}", Bytes(limits.response_bytes)),
        format!(
            "most connections: {}, of one user {}",
            limits.connections, limits.connections_per_user
        ),
        format!(
            "most requests of one user: {} per second",
            limits.requests_per_sec
        ),
        format!("disk space left free: {}", Bytes(limits.disk_reserve_bytes)),
    ]
}
