//! The configuration file: its sections, their keys, and the layer that they give.

use std::path::PathBuf;

use crate::{
    Device, Devices, HOST_BUDGET_GB, Layer, PRESERVE_GB, Principal, Problem, ProblemKind, Problems,
    SocketRoles, Table, disk,
    idle::idle_limit,
    keep,
    memory::amount,
    parameters::{DEADLINE_FACTOR, DEADLINE_SECS, MAX_FAULTS, RECYCLE_AFTER},
    retention, settings, spool,
    yaml::{self, Node},
};

/// Sections of the file and their keys.
pub(crate) const KEYS: [(&str, &[&str]); 12] = [
    ("paths", &["jobs", "state", "outputs", "socket", "inputs"]),
    ("models", &["bundle", "f1_bundle"]),
    (
        "worker",
        &[
            "devices",
            "program",
            "recycle_after",
            "max_faults",
            "first_step_deadline_secs",
            "step_deadline_factor",
            "min_step_deadline_secs",
        ],
    ),
    ("idle", &["warm_after_secs", "cold_after_secs"]),
    ("memory", &["preserve_gb", "host_budget_gb"]),
    ("spool", &spool::SPOOL_KEYS),
    ("queue", &spool::QUEUE_KEYS),
    ("socket", &["admin", "submit", "read"]),
    ("metrics", &["textfile"]),
    ("disk", &disk::KEYS),
    ("retention", &retention::KEYS),
    ("keep", &keep::KEYS),
];

/// The layer that the file's text gives.
pub(crate) fn layer(text: &str) -> Result<Layer, Problems> {
    let root = yaml::parse(text)?;
    let mut problems = Problems::default();
    let top = Table::root(&root, &KEYS.map(|(section, _)| section), &mut problems);
    let [
        paths,
        models,
        worker,
        idle,
        memory,
        in_spool,
        queue,
        socket,
        metrics,
        in_disk,
        in_retention,
        in_keep,
    ] = KEYS.map(|(section, keys)| top.table(section, keys, &mut problems));
    let mut path = |table: &Table<'_>, key: &str| -> Option<PathBuf> {
        table.text(key, &mut problems).map(PathBuf::from)
    };
    let layer = Layer {
        jobs: path(&paths, "jobs"),
        state: path(&paths, "state"),
        outputs: path(&paths, "outputs"),
        socket: path(&paths, "socket"),
        bundle: path(&models, "bundle"),
        f1_bundle: path(&models, "f1_bundle"),
        program: path(&worker, "program"),
        textfile: textfile(&metrics, &mut problems),
        inputs: folders(&paths, "inputs", &mut problems),
        devices: devices(&worker, "devices", &mut problems),
        recycle_after: worker.integer("recycle_after", &RECYCLE_AFTER.range, &mut problems),
        max_faults: worker.integer("max_faults", &MAX_FAULTS.range, &mut problems),
        first_step_deadline_secs: worker.integer(
            "first_step_deadline_secs",
            &DEADLINE_SECS,
            &mut problems,
        ),
        step_deadline_factor: worker.integer(
            "step_deadline_factor",
            &DEADLINE_FACTOR,
            &mut problems,
        ),
        min_step_deadline_secs: worker.integer(
            "min_step_deadline_secs",
            &DEADLINE_SECS,
            &mut problems,
        ),
        warm_after: idle_limit(&idle, "warm_after_secs", &mut problems),
        cold_after: idle_limit(&idle, "cold_after_secs", &mut problems),
        preserve: amount(&memory, "preserve_gb", &PRESERVE_GB, &mut problems),
        host_budget: amount(&memory, "host_budget_gb", &HOST_BUDGET_GB, &mut problems),
        spool: spool::in_file(&in_spool, &queue, &mut problems),
        disk: disk::in_file(&in_disk, &mut problems),
        retention: retention::in_file(&in_retention, &mut problems),
        keep: keep::in_file(&in_keep, &mut problems),
        roles: SocketRoles {
            admin: principals(&socket, "admin", &mut problems),
            submit: principals(&socket, "submit", &mut problems),
            read: principals(&socket, "read", &mut problems),
        },
    };
    problems
        .or(layer)
        .map_err(|problems| problems.located_in(text))
}

/// `metrics.textfile`.
fn textfile(metrics: &Table<'_>, problems: &mut Problems) -> Option<PathBuf> {
    let text = metrics.text("textfile", problems)?;
    settings::textfile(text)
        .map_err(|message| {
            problems.push(metrics.problem(ProblemKind::OutOfRange, "textfile", message));
        })
        .ok()
}

/// A folder, or a list of folders.
fn folders(table: &Table<'_>, key: &str, problems: &mut Problems) -> Option<Vec<PathBuf>> {
    texts(table, key, problems).map(|texts| texts.into_iter().map(PathBuf::from).collect())
}

/// `auto`, a device, or a list of devices.
fn devices(table: &Table<'_>, key: &str, problems: &mut Problems) -> Option<Devices> {
    let texts = texts(table, key, problems)?;
    if texts == ["auto"] {
        return Some(Devices::Auto);
    }
    let devices: Result<Vec<Device>, _> = texts.into_iter().map(str::parse).collect();
    devices
        .and_then(Devices::listed)
        .map_err(|err| {
            problems.push(table.problem(ProblemKind::OutOfRange, key, err.to_string()));
        })
        .ok()
}

/// A user or group, or a list of them, which may be empty: nobody.
fn principals(table: &Table<'_>, key: &str, problems: &mut Problems) -> Option<Vec<Principal>> {
    if matches!(table.get(key)?, Node::List(items) if items.is_empty()) {
        return Some(Vec::new());
    }
    let principals: Result<Vec<Principal>, _> = texts(table, key, problems)?
        .into_iter()
        .map(str::parse)
        .collect();
    principals
        .map_err(|err| problems.push(table.problem(ProblemKind::OutOfRange, key, err.to_string())))
        .ok()
}

/// One text or a list of texts; an empty list is a mistake.
fn texts<'n>(table: &Table<'n>, key: &str, problems: &mut Problems) -> Option<Vec<&'n str>> {
    let node = table.get(key)?;
    let items = match node {
        Node::List(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let texts: Option<Vec<&str>> = items
        .iter()
        .map(|item| match item {
            Node::Text(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    match texts {
        Some(texts) if !texts.is_empty() => Some(texts),
        _ => {
            let problem: Problem = table.wrong_type(key, "text or a list of texts", node);
            problems.push(problem);
            None
        }
    }
}
