//! `paths`: folders and the socket.

use std::path::PathBuf;

use framepack_yaml::Mistake;

use crate::reader::Reader;

/// `paths`. All absolute, as far as the configuration file's own path was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The watched folder.
    pub jobs: PathBuf,
    /// Store, previews, locks.
    pub state: PathBuf,
    /// Finished videos.
    pub outputs: PathBuf,
    /// The Unix socket.
    pub socket: PathBuf,
    /// Folders beneath which input files must lie; the jobs folder by default.
    pub inputs: Vec<PathBuf>,
}

impl Paths {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        let jobs = reader.required_path("paths.jobs");
        let paths = Self {
            state: reader.required_path("paths.state"),
            outputs: reader.required_path("paths.outputs"),
            socket: reader.required_path("paths.socket"),
            inputs: reader.paths("paths.inputs", vec![jobs.clone()]),
            jobs,
        };
        if let Some(overlap) = paths.overlap() {
            let mistake = Mistake::out_of_range(overlap.to_string());
            let mistake = mistake.hint("jobs, state and outputs must be separate folders");
            reader.note(overlap.key, mistake);
        }
        paths
    }
}
