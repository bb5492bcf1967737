//! `FRAMEPACKD_SECTION_KEY` variables.

use std::path::PathBuf;

use crate::{
    HOST_BUDGET_GB, Layer, MemoryAmount, PRESERVE_GB, Problem, ProblemKind, Problems, suggest,
};

/// Variables that are settings. `FRAMEPACKD_SOCKET` is the one that framepackctl reads, too.
const VARIABLES: [&str; 12] = [
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
    "FRAMEPACKD_MEMORY_PRESERVE_GB",
    "FRAMEPACKD_MEMORY_HOST_BUDGET_GB",
];

/// Prefixes of variables that must be settings; others are none of our business.
const SECTIONS: [&str; 4] = [
    "FRAMEPACKD_PATHS_",
    "FRAMEPACKD_MODELS_",
    "FRAMEPACKD_WORKER_",
    "FRAMEPACKD_MEMORY_",
];

/// The layer that the environment gives. An empty variable counts as unset.
pub(crate) fn layer(variables: &[(String, String)], problems: &mut Problems) -> Layer {
    let get = |name: &str| {
        let (_, value) = variables.iter().find(|(variable, _)| variable == name)?;
        (!value.is_empty()).then_some(value.as_str())
    };
    let path = |name: &str| get(name).map(PathBuf::from);
    for (name, _) in variables {
        if SECTIONS.iter().any(|section| name.starts_with(section))
            && !VARIABLES.contains(&name.as_str())
        {
            let mut problem = Problem::new(ProblemKind::UnknownKey, name, "unknown variable");
            problem.hint = suggest(name, VARIABLES).map(|near| format!("did you mean `{near}`?"));
            problems.push(problem);
        }
    }
    let mut amount = |name: &str, range| {
        let parsed = MemoryAmount::parse(get(name)?, range);
        parsed
            .map_err(|err| {
                problems.push(Problem::new(ProblemKind::OutOfRange, name, err.to_string()));
            })
            .ok()
    };
    let preserve = amount("FRAMEPACKD_MEMORY_PRESERVE_GB", &PRESERVE_GB);
    let host_budget = amount("FRAMEPACKD_MEMORY_HOST_BUDGET_GB", &HOST_BUDGET_GB);
    let devices = "FRAMEPACKD_WORKER_DEVICES";
    Layer {
        jobs: path("FRAMEPACKD_PATHS_JOBS"),
        state: path("FRAMEPACKD_PATHS_STATE"),
        outputs: path("FRAMEPACKD_PATHS_OUTPUTS"),
        socket: path("FRAMEPACKD_PATHS_SOCKET").or(path("FRAMEPACKD_SOCKET")),
        inputs: get("FRAMEPACKD_PATHS_INPUTS").map(|roots| std::env::split_paths(roots).collect()),
        bundle: path("FRAMEPACKD_MODELS_BUNDLE"),
        f1_bundle: path("FRAMEPACKD_MODELS_F1_BUNDLE"),
        devices: get(devices).and_then(|text| {
            text.parse()
                .map_err(|err: crate::UnknownDevice| {
                    problems.push(Problem::new(
                        ProblemKind::OutOfRange,
                        devices,
                        err.to_string(),
                    ));
                })
                .ok()
        }),
        program: path("FRAMEPACKD_WORKER_PROGRAM"),
        preserve,
        host_budget,
    }
}
