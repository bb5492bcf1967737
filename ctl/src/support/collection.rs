//! What the daemon tells of itself and its jobs. What it does not tell is noted, and the rest is collected all the same.

use std::{fs, io};

use base64::{Engine, engine::general_purpose::STANDARD};
use framepack_ipc::{
    client::ClientError,
    control::{
        ListRequest, LogsRequest, PlanRequest, PlanSubject, Request, Response, SelectRequest,
        Stream,
    },
    start_image::StartImageRequest,
    upkeep::{CacheRequest, UsageRequest},
};
use framepack_jobs::{Job, JobId, Selector, StateName};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Collection, Content, redaction::Shown, system};
use crate::daemon::Daemon;

/// Jobs that have ended whose records are in the archive, the latest.
const ENDED: usize = 200;
/// Jobs that failed last, with their logs.
const FAILURES: usize = 10;
/// Jobs that have not ended whose memory is planned.
const PLANS: usize = 2;

/// Everything that is to be had, and all jobs' records beside it.
pub(crate) fn collect(daemon: &Daemon, pictures: Shown) -> (Collection, Vec<Value>) {
    let mut all = Collection::default();
    let is_up = answers(&mut all, daemon);
    let mut records = Vec::new();
    if is_up {
        match daemon.jobs(&Request::List(ListRequest::default())) {
            Ok(jobs) => {
                records.extend(jobs.iter().filter_map(|job| serde_json::to_value(job).ok()));
                of_jobs(&mut all, daemon, &jobs, pictures);
            }
            Err(error) => missing(&mut all, "jobs", &error),
        }
    } else {
        system::configuration(&mut all);
    }
    system::service(&mut all);
    (all, records)
}

/// What is asked for in one request each. Returns whether there is a daemon.
fn answers(all: &mut Collection, daemon: &Daemon) -> bool {
    let requests = [
        ("status", Request::Ping),
        ("info", Request::Info),
        ("doctor", Request::Doctor),
        ("config", Request::Config),
        ("queue", Request::Queue),
        ("caches", Request::Caches(CacheRequest::List)),
        ("usage", Request::Usage(UsageRequest::default())),
        ("metrics", Request::Metrics),
    ];
    for (name, request) in requests {
        match daemon.ask(&request) {
            Ok(Response::Metrics { text }) => all.add("metrics.txt", Content::Text(text)),
            Ok(Response::Pong(status)) => add(all, name, &status),
            Ok(Response::Info(info)) => add(all, name, &info),
            Ok(Response::Checked { checks }) => add(all, name, &checks),
            Ok(Response::Config { settings }) => add(all, name, &settings),
            Ok(Response::Queue(view)) => add(all, name, &view),
            Ok(Response::Caches { caches }) => add(all, name, &caches),
            Ok(Response::Usage(usage)) => add(all, name, &usage),
            Ok(_) => missing(all, name, &ClientError::Unexpected),
            Err(error) => {
                missing(all, name, &error);
                if let ClientError::Unreachable { .. } = error {
                    return false;
                }
            }
        }
    }
    true
}

fn add(all: &mut Collection, name: &str, answer: &impl Serialize) {
    match serde_json::to_value(answer) {
        Ok(value) => all.add(format!("{name}.json"), Content::Json(value)),
        Err(error) => missing(all, name, &error),
    }
}

fn missing(all: &mut Collection, name: &str, why: &impl ToString) {
    all.missing.push(format!("{name}: {}", why.to_string()));
}

fn of_jobs(all: &mut Collection, daemon: &Daemon, jobs: &[Job], pictures: Shown) {
    let (mut ended, live): (Vec<&Job>, Vec<&Job>) = jobs.iter().partition(|job| job.is_finished());
    ended.sort_by_key(|job| std::cmp::Reverse(job.state.finished_at()));
    let shown: Vec<&Job> = live
        .iter()
        .chain(ended.iter().take(ENDED))
        .copied()
        .collect();
    add(all, "jobs", &shown);
    for job in ended
        .iter()
        .filter(|job| job.is(StateName::Failed))
        .take(FAILURES)
    {
        failure(all, daemon, job, pictures);
    }
    for job in live.iter().take(PLANS) {
        let subject = PlanSubject::Job(job.id);
        match daemon.ask(&Request::Plan(PlanRequest { subject })) {
            Ok(Response::Planned(plan)) => add(all, &format!("plans/{}", job.id), &plan),
            Ok(_) => missing(all, "plan", &ClientError::Unexpected),
            Err(error) => missing(all, &format!("plan of job {}", job.id), &error),
        }
    }
}

/// A failed job as `show` has it, with its log.
fn failure(all: &mut Collection, daemon: &Daemon, job: &Job, pictures: Shown) {
    let id = job.id;
    let show = SelectRequest {
        jobs: vec![Selector::Id(id)],
    };
    match daemon.jobs(&Request::Show(show)) {
        Ok(jobs) => add(all, &format!("failures/{id}"), &jobs),
        Err(error) => missing(all, &format!("job {id}"), &error),
    }
    match log(daemon, id) {
        Ok(lines) => all.add(format!("failures/{id}.log.ndjson"), Content::Lines(lines)),
        Err(error) => missing(all, &format!("log of job {id}"), &error),
    }
    if pictures == Shown::Yes {
        let ending = job.image.extension().unwrap_or_default().to_string_lossy();
        match picture(daemon, job) {
            Ok(bytes) => all.add(format!("failures/{id}.{ending}"), Content::Picture(bytes)),
            Err(error) => missing(all, &job.image.display().to_string(), &error),
        }
    }
}

/// The start image: the daemon's copy, since the file may have gone with the job's own or been replaced; the file where the
/// daemon has none any more.
fn picture(daemon: &Daemon, job: &Job) -> io::Result<Vec<u8>> {
    let request = Request::StartImage(StartImageRequest { job: job.id });
    match daemon.ask(&request) {
        Ok(Response::StartImage(image)) => STANDARD.decode(image.data).map_err(io::Error::other),
        _ => fs::read(&job.image),
    }
}

fn log(daemon: &Daemon, job: JobId) -> Result<Vec<Value>, ClientError> {
    let mut client = daemon.connect()?;
    let follow = false;
    let log = Stream::Log(LogsRequest { job, follow });
    let mut answer = client.call(&Request::Stream(log))?;
    let mut all = Vec::new();
    while let Response::Log { lines } = answer {
        all.extend(
            lines.into_iter().map(|line| {
                serde_json::from_str(&line).unwrap_or_else(|_| json!({ "line": line }))
            }),
        );
        answer = client.receive()?;
    }
    Ok(all)
}
