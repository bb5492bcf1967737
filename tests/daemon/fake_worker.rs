//! A worker without torch: it speaks the worker's protocol and misbehaves as the prompt says.
//!
//! | prompt      | what it does                                                      |
//! |-------------|-------------------------------------------------------------------|
//! | `wait FILE` | makes steps until FILE exists, or the job is cancelled            |
//! | `crash N`   | leaves a half-written video and aborts, the first N times         |
//! | `hang`      | hears nothing any more                                            |
//! | `gpu`       | fails with a broken device and dies under whatever comes next     |
//! | `oom`       | fails for want of memory                                          |
//! | `nan`       | fails with not-a-number latents                                   |
//! | `lie`       | says that there is a video, and there is none                     |
//! | else        | "renders" two sections of three steps                             |
//!
//! It plans every job alike, but those whose prompt begins with `large`, which do not fit, and those of
//! `unplanned`, under which it dies. Each render adds a line, the job's number, to `renders.log` in the state directory.

use std::{
    fs::{self, File},
    io::{self, BufRead, Write},
    path::{Path, PathBuf},
    process,
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use framepack_ipc::worker::{
    FromWorker, MemoryPlan, Phase, PhaseTime, PlanOutcome, Progress, RenderOutput, RenderPlan,
    RenderRequest, ToWorker, Verified, WORKER_PROTOCOL, WorkerInfo,
};
use framepack_jobs::{
    DeviceMemory, EncoderPlacement, Failure, FailureClass, JobId, PhasePeak, TransformerMemory,
    VaeTiles,
};

const PLAN: RenderPlan = RenderPlan {
    width_px: 64,
    height_px: 64,
    sections: 2,
    steps: 3,
    latent_window: 9,
    frames: 73,
    secs: 73.0 / 30.0,
};

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [
        _,
        serve,
        device_flag,
        device,
        state_flag,
        state_dir,
        memory_flags @ ..,
    ] = arguments.as_slice()
    else {
        panic!("usage: fake_worker serve --device D --state-dir DIR [--preserve-gb N]");
    };
    let preserve_gb = match memory_flags {
        [] => None,
        [flag, gb] if flag == "--preserve-gb" => Some(gb.parse().expect("a number")),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        [serve, device_flag, state_flag],
        ["serve", "--device", "--state-dir"]
    );

    let messages = read_stdin(preserve_gb);
    say(&FromWorker::Ready(WorkerInfo {
        protocol: WORKER_PROTOCOL,
        version: "0.0.0-fake".to_owned(),
        device: device.clone(),
        device_name: "a fake".to_owned(),
        device_total_bytes: 1 << 30,
    }))?;
    while let Ok(message) = messages.recv() {
        if let ToWorker::Render(request) = message {
            log_render(Path::new(state_dir), request.job)?;
            let job = request.job;
            match render(&request, &messages)? {
                Ending::Done => say(&FromWorker::Done {
                    job,
                    output: Box::new(output(&request, device)),
                })?,
                Ending::Failed(failure) => say(&FromWorker::Failed { job, failure })?,
                Ending::Cancelled => say(&FromWorker::Cancelled { job })?,
                Ending::Fatal(failure) => {
                    say(&FromWorker::Failed { job, failure })?;
                    let next = messages.recv();
                    panic!("the device is of no use any more for {next:?}");
                }
            }
        }
    }
    Ok(())
}

enum Ending {
    Done,
    Failed(Failure),
    /// The same, and the worker can do no more.
    Fatal(Failure),
    Cancelled,
}

fn render(request: &RenderRequest, messages: &Receiver<ToWorker>) -> io::Result<Ending> {
    say(&FromWorker::Started {
        job: request.job,
        plan: PLAN,
    })?;
    let (behaviour, argument) = request
        .prompt
        .split_once(' ')
        .unwrap_or((&request.prompt, ""));
    match behaviour {
        "wait" => {
            while !Path::new(argument).exists() {
                if is_cancelled(messages, request.job) {
                    return Ok(Ending::Cancelled);
                }
                step(request.job, 0, 1)?;
                thread::sleep(Duration::from_millis(5));
            }
        }
        "crash" => crash(request, argument.parse().expect("crash N"))?,
        "hang" => loop {
            thread::park();
        },
        "gpu" => {
            return Ok(Ending::Fatal(failure(
                FailureClass::Gpu,
                "FP5002",
                "device failure: an illegal memory access was encountered",
            )));
        }
        "oom" => {
            return Ok(Ending::Failed(failure(
                FailureClass::Oom,
                "FP5001",
                "out of memory: needed 20 GiB, free 3 GiB",
            )));
        }
        "nan" => {
            return Ok(Ending::Failed(failure(
                FailureClass::Numerics,
                "FP5004",
                "the latents of section 1 are not finite",
            )));
        }
        "lie" => return Ok(Ending::Done),
        _ => {}
    }
    for section in 0..PLAN.sections {
        for steps in 1..=PLAN.steps {
            if is_cancelled(messages, request.job) {
                return Ok(Ending::Cancelled);
            }
            step(request.job, section, steps)?;
        }
    }
    let unfinished = unfinished(&request.output);
    fs::write(
        &unfinished,
        format!("video of job {}, {}", request.job, request.prompt),
    )?;
    fs::rename(unfinished, &request.output)?;
    Ok(Ending::Done)
}

/// Dies in the middle of the work, as often as it is told to.
fn crash(request: &RenderRequest, times: usize) -> io::Result<()> {
    let log = request.work_dir.join("crashes");
    let before = fs::read(&log).unwrap_or_default();
    if before.len() < times {
        fs::write(log, vec![b'x'; before.len() + 1])?;
        fs::write(unfinished(&request.output), "half a video")?;
        eprintln!("fake worker: crashes for the {}. time", before.len() + 1);
        process::abort();
    }
    Ok(())
}

fn unfinished(output: &Path) -> PathBuf {
    let name = output
        .file_name()
        .expect("a video has a name")
        .to_string_lossy();
    output.with_file_name(format!(".{name}.part"))
}

fn is_cancelled(messages: &Receiver<ToWorker>, job: JobId) -> bool {
    messages
        .try_iter()
        .any(|message| message == ToWorker::Cancel { job })
}

fn step(job: JobId, section: u32, step: u32) -> io::Result<()> {
    let progress = Progress {
        phase: Phase::Sample,
        section,
        sections: PLAN.sections,
        step,
        steps: PLAN.steps,
    };
    say(&FromWorker::Progress { job, progress })
}

fn failure(class: FailureClass, code: &str, message: &str) -> Failure {
    Failure {
        class,
        code: code.to_owned(),
        message: message.to_owned(),
        hint: Some("it is only a test".to_owned()),
    }
}

fn output(request: &RenderRequest, device: &str) -> RenderOutput {
    RenderOutput {
        video: request.output.clone(),
        contact_sheet: request.work_dir.join("contact-sheet.png"),
        plan: PLAN,
        video_bytes: fs::metadata(&request.output).map_or(0, |metadata| metadata.len()),
        latents_sha256: "0".repeat(64),
        warnings: vec!["no frame of it is real".to_owned()],
        phases: vec![PhaseTime {
            phase: Phase::Sample,
            secs: 0.5,
        }],
        device: device.to_owned(),
        dtype: "f32".to_owned(),
        peak_device_bytes: Some(3 << 30),
        memory_plan: Some(Box::new(memory_plan(None))),
        device_idle: None,
        resumed: None,
        rungs: vec![],
        verified: Verified::Ffmpeg,
    }
}

/// What every job takes.
fn memory_plan(preserve_gb: Option<u64>) -> MemoryPlan {
    MemoryPlan {
        device: DeviceMemory {
            label: "cpu".to_owned(),
            name: "a fake".to_owned(),
            total_bytes: 8 << 30,
            free_bytes: 7 << 30,
            foreign_bytes: 1 << 30,
            context_bytes: 1 << 29,
        },
        transformer: TransformerMemory {
            tokens: 18_289,
            activation_bytes: 1 << 30,
            preserve_bytes: preserve_gb.map_or(1 << 30, |gb| gb << 30),
            fixed_bytes: 1 << 28,
            hoisted_away_bytes: 7 << 30,
            blocks: 60,
            resident_blocks: 20,
            resident_bytes: 2 << 30,
            slots: 3,
            slots_bytes: 1 << 30,
            streamed_bytes: 4 << 30,
            arena_bytes: 3 << 30,
            staged_bytes: 1 << 30,
        },
        text_encoder: EncoderPlacement::Streamed,
        vae_tiles: VaeTiles::TimeAndSpace,
        evicted_bytes: 1 << 28,
        phases: vec![PhasePeak {
            phase: Phase::Sample,
            bytes: 4 << 30,
        }],
        peak_bytes: 4 << 30,
        warnings: vec!["no byte of it is real".to_owned()],
    }
}

fn plan(request: &RenderRequest, preserve_gb: Option<u64>) -> PlanOutcome {
    assert!(request.image.is_file(), "{request:?}");
    if request.prompt.starts_with("unplanned") {
        process::abort();
    }
    if request.prompt.starts_with("large") {
        let message = "sampling needs at least 9.00 GiB of device memory, and there are 7.00 GiB";
        return PlanOutcome::Refused(failure(FailureClass::Oom, "FP5101", message));
    }
    PlanOutcome::Plan(Box::new(memory_plan(preserve_gb)))
}

/// Reads messages in a thread of its own, which ends the process with its stdin, whatever it is doing.
/// Questions for plans are answered there.
fn read_stdin(preserve_gb: Option<u64>) -> Receiver<ToWorker> {
    let (sender, messages) = mpsc::channel();
    thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let line = line.expect("stdin is text");
            let message = serde_json::from_str(&line).expect("a message of the daemon");
            if let ToWorker::Plan { ask, request } = message {
                let outcome = plan(&request, preserve_gb);
                say(&FromWorker::Planned { ask, outcome }).expect("stdout is a pipe");
                continue;
            }
            if sender.send(message).is_err() {
                break;
            }
        }
        process::exit(0);
    });
    messages
}

fn say(message: &FromWorker) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    io::stdout().lock().write_all(&line)
}

fn log_render(state_dir: &Path, job: JobId) -> io::Result<()> {
    let mut log = File::options()
        .create(true)
        .append(true)
        .open(state_dir.join("renders.log"))?;
    writeln!(log, "{job}")
}
