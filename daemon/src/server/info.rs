//! `info`: versions, paths and limits.

use framepack_ipc::{
    ErrorEnvelope,
    control::{CONTROL_PROTOCOL, MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES, Response},
    upkeep::{FarmInfo, FarmLimits, FarmPaths, WorkerProgram},
    worker::{WORKER_PROTOCOL, WorkerInfo},
};
use framepack_jobs::MAX_FILE_BYTES;
use nix::sys::utsname::uname;

use super::{
    limits::{MAX_CONNECTIONS, MAX_CONNECTIONS_OF_USER, REQUESTS_PER_SEC},
    service::Service,
};
use crate::nvidia::Nvidia;

pub(super) async fn info(service: &Service) -> Result<Response, ErrorEnvelope> {
    Ok(Response::Info(Box::new(FarmInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: CONTROL_PROTOCOL,
        worker_protocol: WORKER_PROTOCOL,
        pid: std::process::id(),
        uptime_secs: service.started.elapsed().as_secs_f64(),
        system: system(),
        driver: Nvidia::look().module,
        workers: service.announced.all().into_iter().map(program).collect(),
        paths: paths(service),
        jobs: service.queue.counts().await?,
        limits: limits(service),
    })))
}

fn system() -> String {
    uname().map_or_else(
        |_| String::new(),
        |name| {
            let parts = [name.sysname(), name.release(), name.machine()];
            parts.map(|part| part.to_string_lossy()).join(" ")
        },
    )
}

fn program(worker: WorkerInfo) -> WorkerProgram {
    WorkerProgram {
        device: worker.device,
        device_name: worker.device_name,
        device_total_bytes: worker.device_total_bytes,
        version: worker.version,
        libtorch: worker.libtorch,
    }
}

fn paths(service: &Service) -> FarmPaths {
    let config = &service.running.now().config;
    FarmPaths {
        daemon: std::env::current_exe().unwrap_or_default(),
        worker: service.doctor.worker.clone(),
        socket: config.paths.socket.clone(),
        jobs: config.paths.jobs.clone(),
        outputs: config.paths.outputs.clone(),
        state: config.paths.state.clone(),
        inputs: config.paths.inputs.clone(),
        bundle: config.models.bundle.clone(),
    }
}

fn limits(service: &Service) -> FarmLimits {
    let config = &service.running.now().config;
    FarmLimits {
        jobs: config.queue.max_jobs,
        job_file_bytes: MAX_FILE_BYTES as u64,
        request_bytes: MAX_REQUEST_BYTES as u64,
        response_bytes: MAX_RESPONSE_BYTES as u64,
        connections: MAX_CONNECTIONS as u64,
        connections_per_user: MAX_CONNECTIONS_OF_USER as u64,
        requests_per_sec: REQUESTS_PER_SEC as u64,
        disk_reserve_bytes: config.disk.reserve_mib << 20,
    }
}
