//! `metrics`: figures for a monitoring system.

use std::path::{Path, PathBuf};

use framepack_yaml::Mistake;

use crate::reader::Reader;

/// `metrics`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metrics {
    /// OpenMetrics text that is kept up to date here, for the node exporter's textfile collector; `None` = none.
    pub textfile: Option<PathBuf>,
}

impl Metrics {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            textfile: reader.path_that("metrics.textfile", textfile),
        }
    }
}

/// The node exporter reads no other names.
fn textfile(path: &Path) -> Result<PathBuf, Mistake> {
    if path.extension().is_some_and(|suffix| suffix == "prom") {
        Ok(path.to_owned())
    } else {
        Err(Mistake::out_of_range(format!(
            "`{}` must end in .prom: the node exporter reads no other files",
            path.display()
        )))
    }
}
