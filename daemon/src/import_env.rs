//! `framepackd config import-env`: a start line of the Python application as a configuration.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use framepack_config::original::{Imported, Pick, import};
use framepack_ipc::ErrorBody;
use framepack_jobs::{Code, FileError};
use framepack_yaml::{MAX_BYTES, Problem, ProblemKind, Problems, decode};

/// What stands for standard input.
const STDIN: &str = "-";

/// What the start line in a script means; `line`: which one, counted from 1, if not the first.
pub fn import_env(file: &Path, line: Option<usize>) -> Result<Imported, ErrorBody> {
    let is_stdin = file == Path::new(STDIN);
    let name = if is_stdin {
        Path::new("standard input")
    } else {
        file
    };
    let bytes = read(file, is_stdin).map_err(|error| unreadable(name, &error))?;
    let pick = line.map_or(Pick::First, Pick::Line);
    let imported = text(&bytes).and_then(|text| import(&text, pick));
    imported.map_err(|problems| {
        let path = name.to_owned();
        let error = FileError::Invalid { path, problems };
        ErrorBody::new(Code::CONFIG_INVALID, error.to_string())
            .hint("correct the script; docs/FROM-FRAMEPACK.md has every name with its values")
    })
}

/// One byte more than is accepted, so that a longer file is seen.
fn read(file: &Path, is_stdin: bool) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = MAX_BYTES as u64 + 1;
    if is_stdin {
        io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    } else {
        File::open(file)?.take(most).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn unreadable(name: &Path, error: &io::Error) -> ErrorBody {
    let message = format!("reading {}: {error}", name.display());
    ErrorBody::new(Code::CONFIG_UNREADABLE, message).hint("name a script, or - for standard input")
}

fn text(bytes: &[u8]) -> Result<String, Problems> {
    let problem = |message: String| Problems::from(Problem::new(ProblemKind::Syntax, "", message));
    if bytes.len() > MAX_BYTES {
        return Err(problem(format!(
            "more than the {MAX_BYTES} bytes that are accepted"
        )));
    }
    decode(bytes).map_err(|error| problem(error.to_string()))
}
