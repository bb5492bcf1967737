//! GPUs, as a stand-in for NVIDIA's management library tells of them.

use std::{fs, path::Path, process::Command};

use framepack_jobs::StateName;

use crate::{
    client::assert_code,
    fixture::{Farm, job},
};

/// A farm whose worker says that it is `cuda:0`, and the file that says what other programs hold of it.
pub(crate) fn farm() -> Farm {
    let mut farm = Farm::stopped();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/daemon/fake_nvml.c");
    let library = farm.path("nvml/libnvidia-ml.so.1");
    fs::create_dir(farm.path("nvml")).unwrap();
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(source)
        .status()
        .unwrap();
    assert!(compiled.success());
    farm.set_environment("LD_LIBRARY_PATH", farm.path("nvml"));
    farm.set_environment("FAKE_NVML_FOREIGN", farm.path("foreign"));
    let config = farm.path("framepackd.yaml");
    let on_gpu = fs::read_to_string(&config)
        .unwrap()
        .replace("devices: cpu", "devices: cuda:0");
    fs::write(config, on_gpu).unwrap();
    farm
}

#[test]
fn the_metrics_have_what_the_library_reports() {
    let mut farm = farm();
    fs::write(farm.path("foreign"), "1024").unwrap();
    farm.start();
    let output = farm.ctl(&["metrics"]);
    assert_code(&output, 0);
    let text = String::from_utf8(output.stdout).unwrap();
    for sample in [
        "memory_bytes{gpu=\"0\",name=\"a fake\"} 25769803776",
        "memory_used_bytes{gpu=\"0\",name=\"a fake\"} 1024",
        "temperature_celsius{gpu=\"0\",name=\"a fake\"} 61",
        "power_watts{gpu=\"0\",name=\"a fake\"} 318.5",
        "energy_joules{gpu=\"0\",name=\"a fake\"} 5",
    ] {
        assert!(
            text.contains(&format!("framepackd_gpu_{sample}\n")),
            "{sample}:\n{text}"
        );
    }
}

/// What the library takes is in a process that ends again, and a driver that hangs is waited for once.
#[test]
fn the_daemon_itself_never_loads_the_library() {
    let mut farm = farm();
    farm.set_environment("FAKE_NVML_HANG", farm.path("hang"));
    farm.start();
    farm.drop_job("cat.yaml", job("a cat"));
    assert_eq!(farm.report("cat").0, "done");
    let has_figures = |farm: &Farm| {
        let output = farm.ctl(&["metrics"]);
        assert_code(&output, 0);
        String::from_utf8_lossy(&output.stdout).contains("framepackd_gpu_power_watts{")
    };
    assert!(has_figures(&farm));
    let maps = fs::read_to_string(format!("/proc/{}/maps", farm.pid())).unwrap();
    assert!(!maps.contains("nvidia-ml"), "{maps}");
    farm.stop();

    fs::write(farm.path("hang"), "").unwrap();
    farm.start();
    farm.drop_job("dog.yaml", job("a dog"));
    assert_eq!(farm.report("dog").0, "done");
    assert!(!has_figures(&farm), "the driver does not answer");
}

#[test]
fn a_job_waits_for_others_who_use_its_gpu() {
    let namespace = fs::read_link("/proc/self/ns/pid").unwrap();
    let is_told_apart = namespace.as_os_str() == "pid:[4026531836]";
    let mut farm = farm();
    fs::write(farm.path("foreign"), (20u64 << 30).to_string()).unwrap();
    farm.start();
    farm.drop_job("oom.yaml", job("oom"));
    if is_told_apart {
        let waiting = farm.wait_until("it waits", |farm| {
            let job = farm.show("oom").pop()?;
            (job.is(StateName::Queued) && job.runs.last_failure.is_some()).then_some(job)
        });
        let why = waiting.runs.last_failure.unwrap().message;
        assert!(
            why.contains("other programs hold 20480 MiB of the device"),
            "{why}"
        );
        assert_eq!(waiting.runs.retries, 0, "waiting is no retry");
        fs::write(farm.path("foreign"), "0").unwrap();
    }
    // In another namespace of processes the daemon can't tell its own from others', and does not wait.
    assert_eq!(
        farm.report("oom").0,
        "failed",
        "it is the job's own fault in the end"
    );
}
