//! `FRAMEPACKD_SECTION_KEY` variables.

use std::{fmt, ops::RangeInclusive, path::PathBuf, str::FromStr, time::Duration};

use crate::{
    Devices, HOST_BUDGET_GB, IdleLimit, Layer, MemoryAmount, PRESERVE_GB, Problem, ProblemKind,
    Problems, SocketRoles, disk, keep,
    parameters::{DEADLINE_FACTOR, DEADLINE_SECS, MAX_FAULTS, RECYCLE_AFTER},
    retention,
    roles::principals,
    settings, spool, suggest,
};

/// Variables that are settings. `FRAMEPACKD_SOCKET` is the one that framepackctl reads, too.
const VARIABLES: [&str; 41] = [
    "FRAMEPACKD_SOCKET",
    "FRAMEPACKD_PATHS_JOBS",
    "FRAMEPACKD_PATHS_STATE",
    "FRAMEPACKD_PATHS_OUTPUTS",
    "FRAMEPACKD_PATHS_SOCKET",
    "FRAMEPACKD_PATHS_INPUTS",
    "FRAMEPACKD_MODELS_BUNDLE",
    "FRAMEPACKD_MODELS_F1_BUNDLE",
    "FRAMEPACKD_WORKER_DEVICES",
    "FRAMEPACKD_WORKER_PROGRAM",
    "FRAMEPACKD_WORKER_RECYCLE_AFTER",
    "FRAMEPACKD_WORKER_MAX_FAULTS",
    "FRAMEPACKD_WORKER_FIRST_STEP_DEADLINE_SECS",
    "FRAMEPACKD_WORKER_STEP_DEADLINE_FACTOR",
    "FRAMEPACKD_WORKER_MIN_STEP_DEADLINE_SECS",
    "FRAMEPACKD_IDLE_WARM_AFTER_SECS",
    "FRAMEPACKD_IDLE_COLD_AFTER_SECS",
    "FRAMEPACKD_MEMORY_PRESERVE_GB",
    "FRAMEPACKD_MEMORY_HOST_BUDGET_GB",
    "FRAMEPACKD_SPOOL_MODE",
    "FRAMEPACKD_SPOOL_READONLY",
    "FRAMEPACKD_SPOOL_DEDUPE",
    "FRAMEPACKD_SPOOL_SETTLE_SECS",
    "FRAMEPACKD_SPOOL_GRACE_SECS",
    "FRAMEPACKD_SPOOL_SCAN_SECS",
    "FRAMEPACKD_SPOOL_WAIT_INPUTS_SECS",
    "FRAMEPACKD_SPOOL_ALARM_SECS",
    "FRAMEPACKD_QUEUE_MAX_JOBS",
    "FRAMEPACKD_SOCKET_ADMIN",
    "FRAMEPACKD_SOCKET_SUBMIT",
    "FRAMEPACKD_SOCKET_READ",
    "FRAMEPACKD_METRICS_TEXTFILE",
    "FRAMEPACKD_DISK_FLOOR_MIB",
    "FRAMEPACKD_DISK_RESERVE_MIB",
    "FRAMEPACKD_RETENTION_DONE_DAYS",
    "FRAMEPACKD_RETENTION_DONE_FILES",
    "FRAMEPACKD_RETENTION_FAILED_DAYS",
    "FRAMEPACKD_RETENTION_THEN",
    "FRAMEPACKD_KEEP_WORK_DAYS",
    "FRAMEPACKD_KEEP_LOGS_DAYS",
    "FRAMEPACKD_KEEP_MAX_JOBS",
];

/// What the daemon's variables begin with: one that is no setting is misspelt, or of another version.
const PREFIX: &str = "FRAMEPACKD_";

/// The layer that the environment gives. An empty variable counts as unset.
pub(crate) fn layer(variables: &[(String, String)], problems: &mut Problems) -> Layer {
    let get = |name: &str| {
        let (_, value) = variables.iter().find(|(variable, _)| variable == name)?;
        (!value.is_empty()).then_some(value.as_str())
    };
    let path = |name: &str| get(name).map(PathBuf::from);
    for (name, _) in variables {
        if name.starts_with(PREFIX) && !VARIABLES.contains(&name.as_str()) {
            let hint = match suggest(name, VARIABLES) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("unset it: variables that begin with {PREFIX} are settings"),
            };
            let problem = Problem::new(ProblemKind::UnknownKey, name, "unknown variable");
            problems.push(problem.hint(hint));
        }
    }
    let spool = spool::in_environment(get, problems);
    let disk = disk::in_environment(get, problems);
    let retention = retention::in_environment(get, problems);
    let keep = keep::in_environment(get, problems);
    let mut given = Given { get, problems };
    Layer {
        jobs: path("FRAMEPACKD_PATHS_JOBS"),
        state: path("FRAMEPACKD_PATHS_STATE"),
        outputs: path("FRAMEPACKD_PATHS_OUTPUTS"),
        socket: path("FRAMEPACKD_PATHS_SOCKET").or(path("FRAMEPACKD_SOCKET")),
        inputs: get("FRAMEPACKD_PATHS_INPUTS").map(|roots| std::env::split_paths(roots).collect()),
        bundle: path("FRAMEPACKD_MODELS_BUNDLE"),
        f1_bundle: path("FRAMEPACKD_MODELS_F1_BUNDLE"),
        devices: given.parsed("FRAMEPACKD_WORKER_DEVICES", Devices::from_str),
        program: path("FRAMEPACKD_WORKER_PROGRAM"),
        recycle_after: given.number("FRAMEPACKD_WORKER_RECYCLE_AFTER", &RECYCLE_AFTER.range),
        max_faults: given.number("FRAMEPACKD_WORKER_MAX_FAULTS", &MAX_FAULTS.range),
        first_step_deadline_secs: given
            .number("FRAMEPACKD_WORKER_FIRST_STEP_DEADLINE_SECS", &DEADLINE_SECS),
        step_deadline_factor: given
            .number("FRAMEPACKD_WORKER_STEP_DEADLINE_FACTOR", &DEADLINE_FACTOR),
        min_step_deadline_secs: given
            .number("FRAMEPACKD_WORKER_MIN_STEP_DEADLINE_SECS", &DEADLINE_SECS),
        warm_after: given.parsed("FRAMEPACKD_IDLE_WARM_AFTER_SECS", IdleLimit::from_str),
        cold_after: given.parsed("FRAMEPACKD_IDLE_COLD_AFTER_SECS", IdleLimit::from_str),
        preserve: given.parsed("FRAMEPACKD_MEMORY_PRESERVE_GB", |text| {
            MemoryAmount::parse(text, &PRESERVE_GB)
        }),
        host_budget: given.parsed("FRAMEPACKD_MEMORY_HOST_BUDGET_GB", |text| {
            MemoryAmount::parse(text, &HOST_BUDGET_GB)
        }),
        spool,
        disk,
        retention,
        keep,
        roles: SocketRoles {
            admin: given.parsed("FRAMEPACKD_SOCKET_ADMIN", principals),
            submit: given.parsed("FRAMEPACKD_SOCKET_SUBMIT", principals),
            read: given.parsed("FRAMEPACKD_SOCKET_READ", principals),
        },
        textfile: given.parsed("FRAMEPACKD_METRICS_TEXTFILE", settings::textfile),
    }
}

/// Variables that are more than text.
pub(crate) struct Given<'p, F> {
    pub(crate) get: F,
    pub(crate) problems: &'p mut Problems,
}

impl<'t, F: Fn(&str) -> Option<&'t str>> Given<'_, F> {
    /// What `parse` makes of a variable; that it can't is a mistake.
    fn parsed<T, E: fmt::Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = (self.get)(name)?;
        parse(text)
            .map_err(|err| {
                let problem = Problem::new(ProblemKind::OutOfRange, name, err.to_string());
                self.problems.push(problem);
            })
            .ok()
    }

    /// One of the words of a type.
    pub(crate) fn word<T: FromStr<Err: fmt::Display>>(&mut self, name: &str) -> Option<T> {
        self.parsed(name, T::from_str)
    }

    /// A number in a range; what kind of number, for people.
    pub(crate) fn within<T: FromStr + PartialOrd + fmt::Display>(
        &mut self,
        name: &str,
        range: &RangeInclusive<T>,
        kind: &str,
    ) -> Option<T> {
        self.parsed(name, |text| {
            let number = text.parse().ok().filter(|number| range.contains(number));
            let (low, high) = (range.start(), range.end());
            number.ok_or_else(|| format!("`{text}` is not {kind}, {low} to {high}"))
        })
    }

    /// Seconds in a range.
    pub(crate) fn secs(&mut self, name: &str, range: &RangeInclusive<f64>) -> Option<Duration> {
        let secs = self.within(name, range, "a number")?;
        Some(Duration::from_secs_f64(secs))
    }

    /// A whole number in a range.
    fn number(&mut self, name: &str, range: &RangeInclusive<u32>) -> Option<u32> {
        self.parsed(name, |text| {
            let number = text.parse().ok().filter(|number| range.contains(number));
            let (low, high) = (range.start(), range.end());
            number.ok_or_else(|| format!("`{text}` is not in {low} to {high}"))
        })
    }
}
