//! The farm is at fault, and not the job: models, the worker's program, GPUs. Jobs wait, lose nothing, and go on by
//! themselves.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use framepack_ipc::control::{Outage, WorkerState};
use framepack_jobs::{Job, Model, StateName};

use crate::{
    client::assert_code,
    fixture::{Farm, binary, job},
};

impl Farm {
    /// Has the fake worker's models, or its device, be as this code says; `None`: sound.
    fn spoil(&self, what: &str, code: Option<&str>) {
        let file = self.path("state").join(what);
        match code {
            Some(code) => {
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, code).unwrap();
            }
            None => fs::remove_file(file).unwrap(),
        }
    }

    #[track_caller]
    fn outage(&self, code: &str) -> Outage {
        self.wait_until(&format!("{code} is told"), |farm| {
            let outages = farm.status().outages;
            outages.into_iter().find(|outage| outage.code == code)
        })
    }

    #[track_caller]
    fn assert_mended(&self) {
        self.wait_until("nothing is wrong any more", |farm| {
            farm.status().outages.is_empty().then_some(())
        });
    }

    fn ctl_says(&self, arguments: &[&str]) -> String {
        let output = self.ctl(arguments);
        let text = [output.stdout, output.stderr].concat();
        String::from_utf8(text).unwrap()
    }
}

fn assert_untouched(job: &Job) {
    let runs = (job.runs.attempts, job.runs.retries, job.runs.held);
    assert_eq!(runs, (0, 0, false), "job {}", job.id);
    assert_eq!(job.runs.retry_at, None);
    assert!(job.is(StateName::Queued));
}

#[test]
fn jobs_wait_for_their_model_lose_nothing_and_go_on_by_themselves() {
    let farm = Farm::new();
    farm.spoil("unusable-original", Some("FP3005"));
    let first = farm.queue_job("one", job("one"));
    let outage = farm.outage("FP3005");
    assert_eq!(
        (outage.models, outage.devices),
        (vec![Model::Original], vec![])
    );
    let others = [
        farm.queue_job("two", job("two")),
        farm.queue_job("three", job("three")),
    ];
    farm.wait_until("the job is back", |farm| {
        farm.show("one")
            .pop()
            .filter(|job| job.is(StateName::Queued))
    });
    farm.show("@queued").iter().for_each(assert_untouched);
    assert_eq!(farm.show("@queued").len(), 3);

    // Everywhere where a user may look.
    let status = farm.status();
    assert!(status.degraded.iter().any(|note| note.code == "FP3005"));
    let paused = status.paused.unwrap();
    assert!(
        paused.contains("until the farm is mended") && paused.contains("FP3005"),
        "{paused}"
    );
    for (arguments, says) in [
        (
            &["ping"][..],
            "run `framepackctl models fetch original --to ",
        ),
        (&["queue"], "waiting until the farm is mended: as "),
        (
            &["metrics"],
            "framepackd_outage_seconds{code=\"FP3005\",device=\"\",model=\"original\"}",
        ),
    ] {
        let told = farm.ctl_says(arguments);
        assert!(told.contains(says), "{says:?} is not in\n{told}");
    }
    farm.wait_for_status("FP3005: as ");
    farm.wait_for_status("tried again at");

    // A user's pause is another one, and stays. Resuming has the model tried, and ends nothing.
    assert_code(&farm.ctl(&["pause", "--all"]), 0);
    assert!(farm.status().paused.unwrap().contains("resume --all"));
    let told = farm.ctl_says(&["resume", "--all"]);
    assert!(
        told.contains("still wait until the farm is mended, which is tried again now"),
        "{told}"
    );
    farm.outage("FP3005");
    farm.spoil("unusable-original", None);
    assert_code(&farm.ctl(&["resume", "--all"]), 0);
    for id in [first, others[0], others[1]] {
        assert_eq!(farm.end_of(id), StateName::Done);
    }
    farm.assert_mended();
    for job in farm.show("@done") {
        assert_eq!(job.runs.attempts, 1, "job {}", job.id);
    }
    assert_eq!(farm.status().paused, None);
    let log = farm.log();
    assert_eq!(
        log.matches("jobs wait until this is mended").count(),
        1,
        "{log}"
    );
    assert_eq!(log.matches("mended, jobs go on").count(), 1, "{log}");
}

#[test]
fn one_job_tries_and_not_the_whole_queue() {
    let farm = Farm::new();
    farm.spoil("unusable-original", Some("FP3012"));
    for n in 0..20 {
        farm.queue_job(&format!("job{n}"), job(&format!("prompt {n}")));
    }
    farm.outage("FP3012");
    for _ in 0..3 {
        let before = farm.renders().len();
        assert_code(&farm.ctl(&["resume", "--all"]), 0);
        farm.wait_until("it is tried", |farm| {
            (farm.renders().len() > before).then_some(())
        });
    }
    farm.wait_until("it is over", |farm| {
        farm.show("@running").is_empty().then_some(())
    });
    assert_eq!(
        farm.renders().iter().max(),
        Some(&1),
        "the next in order, and no other"
    );
    assert!(
        farm.show("@queued")
            .iter()
            .all(|job| job.runs.attempts == 0)
    );
    assert_eq!(farm.show("@queued").len(), 20);
}

#[test]
fn jobs_of_another_model_go_on() {
    let farm = Farm::new();
    farm.spoil("unusable-f1", Some("FP3014"));
    let waits = farm.queue_job("waits", job("waits") + "model: f1\n");
    farm.outage("FP3014");
    let goes_on = farm.queue_job("goes-on", job("goes on"));
    assert_eq!(farm.end_of(goes_on), StateName::Done);
    let status = farm.status();
    assert_eq!(status.outages[0].models, [Model::F1]);
    let job = farm.show(&waits.to_string()).remove(0);
    assert_untouched(&job);
    // Cancelled meanwhile, it is cancelled, and not failed.
    farm.stop_job(waits);
    assert_eq!(farm.end_of(waits), StateName::Cancelled);
}

#[test]
fn a_daemon_starts_before_the_disk_with_its_models_is_mounted() {
    let mut farm = Farm::stopped();
    fs::rename(farm.path("bundle"), farm.path("later")).unwrap();
    farm.spoil("unusable-original", Some("FP3012"));
    farm.start();
    let outage = farm.outage("FP3012");
    assert!(
        outage.message.contains("bundle: no such folder"),
        "{outage:?}"
    );
    assert!(outage.models.is_empty(), "all jobs wait: {outage:?}");
    assert!(farm.status().paused.is_some());
    let id = farm.queue_job("cat", job("a cat"));
    // It tries, and waits.
    farm.wait_until("it was tried", |farm| {
        (!farm.renders().is_empty()).then_some(())
    });
    farm.spoil("unusable-original", None);
    fs::rename(farm.path("later"), farm.path("bundle")).unwrap();
    assert_eq!(farm.end_of(id), StateName::Done);
    farm.assert_mended();
}

#[test]
fn a_bundle_that_is_mended_while_no_job_can_try_is_known_to_be() {
    let mut farm = Farm::stopped();
    farm.spoil("unusable-original", Some("FP3001"));
    farm.start();
    for (n, blocked_by) in ["pause", "hold", "cancel"].into_iter().enumerate() {
        let id = farm.queue_job(&format!("cat{n}"), job(&format!("a cat {n}")));
        let number = id.to_string();
        farm.outage("FP3001");
        let arguments: &[&str] = match blocked_by {
            "pause" => &["pause", "--all"],
            other => &[other, &number],
        };
        assert_code(&farm.ctl(arguments), 0);
        // Files that change and look sound.
        farm.wait_until("it is over", |farm| {
            let framepack = farm.path("bundle/framepack.json");
            fs::write(framepack, "{}").unwrap();
            farm.status().outages.is_empty().then_some(())
        });
        if blocked_by == "pause" {
            assert_code(&farm.ctl(&["cancel", &number]), 0);
            assert_code(&farm.ctl(&["resume", "--all"]), 0);
        }
    }
}

/// A copy of the fake worker that can be taken away.
fn own_worker() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let worker = folder.path().join("worker");
    fs::copy(binary("examples/fake_worker"), &worker).unwrap();
    (folder, worker)
}

/// Puts a file in a program's place, as an installer does.
fn replace(program: &Path, text: &[u8], mode: u32) {
    let written = program.with_extension("new");
    fs::write(&written, text).unwrap();
    fs::set_permissions(&written, fs::Permissions::from_mode(mode)).unwrap();
    fs::rename(written, program).unwrap();
}

#[test]
fn a_worker_program_that_is_missing_or_broken_is_named_and_waited_for() {
    let (_folder, worker) = own_worker();
    let sound = fs::read(&worker).unwrap();
    let mut farm = Farm::with_worker(&worker, Path::new("bundle"));
    // No number of tries disables the device.
    farm.set(&[("WORKER_MAX_FAULTS", "1"), ("WORKER_RECYCLE_AFTER", "1")]);
    farm.start();
    farm.wait_for_worker("cpu", WorkerState::Idle);
    let library = "#!/bin/sh\necho 'worker: error while loading shared libraries: libtorch_cpu.so: cannot open shared object file: No such file or directory' >&2; exit 127\n";
    for (n, (text, mode, code, says)) in [
        (None, 0, "FP7110", "No such file"),
        (Some(library), 0o755, "FP7111", "libtorch_cpu.so"),
        (
            Some("#!/no/such/shell\n"),
            0o755,
            "FP7110",
            "its loader or interpreter is missing",
        ),
        (Some("\x7fELF, half of it"), 0o755, "FP7110", "worker"),
        (Some("#!/bin/sh\n"), 0o644, "FP7110", "Permission denied"),
        (Some("#!/bin/sh\necho hello\n"), 0o755, "FP7112", "hello"),
        (
            Some("#!/bin/sh\nkill -SEGV $$\n"),
            0o755,
            "FP7113",
            "signal 11",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        match text {
            None => fs::remove_file(&worker).unwrap(),
            Some(text) => replace(&worker, text.as_bytes(), mode),
        }
        // The worker that runs is replaced after its job.
        let last = farm.queue_job(&format!("last{n}"), job(&format!("last {n}")));
        assert_eq!(farm.end_of(last), StateName::Done, "{code}");
        let outage = farm.outage(code);
        assert!(outage.message.contains(says), "{says:?}: {outage:?}");
        assert_eq!(outage.devices, ["cpu"]);
        let waits = farm.queue_job(&format!("waits{n}"), job(&format!("waits {n}")));
        assert!(farm.status().paused.unwrap().contains(code));
        assert_eq!(farm.worker("cpu").state, WorkerState::Down);
        assert_untouched(&farm.show(&waits.to_string()).remove(0));
        let queue = farm.ctl_says(&["queue"]);
        assert!(queue.contains("waiting for cpu: "), "{queue}");
        assert!(!queue.contains("in order of submission"), "{queue}");
        let json = farm.ctl(&["queue", "--json"]).stdout;
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json["outages"][0]["code"], code);
        if n == 0 {
            let doctor = farm.ctl(&["doctor"]);
            assert_code(&doctor, 13);
            let doctor = String::from_utf8(doctor.stdout).unwrap();
            assert!(doctor.contains("FAILED  queue: "), "{doctor}");
            // Its own advice, for the queue and for the device.
            assert_eq!(
                doctor.matches("or correct `worker.program`").count(),
                2,
                "{doctor}"
            );
            assert!(!doctor.contains("if somebody paused it"), "{doctor}");
        }
        replace(&worker, &sound, 0o755);
        assert_eq!(farm.end_of(waits), StateName::Done, "{code}");
        assert_eq!(farm.show(&waits.to_string())[0].runs.attempts, 1);
        farm.wait_for_worker("cpu", WorkerState::Idle);
    }
    let log = farm.log();
    assert_eq!(
        log.matches("jobs wait until this is mended").count(),
        7,
        "{log}"
    );
}

#[test]
fn a_daemon_starts_before_its_worker_is_installed() {
    let (folder, worker) = own_worker();
    let mut farm = Farm::with_worker(&worker, Path::new("bundle"));
    let away = folder.path().with_extension("away");
    fs::rename(folder.path(), &away).unwrap();
    farm.start();
    let outage = farm.outage("FP7110");
    assert!(outage.hint.unwrap().contains("worker.program"));
    fs::rename(&away, folder.path()).unwrap();
    farm.wait_for_worker("cpu", WorkerState::Idle);
    farm.assert_mended();
}

/// Devices are found by the system's files, which here have no GPU.
fn auto(rendered_on: &str) -> Farm {
    let mut farm = Farm::stopped();
    farm.replace_in_config("devices: cpu", "devices: auto");
    fs::create_dir_all(farm.path("state")).unwrap();
    fs::write(farm.path("state/gpus.json"), rendered_on).unwrap();
    // As the real worker does where there is no driver.
    farm.spoil("unready-cuda:0", Some("FP5005"));
    farm.start();
    farm
}

fn has_gpu() -> bool {
    fs::read_dir("/proc/driver/nvidia/gpus").is_ok() || fs::metadata("/dev/nvidiactl").is_ok()
}

#[test]
fn a_farm_that_has_had_a_gpu_does_not_slide_to_the_cpu() {
    if has_gpu() {
        return;
    }
    let mut farm = auto(r#"{"rendered_on":[0]}"#);
    let outage = farm.wait_until("it waits", |farm| farm.status().outages.pop());
    assert!(
        outage
            .message
            .contains("jobs were rendered on a GPU before, and wait for it"),
        "{outage:?}"
    );
    assert_eq!(outage.devices, ["cuda:0"]);
    let id = farm.queue_job("cat", job("a cat"));
    assert!(farm.status().paused.is_some());
    let doctor = farm.ctl_says(&["doctor"]);
    assert!(doctor.contains("FAILED  nvidia: "), "{doctor}");
    assert!(doctor.contains("rendered on a GPU before"), "{doctor}");
    // The driver is back.
    farm.spoil("unready-cuda:0", None);
    assert_eq!(farm.end_of(id), StateName::Done);
    farm.assert_mended();

    // On the CPU if that is what the operator wants; the GPU is forgotten then.
    farm.stop();
    farm.replace_in_config("devices: auto", "devices: cpu");
    farm.start();
    farm.wait_for_worker("cpu", WorkerState::Idle);
    farm.stop();
    farm.replace_in_config("devices: cpu", "devices: auto");
    farm.start();
    farm.wait_for_worker("cpu", WorkerState::Idle);
}

#[test]
fn a_gpu_that_rendered_is_remembered_and_one_of_several_may_be_missing() {
    let mut farm = Farm::with_settings(&[("WORKER_DEVICES", "cuda:0,cuda:1")]);
    let known = || fs::read_to_string(farm.path("state/gpus.json")).unwrap_or_default();
    assert_eq!(known(), "", "nothing was rendered yet");
    let gate = farm.path("gate");
    let prompt = |n| format!("script sections=1 wait={} #{n}", gate.display());
    let ids = [
        farm.queue_job("a", job(&prompt(1))),
        farm.queue_job("b", job(&prompt(2))),
    ];
    farm.wait_until("both run", |farm| (farm.renders().len() == 2).then_some(()));
    fs::write(&gate, "").unwrap();
    for id in ids {
        assert_eq!(farm.end_of(id), StateName::Done);
    }
    farm.wait_until("both are known", |_| {
        (known() == r#"{"rendered_on":[0,1]}"#).then_some(())
    });

    farm.stop();
    farm.spoil("unready-cuda:1", Some("FP5005"));
    farm.start();
    farm.wait_for_worker("cuda:1", WorkerState::Down);
    let status = farm.status();
    assert_eq!(status.outages[0].devices, ["cuda:1"]);
    assert_eq!(status.paused, None, "the other one goes on");
    let next = farm.queue_job("next", job("next"));
    assert_eq!(farm.end_of(next), StateName::Done);
}

#[test]
fn failed_jobs_are_retried_by_their_code_or_class() {
    let farm = Farm::new();
    for (name, prompt) in [("nan", "nan"), ("oom", "oom 3"), ("gone", "lie")] {
        farm.queue_job(name, job(prompt));
    }
    farm.wait_until("all have failed", |farm| {
        (farm.show("@failed").len() == 3).then_some(())
    });
    for (selector, name) in [
        ("@failed:oom", "oom"),
        ("@failed:FP7002", "gone"),
        ("@failed:numerics", "nan"),
    ] {
        let found: Vec<String> = farm
            .show(selector)
            .into_iter()
            .map(|job| job.name)
            .collect();
        assert_eq!(found, [name], "{selector}");
    }
    assert_code(&farm.ctl(&["retry", "@failed:oom"]), 0);
    farm.wait_until("it is done", |farm| {
        farm.show("oom").pop().filter(|job| job.is(StateName::Done))
    });
    assert_eq!(farm.show("@failed").len(), 2);
    let none = farm.ctl(&["retry", "@failed:FP3012"]);
    assert_code(&none, 0);
    let stderr = String::from_utf8(none.stderr).unwrap();
    assert!(stderr.contains("no failed job with FP3012"), "{stderr}");
    let unknown = farm.ctl(&["retry", "@failed:omm"]);
    assert_code(&unknown, 2);
    let stderr = String::from_utf8(unknown.stderr).unwrap();
    assert!(stderr.contains("did you mean `@failed:oom`?"), "{stderr}");
}
