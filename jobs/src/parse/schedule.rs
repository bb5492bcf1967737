//! The keys that say when a job may run and what is done when it fails.

use framepack_yaml::{Node, Problem, ProblemKind, Problems, Table, suggest};

use super::{MAX_KEY_CHARS, word};
use crate::{Class, Dependency, JobId, RetrySpec, Schedule, Timestamp, Window};

const PRIORITY: std::ops::RangeInclusive<i32> = -1000..=1000;
const MAX_RETRIES: u32 = 10;
const MAX_BACKOFF_SECS: u32 = 24 * 60 * 60;
/// More jobs than this are better named as the newest of a chain.
const MAX_AFTER: usize = 100;

pub(super) fn read(top: &Table<'_>, noted: &mut Problems) -> Schedule {
    let schedule = Schedule {
        priority: top.integer("priority", &PRIORITY, noted).unwrap_or(0),
        group: group(top, noted),
        after: after(top, noted),
        not_before: time(top, "not_before", noted),
        deadline: time(top, "deadline", noted),
        window: window(top, noted),
        retry: retry(top, noted),
    };
    if let (Some(begin), Some(end)) = (schedule.not_before, schedule.deadline)
        && end <= begin
    {
        let message = format!("{end} is not after not_before, {begin}");
        noted.push(top.problem(ProblemKind::OutOfRange, "deadline", message));
    }
    schedule
}

fn group(top: &Table<'_>, noted: &mut Problems) -> Option<String> {
    let parsed = word(top.text("group", noted)?);
    let out_of_range = |message| top.problem(ProblemKind::OutOfRange, "group", message);
    parsed
        .map_err(|message| noted.push(out_of_range(message)))
        .ok()
}

/// One job or a list of them, each by number, name or key.
fn after(top: &Table<'_>, noted: &mut Problems) -> Vec<Dependency> {
    let Some(node) = top.get("after") else {
        return Vec::new();
    };
    let nodes = match node {
        Node::List(nodes) => nodes.as_slice(),
        one => std::slice::from_ref(one),
    };
    if nodes.len() > MAX_AFTER {
        let message = format!("{} jobs; at most {MAX_AFTER} are accepted", nodes.len());
        noted.push(top.problem(ProblemKind::OutOfRange, "after", message));
        return Vec::new();
    }
    let mut jobs = Vec::new();
    for node in nodes {
        match dependency(node) {
            Ok(job) => jobs.push(job),
            Err((kind, message)) => noted.push(top.problem(kind, "after", message)),
        }
    }
    jobs
}

fn dependency(node: &Node) -> Result<Dependency, (ProblemKind, String)> {
    match node {
        Node::Int(number) => match u64::try_from(*number) {
            Ok(number) if number > 0 => Ok(Dependency::Number(JobId(number))),
            _ => Err((
                ProblemKind::OutOfRange,
                format!("{node} is not the number of a job; they are counted from 1"),
            )),
        },
        Node::Text(name) if (1..=MAX_KEY_CHARS).contains(&name.chars().count()) => {
            Ok(Dependency::Named(name.clone()))
        }
        Node::Text(name) => Err((
            ProblemKind::OutOfRange,
            format!(
                "{} characters are not in 1 to {MAX_KEY_CHARS}",
                name.chars().count()
            ),
        )),
        other => Err((
            ProblemKind::WrongType,
            format!(
                "expected the number, the name or the key of a job, or a list of them; found {other}"
            ),
        )),
    }
}

fn time(top: &Table<'_>, key: &str, noted: &mut Problems) -> Option<Timestamp> {
    let text = top.text(key, noted)?;
    let time = Timestamp::from_rfc3339(text);
    if time.is_none() {
        let message = format!("`{text}` is not a time with a date and an offset");
        noted.push(
            top.problem(ProblemKind::OutOfRange, key, message)
                .hint("write it like 2026-11-24T06:30:00+01:00, or with Z for UTC"),
        );
    }
    time
}

fn window(top: &Table<'_>, noted: &mut Problems) -> Option<Window> {
    let parsed = top.text("window", noted)?.parse();
    parsed
        .map_err(|error: crate::InvalidWindow| {
            noted.push(
                top.problem(ProblemKind::OutOfRange, "window", error.to_string())
                    .hint("write it like \"22:00-07:00\", in local time"),
            );
        })
        .ok()
}

fn retry(top: &Table<'_>, noted: &mut Problems) -> RetrySpec {
    let table = top.table("retry", &["max", "on", "backoff_secs"], noted);
    let default = RetrySpec::default();
    RetrySpec {
        max: table
            .integer("max", &(0..=MAX_RETRIES), noted)
            .unwrap_or(default.max),
        on: classes(&table, noted).unwrap_or(default.on),
        backoff_secs: table
            .integer("backoff_secs", &(0..=MAX_BACKOFF_SECS), noted)
            .unwrap_or(default.backoff_secs),
    }
}

fn classes(retry: &Table<'_>, noted: &mut Problems) -> Option<Vec<Class>> {
    let node = retry.get("on")?;
    let Node::List(nodes) = node else {
        noted.push(retry.wrong_type("on", "a list of classes of failures", node));
        return None;
    };
    let mut classes = Vec::new();
    for node in nodes {
        match class(node) {
            Some(class) if classes.contains(&class) => {}
            Some(class) => classes.push(class),
            None => noted.push(unknown_class(retry, node)),
        }
    }
    Some(classes)
}

fn class(node: &Node) -> Option<Class> {
    let Node::Text(text) = node else { return None };
    let mut all = RetrySpec::CLASSES.into_iter();
    all.find(|class| class.as_str() == text)
}

fn unknown_class(retry: &Table<'_>, node: &Node) -> Problem {
    let known = RetrySpec::CLASSES.map(Class::as_str);
    let message = match node {
        Node::Text(text) if matches!(text.as_str(), "input" | "policy" | "cancelled") => {
            format!("{text} failures are never tried again: the job would fail in the same way")
        }
        other => format!("{other} is not a class; there are {}", known.join(", ")),
    };
    let problem = retry.problem(ProblemKind::OutOfRange, "on", message);
    let near = match node {
        Node::Text(text) => suggest(text, known),
        _ => None,
    };
    Problem {
        hint: near.map(|near| format!("did you mean `{near}`?")),
        ..problem
    }
}
