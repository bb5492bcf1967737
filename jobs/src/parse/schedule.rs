//! The keys that say when a job may run and what is done when it fails.

use framepack_yaml::{Document, Mistake, Node, ProblemKind, suggest};

use super::{key, name};
use crate::{AtEnd, Class, Dependency, JobId, RetrySpec, Schedule, Timestamp, Window};

const PRIORITY: std::ops::RangeInclusive<i32> = -1000..=1000;
const MAX_RETRIES: u32 = 10;
const MAX_BACKOFF_SECS: u32 = 24 * 60 * 60;
/// Keys of a window that says what happens at its end.
const WINDOW_KEYS: [&str; 2] = ["hours", "at_end"];
/// More jobs than this are better named as the newest of a chain.
const MAX_AFTER: usize = 100;

pub(super) fn read(document: &mut Document<'_>) -> Schedule {
    let schedule = Schedule {
        priority: document
            .value("priority", |node| node.integer(&PRIORITY))
            .unwrap_or(0),
        group: document.value("group", name),
        after: document.value("after", after).unwrap_or_default(),
        not_before: document.value("not_before", time),
        deadline: document.value("deadline", time),
        window: document.value("window", window),
        retry: retry(document),
    };
    if let (Some(begin), Some(end)) = (schedule.not_before, schedule.deadline)
        && end <= begin
    {
        let message = format!("{end} is not after not_before, {begin}");
        document.note("deadline", Mistake::out_of_range(message));
    }
    schedule
}

/// One job or a list of them, each by number, name or key.
fn after(node: &Node) -> Result<Vec<Dependency>, Mistake> {
    let nodes = match node {
        Node::List(nodes) => nodes.as_slice(),
        one => std::slice::from_ref(one),
    };
    if nodes.len() > MAX_AFTER {
        let message = format!("{} jobs; at most {MAX_AFTER} are accepted", nodes.len());
        return Err(Mistake::out_of_range(message));
    }
    nodes.iter().map(dependency).collect()
}

fn dependency(node: &Node) -> Result<Dependency, Mistake> {
    if let Some(number) = node.whole() {
        return match u64::try_from(number) {
            Ok(number) if number > 0 => Ok(Dependency::Number(JobId(number))),
            _ => Err(Mistake::out_of_range(format!(
                "{node} is not a job number; the first is 1"
            ))),
        };
    }
    match node {
        Node::Text(_) => key(node).map(Dependency::Named),
        other => Err(Mistake::wrong_type(
            "the number, the name or the key of a job, or a list of them",
            other,
        )),
    }
}

fn time(node: &Node) -> Result<Timestamp, Mistake> {
    let text = node.text()?;
    Timestamp::from_rfc3339(text).ok_or_else(|| {
        let message = format!("`{text}` is not a time with a date and an offset");
        Mistake::out_of_range(message)
            .hint("write it like 2026-11-24T06:30:00+01:00, or with Z for UTC")
    })
}

/// The hours alone, or with what becomes of a running job at their end.
fn window(node: &Node) -> Result<Window, Mistake> {
    let Node::Map(entries) = node else {
        return hours(node);
    };
    if let Some((unknown, _)) = entries
        .iter()
        .find(|(key, _)| !WINDOW_KEYS.contains(&key.as_str()))
    {
        let known = WINDOW_KEYS.join(", ");
        let mistake = Mistake::new(
            ProblemKind::UnknownKey,
            format!("unknown key `{unknown}` in it"),
        );
        return Err(mistake.hint(format!("known keys here: {known}")));
    }
    let value = |wanted: &str| {
        let entry = entries.iter().find(|(key, _)| key == wanted);
        entry
            .map(|(_, node)| node)
            .filter(|node| **node != Node::Null)
    };
    let Some(written) = value("hours") else {
        let mistake = Mistake::new(ProblemKind::MissingKey, "it has no `hours`");
        return Err(mistake.hint("write it like {hours: \"22:00-07:00\", at_end: section}"));
    };
    let at_end = value("at_end").map_or(Ok(AtEnd::default()), at_end)?;
    Ok(hours(written)?.ending(at_end))
}

fn at_end(node: &Node) -> Result<AtEnd, Mistake> {
    let word = node.word("an end of a window", AtEnd::ALL.map(AtEnd::as_str))?;
    let ends = AtEnd::ALL.into_iter().find(|end| end.as_str() == word);
    Ok(ends.expect("the word is that of one of them"))
}

fn hours(node: &Node) -> Result<Window, Mistake> {
    node.text()?.parse().map_err(|error: crate::InvalidWindow| {
        Mistake::out_of_range(error.to_string())
            .hint("write it like \"22:00-07:00\", in local time")
    })
}

fn retry(document: &mut Document<'_>) -> RetrySpec {
    let default = RetrySpec::default();
    RetrySpec {
        max: document
            .value("retry.max", |node| node.integer(&(0..=MAX_RETRIES)))
            .unwrap_or(default.max),
        on: document.value("retry.on", classes).unwrap_or(default.on),
        backoff_secs: document
            .value("retry.backoff_secs", |node| {
                node.integer(&(0..=MAX_BACKOFF_SECS))
            })
            .unwrap_or(default.backoff_secs),
    }
}

fn classes(node: &Node) -> Result<Vec<Class>, Mistake> {
    let Node::List(nodes) = node else {
        return Err(Mistake::wrong_type("a list of failure classes", node));
    };
    let mut classes = Vec::new();
    for node in nodes {
        let class = class(node)?;
        if !classes.contains(&class) {
            classes.push(class);
        }
    }
    Ok(classes)
}

fn class(node: &Node) -> Result<Class, Mistake> {
    let text = match node {
        Node::Text(text) => text.as_str(),
        _ => "",
    };
    let mut all = RetrySpec::CLASSES.into_iter();
    if let Some(class) = all.find(|class| class.as_str() == text) {
        return Ok(class);
    }
    if matches!(text, "input" | "policy" | "cancelled") {
        return Err(Mistake::out_of_range(format!(
            "{text} failures are never retried: the job would fail in the same way"
        )));
    }
    let known = RetrySpec::CLASSES.map(Class::as_str);
    let message = format!(
        "{node} is not a failure class; expected one of {}",
        known.join(", ")
    );
    let mistake = Mistake::out_of_range(message);
    Err(match suggest(text, known) {
        Some(near) => mistake.hint(format!("did you mean `{near}`?")),
        None => mistake,
    })
}
