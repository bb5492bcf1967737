//! Workers that hang, fault, grow old, idle and do not listen.

use std::{
    fs,
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use framepack_ipc::{
    client::ClientError,
    control::{DeviceRequest, EnableOutcome, Request, Response, WorkerState},
    worker::Temperature,
};
use framepack_jobs::{JobId, JobState, StateName};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::{
    cancelling::Moments,
    client::assert_code,
    fixture::{Farm, job},
};

/// Long enough for a busy machine, short enough for a test.
const SHORT_DEADLINES: [(&str, &str); 2] = [
    ("WORKER_FIRST_STEP_DEADLINE_SECS", "3"),
    ("WORKER_MIN_STEP_DEADLINE_SECS", "3"),
];

fn latents(report: &Value) -> &Value {
    &report["job"]["result"]["latents_sha256"]
}

#[test]
fn a_worker_that_hangs_is_killed_and_its_job_goes_on() {
    for (stem, fault) in [("deaf", "hang@1.2"), ("stopped", "stop@1.2")] {
        let farm = Farm::with_settings(&SHORT_DEADLINES);
        farm.drop_prompt(&format!("{stem}.yaml"), &format!("script {fault}"));
        let (outcome, report) = farm.report(stem);
        assert_eq!(outcome, "done", "{fault}: {report:#}");
        assert!(report["job"]["attempts"].as_u64() > Some(1), "{fault}");
        let resumed = &report["job"]["result"]["resumed"];
        assert_eq!(resumed["sections_done"], 1, "{fault}: {report:#}");
        let log = farm.log();
        assert!(log.contains("no sign of life for"), "{log}");
        assert!(log.contains("in section 2 of 2, step 2 of 3"), "{log}");
    }
}

/// The worker's last words wait in its pipe while the daemon stands still beyond the worker's deadline.
#[test]
fn a_daemon_that_stood_still_reads_what_was_said_meanwhile() {
    let farm = Farm::with_settings(&SHORT_DEADLINES);
    let (id, gate) = gated(&farm, "cat", "sections=1 steps=1");
    farm.signal(Signal::SIGSTOP);
    let stopped = Instant::now();
    fs::write(gate, "").unwrap();
    farm.wait_until("the video is there, and its deadline has passed", |farm| {
        let is_video = |name: &String| !name.starts_with('.');
        let is_made = farm.outputs().iter().any(is_video);
        (is_made && stopped.elapsed() > Duration::from_millis(3500)).then_some(())
    });
    farm.signal(Signal::SIGCONT);
    assert_eq!(farm.end_of(id), StateName::Done);
    let log = farm.log();
    assert!(log.contains("this process stood still"), "{log}");
    assert!(!log.contains("hung"), "{log}");
    assert_eq!(farm.show("cat")[0].runs.attempts, 1);
}

/// The worker does not even read what it is told, and that is more than its pipe holds.
#[test]
fn a_worker_that_stands_still_before_its_job_is_killed() {
    let farm = Farm::with_settings(&SHORT_DEADLINES);
    farm.wait_for_worker("cpu", WorkerState::Idle);
    signal_worker(&farm, Signal::SIGSTOP);
    // Six bytes each in the message.
    let unprintable = r"\u0001".repeat(8000);
    let text = job(&unprintable) + &format!("negative_prompt: \"{unprintable}\"\n");
    let id = farm.queue_job("long", text);
    assert_eq!(farm.end_of(id), StateName::Done);
    assert!(farm.log().contains("the worker hung"), "{}", farm.log());
}

#[test]
fn a_worker_that_hung_while_its_job_was_paused_is_killed_once_it_should_go_on() {
    let farm = Farm::with_settings(&SHORT_DEADLINES);
    let (id, gate) = gated(&farm, "cat", "sections=2");
    halt(&farm, id);
    signal_worker(&farm, Signal::SIGSTOP);
    fs::write(gate, "").unwrap();
    assert_code(&farm.ctl(&["resume", &id.to_string()]), 0);
    assert_eq!(farm.end_of(id), StateName::Done);
    assert!(farm.log().contains("the worker hung"), "{}", farm.log());
}

fn signal_worker(farm: &Farm, signal: Signal) {
    let pid = farm.noted("starts.log").pop().unwrap();
    kill(Pid::from_raw(pid.parse().unwrap()), signal).unwrap();
}

/// A job that runs until the returned file is there.
fn gated(farm: &Farm, name: &str, script: &str) -> (JobId, PathBuf) {
    let gate = farm.path(format!("{name}.gate"));
    let prompt = format!("script {script} wait={}", gate.display());
    let id = farm.queue_job(name, job(&prompt));
    farm.wait_until("the worker has it", |farm| {
        farm.renders().contains(&id.0).then_some(())
    });
    (id, gate)
}

fn pause(farm: &Farm, job: JobId, at: &str) {
    assert_code(&farm.ctl(&["pause", &job.to_string(), "--at", at]), 0);
}

/// Pauses a job before its next step, and waits until it stands still.
fn halt(farm: &Farm, job: JobId) {
    pause(farm, job, "step");
    farm.wait_until("it halts", |farm| {
        let job = farm.show(&job.to_string()).pop()?;
        matches!(job.state, JobState::Running { paused: true, .. }).then_some(())
    });
}

#[test]
fn a_job_paused_at_a_step_keeps_its_worker_and_is_not_taken_for_hung() {
    let farm = Farm::with_settings(&SHORT_DEADLINES);
    let (id, gate) = gated(&farm, "cat", "sections=2");
    halt(&farm, id);
    let halted = Instant::now();
    farm.wait_until("twice the deadline", |_| {
        (halted.elapsed() > Duration::from_secs(6)).then_some(())
    });
    fs::write(gate, "").unwrap();
    assert_code(&farm.ctl(&["resume", &id.to_string()]), 0);
    assert_eq!(farm.end_of(id), StateName::Done);
    assert_eq!(farm.renders(), [id.0]);
}

#[test]
fn a_job_paused_at_a_step_is_cancelled_there() {
    let farm = Farm::new();
    let (id, _) = gated(&farm, "cat", "sections=2");
    halt(&farm, id);
    farm.stop_job(id);
    assert_eq!(farm.end_of(id), StateName::Cancelled);
    let next = farm.queue_job("next", job("a dog"));
    assert_eq!(farm.end_of(next), StateName::Done);
    assert_eq!(farm.noted("starts.log").len(), 1, "nothing was killed");
}

#[test]
fn a_job_paused_at_a_section_frees_its_worker_and_goes_on_there() {
    let farm = Farm::new();
    let (id, gate) = gated(&farm, "cat", "sections=3");
    pause(&farm, id, "section");
    fs::write(gate, "").unwrap();
    farm.wait_until("it is suspended", |farm| {
        let job = farm.show(&id.to_string()).pop()?;
        job.is(StateName::Queued).then_some(())
    });
    let other = farm.queue_job("dog", job("a dog"));
    assert_eq!(farm.end_of(other), StateName::Done);
    assert_code(&farm.ctl(&["resume", &id.to_string()]), 0);
    assert_eq!(farm.end_of(id), StateName::Done);
    assert_eq!(farm.renders(), [id.0, other.0, id.0]);
    let JobState::Done { result, .. } = farm.show(&id.to_string()).remove(0).state else {
        unreachable!("it was done");
    };
    let resumed = result.resumed.map(|resumed| resumed.sections_done);
    assert_eq!(resumed, Some(1));
}

#[test]
fn an_idle_worker_gives_up_memory_step_by_step_and_stays() {
    let farm = Farm::with_settings(&[("IDLE_WARM_AFTER_SECS", "1"), ("IDLE_COLD_AFTER_SECS", "2")]);
    let idle = farm.wait_for_worker("cpu", WorkerState::Idle);
    assert_eq!(
        idle.temperature,
        Some(Temperature::Cold),
        "it holds nothing"
    );
    for stem in ["cat", "dog"] {
        farm.drop_prompt(&format!("{stem}.yaml"), &format!("a {stem}"));
        assert_eq!(farm.report(stem).0, "done");
        farm.wait_until("it is cold", |farm| {
            let worker = farm.worker("cpu");
            (worker.temperature == Some(Temperature::Cold)).then_some(())
        });
    }
    let cooled = farm.wait_until("the worker's own word", |farm| {
        let cooled = farm.noted("cool.log");
        (cooled.len() >= 4).then_some(cooled)
    });
    assert_eq!(cooled, ["warm", "cold", "warm", "cold"]);
    assert_eq!(farm.noted("starts.log").len(), 1, "the process stayed");
}

#[test]
fn a_worker_that_is_never_to_cool_down_stays_hot() {
    let farm = Farm::with_settings(&[
        ("IDLE_WARM_AFTER_SECS", "never"),
        ("IDLE_COLD_AFTER_SECS", "never"),
    ]);
    farm.drop_prompt("cat.yaml", "a cat");
    assert_eq!(farm.report("cat").0, "done");
    let idle = farm.wait_for_worker("cpu", WorkerState::Idle);
    assert_eq!(idle.temperature, Some(Temperature::Hot));
}

#[test]
fn a_worker_is_replaced_after_so_many_jobs() {
    let farm = Farm::with_settings(&[("WORKER_RECYCLE_AFTER", "2")]);
    for n in 0..4 {
        let stem = format!("job{n}");
        farm.drop_prompt(&format!("{stem}.yaml"), &format!("prompt {n}"));
        let (outcome, report) = farm.report(&stem);
        assert_eq!(outcome, "done");
        assert_eq!(report["job"]["attempts"], 1, "it was not a death");
        let first_step = &report["job"]["result"]["time_to_first_step_secs"];
        assert!(first_step.as_f64() > Some(0.0), "{report:#}");
    }
    farm.wait_until("the third worker", |farm| {
        (farm.noted("starts.log").len() == 3).then_some(())
    });
}

fn enable(farm: &Farm, device: &str) -> Result<EnableOutcome, ClientError> {
    let request = Request::EnableDevice(DeviceRequest {
        device: device.to_owned(),
    });
    match farm.client().call(&request)? {
        Response::Enabled(enabling) => Ok(enabling.outcome),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_device_with_repeated_faults_is_taken_out_and_comes_back() {
    let farm = Farm::with_settings(&[("WORKER_MAX_FAULTS", "2")]);
    for stem in ["one", "two"] {
        farm.drop_prompt(&format!("{stem}.yaml"), "gpu");
    }
    let worker = farm.wait_for_worker("cpu", WorkerState::Faulty);
    let note = worker.note.unwrap();
    assert!(
        note.contains("an illegal memory access") && note.contains("framepackctl gpu enable cpu"),
        "{note}"
    );
    farm.drop_prompt("cat.yaml", "a cat");
    farm.wait_until("the job is queued", |farm| farm.show("cat").pop());
    assert!(!farm.renders().contains(&3), "no job for a broken device");

    assert_eq!(enable(&farm, "cpu").unwrap(), EnableOutcome::Enabled);
    assert_eq!(farm.report("cat").0, "done");
    assert_eq!(enable(&farm, "cpu").unwrap(), EnableOutcome::NotFaulty);
    let unknown = enable(&farm, "cuda:9").unwrap_err().to_string();
    assert!(unknown.contains("no worker for cuda:9"), "{unknown}");
}

#[test]
fn one_device_is_taken_out_and_the_other_goes_on() {
    let mut farm = Farm::stopped();
    farm.set(&[("WORKER_DEVICES", "cpu,cuda:0"), ("WORKER_MAX_FAULTS", "1")]);
    let refusal = farm.path("state/refuse-start-cuda:0");
    fs::create_dir_all(refusal.parent().unwrap()).unwrap();
    fs::write(&refusal, "").unwrap();
    farm.start();
    let note = farm.wait_for_worker("cuda:0", WorkerState::Faulty).note;
    let note = note.unwrap();
    assert!(note.contains("the device does not answer"), "{note}");
    farm.drop_prompt("cat.yaml", "a cat");
    let (outcome, report) = farm.report("cat");
    assert_eq!(
        (outcome.as_str(), &report["job"]["result"]["device"]),
        ("done", &"cpu".into())
    );

    fs::remove_file(refusal).unwrap();
    assert_eq!(enable(&farm, "cuda:0").unwrap(), EnableOutcome::Enabled);
    farm.wait_for_worker("cuda:0", WorkerState::Idle);
}

#[test]
fn an_interrupted_job_ends_as_if_it_had_not_been() {
    let farm = Farm::new();
    let seeded = |prompt: &str| format!("{}seed: 7\n", job(prompt));
    farm.drop_job("smooth.yaml", seeded("script sections=4 steps=5"));
    let (_, smooth) = farm.report("smooth");
    assert_eq!(smooth["job"]["result"]["resumed"], Value::Null);

    let rough = "script sections=4 steps=5 crash@1.3 rung@2.2 corrupt@3";
    farm.drop_job("rough.yaml", seeded(rough));
    let (outcome, rough) = farm.report("rough");
    assert_eq!(outcome, "done", "{rough:#}");
    assert_eq!(latents(&rough), latents(&smooth));
    let resumed = &rough["job"]["result"]["resumed"];
    assert_eq!(resumed["sections_done"], 2, "the third was damaged");
    assert_eq!(resumed["reason"], "checkpoint 3 is damaged");
    assert_eq!(rough["job"]["attempts"], 3);
    for report in [&smooth, &rough] {
        let video = report["job"]["output"].as_str().unwrap();
        assert_eq!(frames(video), "73");
        let bytes = fs::read(video).unwrap();
        let note = latents(report).as_str().unwrap();
        assert!(String::from_utf8_lossy(&bytes).contains(note));
    }
}

/// The frames that ffprobe counts.
fn frames(video: &str) -> String {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-count_frames", "-show_entries"])
        .args(["stream=nb_read_frames", "-of", "csv=p=0", video])
        .output()
        .expect("ffprobe is installed by `make test`");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_worker_that_does_not_hear_of_a_cancellation_is_killed() {
    let farm = Farm::new();
    let deaf = farm.queue_job("deaf", job("script deaf wait=/never"));
    farm.wait_until("the worker has it", |farm| {
        farm.renders().contains(&deaf.0).then_some(())
    });
    farm.stop_job(deaf);
    assert_eq!(farm.end_of(deaf), StateName::Cancelled);
    let next = farm.queue_job("next", job("a cat"));
    assert_eq!(farm.end_of(next), StateName::Done);
    assert_eq!(farm.noted("starts.log").len(), 2);
    assert_eq!(farm.outputs().len(), 1, "{:?}", farm.outputs());
}

#[test]
fn two_hundred_cancellations_at_any_moment_leave_nothing() {
    let farm = Farm::with_settings(&[("WORKER_RECYCLE_AFTER", "0")]);
    farm.wait_for_worker("cpu", WorkerState::Idle);
    let mut moments = Moments::new();
    let mut done = 0;
    for n in 0..200 {
        let prompt = format!("script sections=2 steps=3 step_ms=2 #{n}");
        let cancelled = farm.queue_job(&format!("job{n}"), job(&prompt));
        // From "still queued" to "done already".
        thread::sleep(moments.below(Duration::from_millis(60)));
        farm.stop_job(cancelled);
        match farm.end_of(cancelled) {
            StateName::Cancelled => {
                farm.wait_until_nothing_is_left_of(cancelled);
            }
            StateName::Done => done += 1,
            other => panic!("job {cancelled} is {other}: {}", farm.log()),
        }
    }
    let last = farm.queue_job("last", job("a cat"));
    assert_eq!(farm.end_of(last), StateName::Done);
    let begun = farm.renders().len();
    eprintln!("200 cancellations: {begun} jobs had begun, {done} were done already");
    assert!(begun > done, "no job was cancelled while it ran");
    assert_eq!(farm.outputs().len(), done + 1, "{:?}", farm.outputs());
    assert_eq!(farm.noted("starts.log").len(), 1, "no worker was killed");
}
