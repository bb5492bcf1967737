//! The file of an export: one record a line, as JSON.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::ErrorBody;
use framepack_jobs::Code;

/// Records of one batch, in bytes of their lines.
const BATCH_BYTES: usize = 1 << 20;

/// An export that is being written.
#[derive(Debug)]
pub struct Export {
    path: PathBuf,
    file: BufWriter<File>,
    records: u64,
}

impl Export {
    /// Creates the file, or empties it.
    pub fn create(path: &Path) -> Result<Self, ErrorBody> {
        let file = File::create(path).map_err(|error| unwritable(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            file: BufWriter::new(file),
            records: 0,
        })
    }

    /// Adds a record.
    pub fn write(&mut self, record: &Value) -> Result<(), ErrorBody> {
        self.records += 1;
        writeln!(self.file, "{record}").map_err(|error| unwritable(&self.path, &error))
    }

    /// Makes the file durable. Returns what there is to say of it.
    pub fn finish(self) -> Result<String, ErrorBody> {
        let synced = self
            .file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all());
        synced.map_err(|error| unwritable(&self.path, &error))?;
        let (records, path) = (self.records, self.path.display());
        Ok(format!("{records} jobs exported to {path}"))
    }
}

/// An export that is being read.
#[derive(Debug)]
pub struct Import {
    path: PathBuf,
    lines: io::Lines<BufReader<File>>,
}

impl Import {
    /// Opens the file.
    pub fn open(path: &Path) -> Result<Self, ErrorBody> {
        let file = File::open(path).map_err(|error| unreadable(path, &error.to_string()))?;
        Ok(Self {
            path: path.to_owned(),
            lines: BufReader::new(file).lines(),
        })
    }

    /// The next records, about a mebibyte of them; none at the end.
    pub fn batch(&mut self) -> Result<Vec<Value>, ErrorBody> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        for line in &mut self.lines {
            let line = line.map_err(|error| unreadable(&self.path, &error.to_string()))?;
            if line.trim().is_empty() {
                continue;
            }
            let record = serde_json::from_str(&line).map_err(|error| {
                unreadable(&self.path, &format!("not an export of jobs: {error}"))
            })?;
            batch.push(record);
            bytes += line.len();
            if bytes > BATCH_BYTES {
                break;
            }
        }
        Ok(batch)
    }
}

fn unwritable(path: &Path, error: &io::Error) -> ErrorBody {
    let message = format!("writing {}: {error}", path.display());
    ErrorBody::new(Code::UNWRITABLE_FILE, message)
}

fn unreadable(path: &Path, error: &str) -> ErrorBody {
    let message = format!("reading {}: {error}", path.display());
    ErrorBody::new(Code::UNREADABLE_FILE, message)
}
