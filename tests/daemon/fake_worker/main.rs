//! A worker without torch: it speaks the worker's protocol and misbehaves as the prompt says.
//!
//! | prompt         | what it does                                                            |
//! |----------------|-------------------------------------------------------------------------|
//! | `wait FILE`    | makes steps until FILE exists, or the job is cancelled                  |
//! | `FAULT N`      | the fault before its first step, the first N times; without N: always   |
//! | `lie`          | says that there is a video, and there is none                           |
//! | `lacking`      | finds no kernel for `attention`: fails a job that itself asks for it     |
//! | `script WORDS` | what the words say, see below                                           |
//! | else           | "renders" two sections of three steps                                   |
//!
//! The words of a script, in any order, as in `script sections=3 step_ms=2 crash@1.2*2 hang@2`:
//!
//! | word                      | what it does                                                             |
//! |---------------------------|--------------------------------------------------------------------------|
//! | `sections=N` `steps=N`    | the job's size; 2 and 3 without them. `steps` of the request wins         |
//! | `step_ms=N`               | time of a step; 0 without it                                             |
//! | `wait=FILE`               | makes steps until FILE exists, before the first section                  |
//! | `deaf`                    | hears no `Cancel`, `Pause` and `Resume`                                  |
//! | `lie`                     | as above                                                                 |
//! | `#REMARK`                 | nothing, but makes the job another one                                   |
//! | `FAULT@SECTION.STEP*N`    | the fault before this step, the first N times that it comes there; both  |
//! |                           | `.STEP` and `*N` are 1 when left out. Sections are counted from 0, steps |
//! |                           | from 1; after the last section comes the writing of the video            |
//!
//! Faults: `crash` leaves a half-written video and aborts; `corrupt` damages the latest checkpoint, then crashes;
//! `hang` hears and says nothing any more, but ends with its stdin; `stop` is SIGSTOP; `oom` and `nan` fail the job;
//! `full` finds the disk full; `gpu` fails the job with a broken device, and the worker dies under whatever comes next;
//! `rung` climbs the ladder and repeats the section. How often a fault came due is counted in `fake-faults/` of the
//! state directory.
//!
//! Like the real worker it saves a checkpoint after each section (`chain.rs`, in `checkpoints/` of the job's work
//! folder), resumes from the latest sound one, and halts and suspends when it is asked to. `latents_sha256` is the end
//! of its chain of hashes, and equal for equal seed, sections and steps, however often the job was interrupted. The
//! video is a real one of 73 frames, whatever the job's sections, and ends with a `free` box that holds
//! `{"job":…,"prompt":…,"latents_sha256":…}`.
//!
//! It plans every job alike, but those whose prompt begins with `large`, which do not fit, and those of `unplanned`,
//! under which it dies. When it only inspects jobs (`inspect`), it warns of the prompt's length in bytes, dies of
//! prompts that begin with `uninspected`, and adds a line to `inspections.log` for each of its processes. In the state directory it adds a line to `starts.log` (its process id), with each render to
//! `renders.log` (the job's number), with each `Cool` to `cool.log` (`warm` or `cold`), and with each `Warm` to `warm.log`
//! (the model, and the settings), which takes as long as there is a file `slow-DEVICE`; of 24 GiB its models take 16. With
//! `earlier-version` it does not know `Warm`; while there is a file
//! `refuse-start-DEVICE`, it fails to start; with `unready-DEVICE` or `unusable-MODEL`, which hold an error's code, it
//! says so of the device when it starts, or of the model when a job needs it; `lacks-DEVICE` holds what it says that the
//! device can't do. To `doctor` it
//! says that all is well.

mod chain;
mod desk;
mod inspect;
mod output;
mod plan;
mod run;
mod script;

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
    process, thread,
    time::Duration,
};

use framepack_ipc::worker::{
    FromWorker, HeldMemory, Temperature, ToWorker, WORKER_PROTOCOL, WorkerInfo,
};
use framepack_jobs::{Code, Failure, settings::Lack};

use self::{
    desk::{Desk, say},
    output::is_lacking,
    run::{Ending, Run},
};

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.get(1).is_some_and(|command| command == "doctor") {
        let found = r#"{"programs":[{"name":"ffmpeg","state":"ok","message":"a fake","fix":""}]}"#;
        return writeln!(io::stdout(), "{found}");
    }
    if arguments.get(1).is_some_and(|command| command == "inspect") {
        return inspect::run();
    }
    let [
        _,
        serve,
        device_flag,
        device,
        state_flag,
        state_dir,
        flags @ ..,
    ] = arguments.as_slice()
    else {
        panic!("usage: fake_worker serve --device D --state-dir DIR [FLAGS]");
    };
    assert_eq!(
        [serve, device_flag, state_flag],
        ["serve", "--device", "--state-dir"]
    );
    let state_dir = Path::new(state_dir);
    if state_dir.join(format!("refuse-start-{device}")).exists() {
        eprintln!("fake worker: the device does not answer");
        process::exit(1);
    }
    if let Some(failure) = fault(&state_dir.join(format!("unready-{device}"))) {
        say(&FromWorker::Unready { failure });
        process::exit(1);
    }
    note(state_dir, "flags.log", &flags.join(" "))?;
    note(state_dir, "starts.log", &std::process::id().to_string())?;

    let desk = Desk::open();
    let mut held = Temperature::Cold;
    say(&FromWorker::Ready(WorkerInfo {
        protocol: WORKER_PROTOCOL,
        version: "0.0.0-fake".to_owned(),
        device: device.clone(),
        device_name: "a fake".to_owned(),
        device_total_bytes: 1 << 30,
        prepared_secs: None,
        libtorch: Some("0.0-fake".to_owned()),
        lacks: lacks(&state_dir.join(format!("lacks-{device}"))),
        can_warm: !state_dir.join("earlier-version").exists(),
    }));
    while let Some(message) = desk.next() {
        match message {
            ToWorker::Render(request) => {
                note(state_dir, "renders.log", &request.job.to_string())?;
                let model = request.model.as_str();
                if let Some(failure) = fault(&state_dir.join(format!("unusable-{model}"))) {
                    let job = request.job;
                    say(&FromWorker::Failed { job, failure });
                    continue;
                }
                if is_lacking(&request) && request.own.iter().any(|key| key == "attention") {
                    let failure = Failure::new(Code::NOT_AVAILABLE, "attention: no kernel");
                    let job = request.job;
                    say(&FromWorker::Failed { job, failure });
                    continue;
                }
                held = Temperature::Hot;
                if let Ending::Fatal = Run::new(&request, device, state_dir, &desk).finish() {
                    let next = desk.next();
                    panic!("the device is of no use any more for {next:?}");
                }
            }
            ToWorker::Warm { ask, request } => {
                let model = request.model.as_str();
                let settings = serde_json::to_string(&request.settings)?;
                note(state_dir, "warm.log", &format!("{model} {settings}"))?;
                wait_for(&state_dir.join(format!("slow-{device}")));
                let failure = fault(&state_dir.join(format!("unusable-{model}")));
                held = match failure {
                    None => Temperature::Hot,
                    Some(_) => Temperature::Cold,
                };
                say_held(ask, held, failure);
            }
            ToWorker::Cool { to, ask } => {
                held = held.max(to);
                if to != Temperature::Hot {
                    note(state_dir, "cool.log", word(to))?;
                }
                if let Some(ask) = ask {
                    say_held(ask, held, None);
                }
            }
            // For a job that has ended just now; questions are answered elsewhere.
            _ => {}
        }
    }
    Ok(())
}

/// Waits as long as there is such a file.
fn wait_for(file: &Path) {
    while file.exists() {
        thread::sleep(Duration::from_millis(5));
    }
}

fn word(temperature: Temperature) -> &'static str {
    match temperature {
        Temperature::Hot => "hot",
        Temperature::Warm => "warm",
        Temperature::Cold => "cold",
    }
}

/// Of a device with 24 GiB, of which the models take 16.
fn say_held(ask: u64, held: Temperature, failure: Option<Failure>) {
    let (device_free_gib, host_gib) = match held {
        Temperature::Hot => (7, 21),
        Temperature::Warm => (23, 21),
        Temperature::Cold => (23, 1),
    };
    let memory = HeldMemory {
        device_free_bytes: Some(device_free_gib << 30),
        host_bytes: Some(host_gib << 30),
    };
    say(&FromWorker::Held {
        ask,
        memory,
        failure,
    });
}

/// The fault that a file in the state directory asks for, if it is there.
fn fault(file: &Path) -> Option<Failure> {
    let code = fs::read_to_string(file).ok()?;
    let code: Code = code.parse().expect("the file holds an error's code");
    Some(Failure::new(code, format!("as {} says", file.display())))
}

/// What the device can't do, as the file has it.
fn lacks(file: &Path) -> Vec<Lack> {
    let text = fs::read_to_string(file).unwrap_or_else(|_| "[]".to_owned());
    serde_json::from_str(&text).expect("the file holds what a worker tells")
}

/// Adds a line to a log in the state directory.
fn note(state_dir: &Path, log: &str, line: &str) -> io::Result<()> {
    let mut log = File::options()
        .create(true)
        .append(true)
        .open(state_dir.join(log))?;
    writeln!(log, "{line}")
}
