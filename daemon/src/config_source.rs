//! Where the daemon's configuration comes from, for its start and for each time that it is read again.

use std::{env, ffi::OsString, io, path::PathBuf};

use framepack_config::{Load, Loaded};

use crate::start_error::StartError;

/// File and environment.
#[derive(Debug, Clone)]
pub struct ConfigSource {
    file: PathBuf,
    environment: Vec<(String, OsString)>,
    current_dir: PathBuf,
}

impl ConfigSource {
    /// This file, and the environment of this process as it is now.
    pub fn new(file: PathBuf) -> io::Result<Self> {
        // A name that is not UTF-8 is none of the daemon's.
        let variables = env::vars_os();
        let variables =
            variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        Ok(Self {
            file,
            environment: variables.collect(),
            current_dir: env::current_dir()?,
        })
    }

    /// The file, absolute.
    pub(crate) fn file(&self) -> PathBuf {
        self.current_dir.join(&self.file)
    }

    /// Reads it as it is now.
    pub fn read(&self) -> Result<Loaded, StartError> {
        let loaded = Loaded::read(&Load {
            file: &self.file,
            environment: &self.environment,
            current_dir: &self.current_dir,
        });
        loaded.map_err(StartError::Config)
    }
}
