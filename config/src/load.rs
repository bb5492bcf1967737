//! Where settings come from, and the configuration that they make.

use std::{ffi::OsString, path::Path};

use framepack_jobs::settings::{
    self, ATTENTION, FLASH_SDP, Farm, MEM_EFFICIENT_SDP, Origin, PRESET, PROFILE, Row, Scope,
    Setting, TABLE, Value,
};
use framepack_yaml::{self as yaml, FileError, Mistake, Place, Problems, locate};

use crate::{
    Disk, Idle, Metrics, Models, Paths, Process, QueueLimits, Retention, SocketRoles, Spool,
    Worker, presets, reader::Reader,
};

/// Everything that framepackd can be told: complete, absolute, valid.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Folders and the socket.
    pub paths: Paths,
    /// Model bundles.
    pub models: Models,
    /// Worker processes.
    pub worker: Worker,
    /// What each of them is started with.
    pub process: Process,
    /// What workers without jobs give up.
    pub idle: Idle,
    /// The jobs folder.
    pub spool: Spool,
    /// How many jobs there may be.
    pub queue: QueueLimits,
    /// Space that is left free.
    pub disk: Disk,
    /// How long files of ended jobs are kept.
    pub retention: Retention,
    /// Who may use the socket, and for what.
    pub socket: SocketRoles,
    /// Figures for a monitoring system.
    pub metrics: Metrics,
    /// Settings of the table that somebody set for the whole farm, and its presets.
    pub farm: Farm,
}

/// Where settings come from. The environment wins.
#[derive(Debug, Clone, Copy)]
pub struct Load<'a> {
    /// The configuration file; its relative paths are relative to its folder.
    pub file: &'a Path,
    /// Environment variables; `FRAMEPACKD_*` and those of the Python application are looked at.
    pub environment: &'a [(String, OsString)],
    /// The working directory, for relative paths in the environment.
    pub current_dir: &'a Path,
}

/// A configuration and how it came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Every setting, in the order of the documented file.
    pub settings: Vec<Setting>,
    /// What an operator should know: old names of keys, what variables of the Python application come to.
    pub notices: Vec<String>,
}

impl Loaded {
    /// Reads and merges all settings, or says everything that is wrong.
    pub fn read(load: &Load<'_>) -> Result<Self, FileError> {
        yaml::read(load.file, |text| merge(text, load))
    }
}

/// The configuration that the file's text and the environment make.
fn merge(text: &str, load: &Load<'_>) -> Result<Loaded, Problems> {
    let root = yaml::parse(text).map_err(|problem| problem.in_schema(is_section))?;
    let mut reader = Reader::new(&root, load);
    let paths = Paths::read(&mut reader);
    let models = Models::read(&mut reader);
    let worker = Worker::read(&mut reader);
    let idle = Idle::read(&mut reader);
    let farm = farm(&mut reader, text);
    let config = Config {
        paths,
        models,
        worker,
        idle,
        process: Process::of(&farm),
        spool: Spool::read(&mut reader),
        queue: QueueLimits::read(&mut reader),
        socket: SocketRoles::read(&mut reader),
        metrics: Metrics::read(&mut reader),
        disk: Disk::read(&mut reader),
        retention: Retention::read(&mut reader),
        farm,
    };
    let read = reader.finish(text)?;
    Ok(Loaded {
        config,
        settings: read.settings,
        notices: read.notices,
    })
}

/// Whether keys are below this one: whatever is not a setting of the table by itself.
fn is_section(path: &str) -> bool {
    !path.contains('.') && TABLE.iter().all(|row| row.key != path)
}

/// What of the table somebody has set for the farm: profile and presets first, which stand beneath everything else.
fn farm(reader: &mut Reader<'_>, text: &str) -> Farm {
    let presets = presets::read(reader);
    let named = [&PROFILE, &PRESET].map(|row| (row, reader.row(row)));
    let [profile, preset] = named.each_ref().map(|(_, said)| {
        let (value, _) = said.last()?;
        Some(value)
    });
    match settings::layers(profile, preset, &presets) {
        Ok(layers) => reader.beneath(layers),
        Err(mistake) => {
            let origin = named[1].1.last().map(|(_, origin)| origin);
            reader.note_of(origin, PRESET.key, mistake);
        }
    }
    let mut farm = Farm::with_presets(presets);
    let rows = TABLE.into_iter().filter(|row| row.scope != Scope::Job);
    let rest = rows.filter(|row| ![PROFILE.key, PRESET.key].contains(&row.key));
    let rest: Vec<_> = rest.map(|row| (row, reader.row(row))).collect();
    for (row, said) in named.into_iter().chain(rest) {
        for (value, origin) in said {
            farm.set(row, value, origin);
        }
    }
    reader.mark_inactive(&farm);
    if has_no_kernel(&farm) {
        let named = [&FLASH_SDP, &MEM_EFFICIENT_SDP].map(|row| in_line(text, row));
        let message = format!(
            "`standard` is the memory-efficient or the flash kernel, and {} are off in the same file",
            named.join(" and ")
        );
        let mistake = Mistake::out_of_range(message);
        reader.note(
            ATTENTION.key,
            mistake.hint("turn one of them on, or write `attention: auto`"),
        );
    }
    farm
}

/// Whether the configuration file itself asks for kernels that it switches off. From other sources, and from several, the
/// attention is inactive.
fn has_no_kernel(farm: &Farm) -> bool {
    let says = |row, value: &str| {
        farm.get(row).and_then(Value::text) == Some(value)
            && matches!(farm.origin(row), Some(Origin::File { .. }))
    };
    says(&ATTENTION, "standard") && says(&FLASH_SDP, "off") && says(&MEM_EFFICIENT_SDP, "off")
}

/// `worker.flash_sdp (line 4)`
fn in_line(text: &str, row: &Row) -> String {
    match locate(text, row.key, Place::Key) {
        Some(at) => format!("{} (line {})", row.key, at.line),
        None => row.key.to_owned(),
    }
}

#[cfg(test)]
mod tests;
