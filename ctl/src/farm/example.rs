//! A farm with something of everything, for tests.

use framepack_ipc::{
    control::{Note, WorkerState, WorkerStatus},
    estimate::{Basis, Estimate, Moment},
    farm::{
        DeviceStatus, FarmStatus, FolderSpace, GpuFigures, HostMemory, RecentFailure, RunningJob,
        Space,
    },
    queue::{QueueEntry, QueueView, Standing},
    worker::Temperature,
};
use framepack_jobs::{Code, JobId, Phase, Progress, StepTimeline, Timestamp};

const GIB: u64 = 1 << 30;

/// When it is like this.
pub(crate) fn now() -> Timestamp {
    "2026-11-28T22:30:00.000000Z".parse().unwrap()
}

/// Two GPUs, one of which renders.
pub(crate) fn farm() -> FarmStatus {
    FarmStatus {
        version: "0.1.0".to_owned(),
        up_since: "2026-11-28T13:18:00.000000Z".parse().unwrap(),
        uptime_secs: 33_120.0,
        paused: None,
        degraded: vec![Note {
            code: Code::SHARE_SILENT.into(),
            message: "/mnt/videos has not answered since 22:10: jobs with files there wait"
                .to_owned(),
            hint: Some("see whether the server is up".to_owned()),
        }],
        outages: Vec::new(),
        devices: vec![
            device("cuda:0", WorkerState::Busy, Some(317)),
            device("cuda:1", WorkerState::Idle, None),
        ],
        host: Some(HostMemory {
            total_bytes: 64 * GIB,
            free_bytes: 23 * GIB,
        }),
        running: vec![running()],
        queued: 2,
        drain: Some(Estimate {
            secs: 6.0 * 3600.0,
            low_secs: 5.0 * 3600.0,
            high_secs: 8.0 * 3600.0,
            basis: Basis::Similar { jobs: 2 },
        }),
        failures: vec![RecentFailure {
            id: JobId(314),
            name: "shot041/s2".to_owned(),
            code: Code::NOT_A_NUMBER.into(),
            message: "latents hold NaN in section 2".to_owned(),
            finished_at: "2026-11-28T22:05:00.000000Z".parse().unwrap(),
        }],
        disks: ["outputs", "state"].map(disk).into(),
    }
}

fn running() -> RunningJob {
    RunningJob {
        id: JobId(317),
        name: "shot042/s7".to_owned(),
        device: "cuda:0".to_owned(),
        started_at: "2026-11-28T22:26:00.000000Z".parse().unwrap(),
        paused: false,
        progress: Some(Progress {
            phase: Phase::Sample,
            section: 2,
            sections: 4,
            step: 18,
            steps: 25,
            timeline: StepTimeline::default(),
        }),
        secs_per_step: Some(1.41),
        left: Some(Estimate {
            secs: 112.0,
            low_secs: 104.0,
            high_secs: 120.0,
            basis: Basis::Progress,
        }),
        ends: None,
    }
}

fn device(name: &str, state: WorkerState, job: Option<u64>) -> DeviceStatus {
    let is_busy = job.is_some();
    DeviceStatus {
        worker: WorkerStatus {
            device: name.to_owned(),
            device_name: Some("NVIDIA GeForce RTX 4090".to_owned()),
            state,
            note: None,
            temperature: (!is_busy).then_some(Temperature::Hot),
            outage: None,
        },
        job: job.map(JobId),
        gpu: Some(GpuFigures {
            total_bytes: 24 * GIB,
            used_bytes: if is_busy {
                19 * GIB + GIB / 5
            } else {
                11 * GIB
            },
            foreign_bytes: Some(if is_busy { 0 } else { 2 * GIB }),
            temperature_celsius: Some(if is_busy { 61.0 } else { 44.0 }),
            power_watts: Some(if is_busy { 318.5 } else { 21.0 }),
            age_secs: if is_busy { 2.0 } else { 180.0 },
        }),
    }
}

fn disk(folder: &str) -> FolderSpace {
    FolderSpace {
        folder: folder.to_owned(),
        path: format!("/srv/{folder}").into(),
        space: Some(Space {
            total_bytes: 900 * GIB,
            free_bytes: 212 * GIB,
            age_secs: 1.0,
        }),
    }
}

/// Its queue.
pub(crate) fn queue() -> QueueView {
    let hour = Estimate {
        secs: 3600.0,
        low_secs: 3500.0,
        high_secs: 3700.0,
        basis: Basis::Measured { jobs: 3 },
    };
    let entry = |id, name: &str, standing, reason: &str| QueueEntry {
        begins: (standing == Standing::Ready).then(|| Moment::after(now(), hour)),
        ends: None,
        turn: None,
        id: JobId(id),
        name: name.to_owned(),
        standing,
        priority: 0,
        group: None,
        reason: reason.to_owned(),
        until: None,
    };
    QueueView {
        paused: None,
        paused_groups: Vec::new(),
        jobs: vec![
            entry(317, "shot042/s7", Standing::Running, "on cuda:0"),
            entry(
                318,
                "shot042/s8",
                Standing::Ready,
                "moved up: its model is loaded",
            ),
            entry(
                319,
                "shot043-the-harbour-at-dawn/s1",
                Standing::Held,
                "held by a user",
            ),
        ],
        drains: None,
        outages: Vec::new(),
    }
}
