//! `status`: what the daemon knows of the farm, and that it waits for nothing to tell it.

use std::{
    fs,
    time::{Duration, Instant},
};

use framepack_ipc::{
    control::{Request, Response, WorkerState},
    farm::FarmStatus,
};
use framepack_jobs::JobId;

use crate::{client::assert_code, fixture::Farm, gpu};

/// Far longer than an answer takes, and shorter than anything that hangs is waited for.
const AT_ONCE: Duration = Duration::from_secs(2);

impl Farm {
    /// The farm at a glance, which must not take long.
    #[track_caller]
    pub(crate) fn glance(&self) -> FarmStatus {
        let mut client = self.client();
        let asked = Instant::now();
        let answer = client.call(&Request::Farm).unwrap();
        let took = asked.elapsed();
        assert!(took < AT_ONCE, "the answer took {took:?}");
        match answer {
            Response::Farm(farm) => *farm,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_farm_is_told_with_its_devices_jobs_failures_and_folders() {
    let mut farm = gpu::farm();
    fs::write(farm.path("foreign"), "1024").unwrap();
    farm.start();
    farm.drop_prompt("nan.yaml", "script nan@1*9");
    assert_eq!(farm.report("nan").0, "failed");
    let running = farm.submit_gated();
    let told = farm.wait_until("the driver has told its figures", |farm| {
        Some(farm.glance()).filter(|told| told.devices[0].gpu.is_some())
    });
    let device = &told.devices[0];
    assert_eq!(device.worker.device, "cuda:0");
    assert_eq!(device.worker.state, WorkerState::Busy);
    assert_eq!(device.job, Some(running.id));
    let gpu = device.gpu.unwrap();
    assert_eq!((gpu.total_bytes, gpu.used_bytes), (24 << 30, 1024));
    assert_eq!(
        (gpu.temperature_celsius, gpu.power_watts),
        (Some(61.0), Some(318.5))
    );
    let job = &told.running[0];
    assert_eq!(
        (job.id, job.name.as_str(), job.device.as_str()),
        (running.id, "gated", "cuda:0")
    );
    assert_eq!(told.queued, 0);
    let failure = &told.failures[0];
    assert_eq!((failure.id, failure.code.as_str()), (JobId(1), "FP5004"));
    let host = told.host.unwrap();
    assert!(host.free_bytes > 0 && host.free_bytes < host.total_bytes);
    for (disk, folder) in told.disks.iter().zip(["outputs", "state"]) {
        assert_eq!(disk.folder, folder);
        let space = disk.space.unwrap();
        assert!(space.free_bytes > 0 && space.free_bytes <= space.total_bytes);
    }
    let output = farm.ctl(&["status"]);
    assert_code(&output, 0);
    let lines = String::from_utf8(output.stdout).unwrap();
    assert!(
        lines.contains("\ndevice\tcuda:0\tbusy\t2\t1024\t25769803776\t61\t318\t"),
        "{lines}"
    );
}

#[test]
fn a_driver_that_hangs_keeps_nobody_waiting() {
    let mut farm = gpu::farm();
    farm.set_environment("FAKE_NVML_HANG", farm.path("hang"));
    fs::write(farm.path("hang"), "").unwrap();
    farm.start();
    assert_eq!(farm.glance().devices[0].gpu, None);
}
