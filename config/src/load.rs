//! The configuration file, and the merge of file, environment and flags.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    Config, Device, Devices, Layer, Problem, ProblemKind, Problems, Table, environment,
    yaml::{self, Node},
};

/// Where settings come from. Later ones win: file, environment, flags.
#[derive(Debug, Clone)]
pub struct Load<'a> {
    /// The configuration file; its relative paths are relative to its folder.
    pub file: &'a Path,
    /// Environment variables; only `FRAMEPACKD_*` are looked at.
    pub environment: &'a [(String, String)],
    /// Flags.
    pub flags: Layer,
    /// The working directory, for relative paths in the environment and in flags.
    pub current_dir: &'a Path,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("reading {path}: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It can be read, but not used.
    #[error("{path}:\n{problems}", path = path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Everything that is wrong.
        problems: Problems,
    },
}

impl Config {
    /// Reads and merges all settings.
    pub fn load(load: Load<'_>) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(load.file).map_err(|source| ConfigError::Unreadable {
            path: load.file.to_owned(),
            source,
        })?;
        let file = load.current_dir.join(load.file);
        let folder = file.parent().unwrap_or(load.current_dir);
        let mut problems = Problems::default();
        let environment = environment::layer(load.environment, &mut problems);
        file_layer(&text)
            .and_then(|in_file| problems.or(in_file.relative_to(folder)))
            .and_then(|in_file| {
                let given = load.flags.over(environment).relative_to(load.current_dir);
                given.over(in_file).resolve()
            })
            .map_err(|problems| ConfigError::Invalid {
                path: load.file.to_owned(),
                problems,
            })
    }
}

/// The layer that the file's text gives.
pub(crate) fn file_layer(text: &str) -> Result<Layer, Problems> {
    let root = yaml::parse(text)?;
    let mut problems = Problems::default();
    let top = Table::root(&root, &["paths", "models", "worker"], &mut problems);
    let paths = ["jobs", "state", "outputs", "socket", "inputs"];
    let paths = top.table("paths", &paths, &mut problems);
    let models = top.table("models", &["bundle", "f1_bundle"], &mut problems);
    let worker = top.table("worker", &["devices", "program"], &mut problems);
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
        inputs: folders(&paths, "inputs", &mut problems),
        devices: devices(&worker, "devices", &mut problems),
    };
    problems
        .or(layer)
        .map_err(|problems| problems.located_in(text))
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
        .map_err(|err| {
            problems.push(table.problem(ProblemKind::OutOfRange, key, err.to_string()));
        })
        .map(Devices::Listed)
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
