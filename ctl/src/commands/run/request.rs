//! What `run` gives the daemon.

use std::{
    io,
    path::{Path, PathBuf},
};

use framepack_ipc::{ErrorBody, control::SubmitRequest};
use framepack_jobs::Code;
use serde_json::Value;

use crate::{cli::Run, commands::submit::read, path_text};

/// What the daemon is given: a job file, or one made of the arguments.
pub(super) fn of(arguments: &Run) -> Result<SubmitRequest, ErrorBody> {
    let seconds = arguments.seconds.iter();
    let seconds = seconds.map(|seconds| format!("length.seconds={seconds}"));
    let set: Vec<String> = seconds.chain(arguments.set.iter().cloned()).collect();
    match (&arguments.file, &arguments.image) {
        (Some(file), _) => read(file, &set),
        (None, Some(image)) => of_image(image, arguments.prompt.as_deref(), set),
        (None, None) => {
            unreachable!("the command line requires one of them, or an earlier run's folder")
        }
    }
}

fn of_image(
    image: &Path,
    prompt: Option<&str>,
    set: Vec<String>,
) -> Result<SubmitRequest, ErrorBody> {
    let unreadable = |error: io::Error| {
        let path = image.display().to_string();
        ErrorBody::new(Code::UNREADABLE_FILE, format!("reading {path}: {error}")).path(path)
    };
    // Daemons open no picture behind a symbolic link, so that a job leads nowhere else; here the user names the file.
    let absolute = image.canonicalize().map_err(unreadable)?;
    let quoted = path_text::yaml(&absolute)?;
    let mut yaml = format!("api: framepack/v1\nstart:\n  image: {quoted}\n");
    if let Some(prompt) = prompt {
        // JSON is YAML, and quotes everything.
        yaml.extend(["prompt: ", &Value::from(prompt).to_string(), "\n"]);
    }
    let stem = image.file_stem().unwrap_or_default();
    Ok(SubmitRequest {
        yaml,
        stem: stem.to_string_lossy().into_owned(),
        folder: absolute.parent().map(PathBuf::from).unwrap_or_default(),
        set,
    })
}
