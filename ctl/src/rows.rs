//! What people see of jobs and of the daemon.

use framepack_ipc::{
    control::{DaemonStatus, Note, Outage, WorkerState},
    queue::QueueEntry,
    worker::Temperature,
};
use framepack_jobs::{
    AtEnd, Attention, ChosenBy, DecodedTiles, DeviceIdle, Job, JobState, Phase, Progress,
    RenderOutput, Timestamp, settings::Origin,
};

use crate::{memory, output::Table, step_cache, waiting::Waiting};

/// Jobs, one a row; the last cell is the video, or why there is none.
pub(crate) fn of_jobs(jobs: &[Job], waiting: &Waiting) -> Table<6> {
    Table {
        header: ["ID", "STATE", "PROGRESS", "NAME", "SUBMITTED", "RESULT"],
        rows: jobs
            .iter()
            .map(|job| {
                [
                    job.id.to_string(),
                    state(job).to_owned(),
                    progress(job),
                    job.name.clone(),
                    job.submitted_at.to_string(),
                    waiting
                        .reason(job)
                        .map_or_else(|| result(job), str::to_owned),
                ]
            })
            .collect(),
    }
}

/// The queue, one job a row.
pub(crate) fn of_queue(jobs: &[QueueEntry]) -> Table<7> {
    let turn = |turn: Option<u32>| turn.map(|turn| turn.to_string()).unwrap_or_default();
    Table {
        header: ["TURN", "ID", "STATE", "PRIORITY", "GROUP", "NAME", "REASON"],
        rows: jobs
            .iter()
            .map(|job| {
                [
                    turn(job.turn),
                    job.id.to_string(),
                    job.standing.as_str().to_owned(),
                    job.priority.to_string(),
                    job.group.clone().unwrap_or_default(),
                    job.name.clone(),
                    job.reason.clone(),
                ]
            })
            .collect(),
    }
}

/// A line break in a value of [`details`].
const INDENTED: &str = "\n           ";

/// What the device did besides sampling, and when it did nothing.
fn idle(idle: DeviceIdle) -> String {
    let DeviceIdle {
        idle_secs,
        decoding_alone_secs,
        hidden_secs,
        total_secs,
    } = idle;
    let waited = format!("{idle_secs:.2} s of {total_secs:.1} s between sampling and decoding");
    // Earlier versions did not tell.
    if decoding_alone_secs + hidden_secs == 0.0 {
        return waited;
    }
    format!(
        "{waited}\ndecoded {decoding_alone_secs:.1} s by itself, {hidden_secs:.1} s beside sampling"
    )
}

/// How a finished job's frames were decoded, a line for each thing.
fn decoding(output: &RenderOutput) -> Vec<String> {
    let plan = output.memory_plan.as_ref();
    let vae = plan.and_then(|plan| plan.vae.as_ref());
    let overlap = plan.and_then(|plan| plan.overlap.as_ref());
    let tiles = output.decoded_tiles.filter(|tiles| tiles.reused > 0);
    let tiles = tiles.map(|DecodedTiles { all, reused }| {
        format!("{reused} of {all} tiles decoded with the section before")
    });
    let vae = vae.map(memory::decoding).unwrap_or_default();
    let others = tiles.into_iter().chain(overlap.map(memory::beside));
    vae.into_iter().chain(others).collect()
}

/// Everything about one job, a line for each thing.
pub(crate) fn details(job: &Job, waiting: &Waiting) -> Vec<String> {
    let mut lines = vec![
        ("job", job.id.to_string()),
        ("name", job.name.clone()),
        ("state", state(job).to_owned()),
        ("progress", progress(job)),
        ("waits", waiting.reason(job).unwrap_or_default().to_owned()),
        ("submitted", job.submitted_at.to_string()),
    ];
    match &job.state {
        JobState::Queued => {}
        JobState::Running {
            started_at, device, ..
        } => {
            lines.push(("started", started_at.to_string()));
            lines.push(("device", device.clone()));
        }
        JobState::Done {
            started_at,
            finished_at,
            result,
        } => {
            lines.push(("started", started_at.to_string()));
            let secs = finished_at.secs_since(*started_at);
            lines.push(("finished", format!("{finished_at} (after {secs:.1} s)")));
            lines.push(("device", format!("{} ({})", result.device, result.dtype)));
            lines.push(("attention", attention(result).unwrap_or_default()));
            let steps = result.step_cache.as_ref().map(step_cache::lines);
            lines.push(("steps", steps.unwrap_or_default().join("\n")));
            lines.push(("result", shape(result)));
            let idle = result.device_idle.map(idle);
            lines.push(("idle", idle.unwrap_or_default()));
            let first_step = result.time_to_first_step_secs;
            let first_step = first_step.map(|secs| format!("after {secs:.1} s"));
            lines.push(("first step", first_step.unwrap_or_default()));
            lines.push(("memory", memory::peaks(result).unwrap_or_default()));
            lines.push(("vae", decoding(result).join("\n")));
        }
        JobState::Failed {
            finished_at,
            failure,
        }
        | JobState::Expired {
            finished_at,
            failure,
        } => {
            lines.push(("finished", finished_at.to_string()));
            lines.push(("failure", format!("{} [{}]", failure.message, failure.code)));
            lines.push(("hint", failure.hint.clone().unwrap_or_default()));
        }
        JobState::Cancelled {
            finished_at,
            result,
        } => {
            lines.push(("finished", finished_at.to_string()));
            lines.extend(result.iter().flat_map(|result| partial(result)));
        }
    }
    lines.extend(when(job));
    lines.extend([
        ("attempts", job.runs.attempts.to_string()),
        ("energy", energy(job).unwrap_or_default()),
        ("image", job.image.display().to_string()),
        ("prompt", job.spec.prompt.clone()),
        ("settings", settings(job)),
        ("seed", job.seed.to_string()),
        ("video", job.output.display().to_string()),
        ("key", job.key.clone()),
    ]);
    let result = job.state.result();
    let warnings = result.map_or(&[] as &[_], |result| result.warnings.as_slice());
    let warnings = job.warnings.iter().chain(warnings);
    // What was foreseen is in the report once more.
    let mut said: Vec<&String> = Vec::new();
    for warning in warnings {
        if !said.contains(&warning) {
            said.push(warning);
            lines.push(("warning", warning.clone()));
        }
    }
    lines
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(label, value)| format!("{label:<10} {}", value.replace('\n', INDENTED)))
        .collect()
}

/// What there is of a video that was not finished.
fn partial(result: &RenderOutput) -> Vec<(&'static str, String)> {
    let partial = result.partial.as_ref();
    vec![
        (
            "partial",
            partial
                .map(|partial| partial.to_string())
                .unwrap_or_default(),
        ),
        ("result", shape(result)),
    ]
}

fn shape(result: &RenderOutput) -> String {
    let plan = &result.plan;
    format!(
        "{}x{}, {} frames, {:.2} s, {} bytes",
        plan.width_px, plan.height_px, plan.frames, plan.secs, result.video_bytes
    )
}

/// What computed the attention, and who chose it.
fn attention(result: &RenderOutput) -> Option<String> {
    let Attention {
        backend,
        chosen_by,
        mode,
        reason,
    } = result.attention.as_ref()?;
    let mode = mode.as_deref().filter(|mode| *mode != "auto");
    let asked = mode.map(|mode| format!("attention: {mode}"));
    let chosen = match chosen_by {
        ChosenBy::Device => "chosen for the device",
        ChosenBy::Flag => "set for the worker",
        ChosenBy::Setting => "set for the job",
        ChosenBy::Checkpoint => "as in the run that was continued",
        ChosenBy::Precaution => "since the last attempt produced NaN",
        ChosenBy::Unknown(other) => other,
    };
    let parts = [Some(chosen), asked.as_deref(), reason.as_deref()];
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    Some(format!("{backend} ({})", parts.join("; ")))
}

/// What others than the job's own file and the bundle set for the job's last run; before it, what the farm had set.
fn settings(job: &Job) -> String {
    let mut lines: Vec<String> = Vec::new();
    for setting in &job.runs.settings {
        if !matches!(setting.origin, Origin::Job | Origin::Bundle) {
            lines.push(setting.with_origin());
        }
    }
    if job.runs.settings.is_empty() {
        let set = job.farm_defaults.iter();
        lines.extend(set.map(|(key, value)| match job.origins.get(key) {
            Some(origin) => format!("{key}: {value}  # {origin}"),
            None => format!("{key}: {value}"),
        }));
    }
    lines.join("\n")
}

/// When the job may run, where its file or a failure says something of that.
fn when(job: &Job) -> Vec<(&'static str, String)> {
    let schedule = &job.schedule;
    let text = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
    let after: Vec<String> = schedule.after.iter().map(ToString::to_string).collect();
    let window = schedule.window.map(|window| match window.at_end() {
        AtEnd::Finish => window.to_string(),
        at_end => format!("{window}, at its end: {}", at_end.as_str()),
    });
    let priority = Some(schedule.priority).filter(|priority| *priority != 0);
    let failure = job.runs.last_failure.as_ref();
    vec![
        (
            "priority",
            priority
                .map(|priority| priority.to_string())
                .unwrap_or_default(),
        ),
        ("group", schedule.group.clone().unwrap_or_default()),
        ("after", after.join(", ")),
        ("not before", text(schedule.not_before)),
        ("deadline", text(schedule.deadline)),
        ("window", window.unwrap_or_default()),
        ("suspended until", text(job.runs.suspended_until)),
        ("retry at", text(job.runs.retry_at)),
        (
            "last error",
            failure
                .map(|failure| format!("{} [{}]", failure.message, failure.code))
                .unwrap_or_default(),
        ),
    ]
}

/// What a job took of energy, where its device tells.
fn energy(job: &Job) -> Option<String> {
    let joules = job.runs.energy_joules?;
    Some(format!("{joules:.0} J ({:.2} Wh)", joules / 3600.0))
}

/// The daemon in a line, and a line for each worker.
pub(crate) fn status(status: &DaemonStatus) -> Vec<String> {
    let mut lines = vec![format!(
        "framepackd {} has been up for {:.0} s (pid {}): {} queued, {} running",
        status.version, status.uptime_secs, status.pid, status.queued, status.running
    )];
    lines.extend(
        status
            .paused
            .iter()
            // What it waits for is told below.
            .filter(|reason| {
                let mut outages = status.outages.iter();
                !outages.any(|outage| reason.contains(&outage.message))
            })
            .map(|reason| format!("no job starts: {reason}")),
    );
    let is_outage = |note: &&Note| {
        let same = |outage: &Outage| outage.code == note.code && outage.message == note.message;
        status.outages.iter().any(same)
    };
    for note in status.degraded.iter().filter(|note| !is_outage(note)) {
        lines.push(format!("degraded: {} [{}]", note.message, note.code));
        lines.extend(note.hint.iter().map(|hint| format!("hint: {hint}")));
    }
    let outages = status.outages.iter().map(outage);
    lines.extend(outages.map(|outage| format!("degraded: {outage}")));
    for worker in &status.workers {
        let state = match worker.state {
            WorkerState::Starting => "starting",
            WorkerState::Idle => "idle",
            WorkerState::Busy => "busy",
            WorkerState::Down => "down",
            WorkerState::Faulty => "faulty",
            WorkerState::Unknown => "unknown",
        };
        let name = worker.device_name.as_deref().unwrap_or("-");
        let keeps = match worker.temperature {
            None | Some(Temperature::Cold) => "",
            Some(Temperature::Hot) => ", hot",
            Some(Temperature::Warm) => ", warm",
        };
        let note = worker.note.iter().map(|note| format!(": {note}"));
        lines.push(format!(
            "worker {} ({name}): {state}{keeps}{}",
            worker.device,
            note.collect::<String>()
        ));
    }
    lines
}

/// What jobs wait for until the farm is mended.
pub(crate) fn outage(outage: &Outage) -> String {
    let models: Vec<&str> = outage.models.iter().map(|model| model.as_str()).collect();
    let who = match (outage.devices.as_slice(), models.as_slice()) {
        ([], []) => "jobs wait".to_owned(),
        ([], models) => format!("jobs of model {} wait", models.join(", ")),
        (devices, _) => format!("no job starts on {}", devices.join(", ")),
    };
    let hint = outage.hint.as_ref().map(|hint| format!("; {hint}"));
    format!(
        "{who} until the farm is mended: {} [{}] ({}){}",
        outage.message,
        outage.code,
        outage.times(),
        hint.unwrap_or_default()
    )
}

/// The state's name, or what a user has made of it.
fn state(job: &Job) -> &'static str {
    match &job.state {
        JobState::Queued | JobState::Running { .. } if job.runs.keep_sections => "cancelling",
        JobState::Queued if job.runs.held => "held",
        JobState::Queued if job.runs.suspended_until.is_some() => "suspended",
        JobState::Running { paused: true, .. } => "paused",
        state => state.name().as_str(),
    }
}

fn progress(job: &Job) -> String {
    match &job.state {
        JobState::Queued => match (job.runs.retry_at, job.runs.sections_done) {
            (Some(again), _) => format!("retry at {again}"),
            (None, 0) => String::new(),
            (None, 1) => "1 section done".to_owned(),
            (None, sections) => format!("{sections} sections done"),
        },
        JobState::Running {
            progress: Some(progress),
            ..
        } => describe(progress),
        JobState::Running { progress: None, .. } => "starting".to_owned(),
        _ => String::new(),
    }
}

fn result(job: &Job) -> String {
    match &job.state {
        JobState::Done { result, .. } => result.video.display().to_string(),
        JobState::Cancelled {
            result: Some(result),
            ..
        } => {
            let video = result.video.display();
            let partial = result.partial.as_ref();
            partial.map_or_else(
                || video.to_string(),
                |partial| format!("{video} ({partial})"),
            )
        }
        JobState::Failed { failure, .. } | JobState::Expired { failure, .. } => {
            format!("{} [{}]", failure.message, failure.code)
        }
        _ => String::new(),
    }
}

/// `section 2/4 step 18/25`, counted from 1 as people do.
pub(crate) fn describe(progress: &Progress) -> String {
    let section = (progress.section + 1).min(progress.sections);
    let of_section = format!("section {section}/{}", progress.sections);
    match progress.phase {
        Phase::Load => "loading models".to_owned(),
        Phase::Text => "encoding prompt".to_owned(),
        Phase::Image => "encoding image".to_owned(),
        Phase::Sample => format!(
            "{of_section} step {}/{}{}",
            progress.step,
            progress.steps,
            step_cache::reused_so_far(progress)
        ),
        Phase::Decode => format!("{of_section} decoding"),
        Phase::Encode => "writing video".to_owned(),
        Phase::Verify => "checking video".to_owned(),
        _ => "working".to_owned(),
    }
}
