//! `init`: a farm folder, with all that a first job takes.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use framepack_ipc::{ErrorBody, Exit};
use framepack_jobs::Code;

use crate::{
    cli::{Bundle, Init},
    delivery::{exists, unwritable},
    demo::demo,
    failure::Failure,
    one_off::quoted,
    output::{Format, Output, print_lines},
};

const CONFIG: &str = include_str!("../../templates/framepackd.yaml");
const README: &str = include_str!("../../templates/README.md");
const JOB: &str = include_str!("../../templates/first.yaml");
const PHOTO: &[u8] = include_bytes!("../../../jobs/examples/inputs/astronaut.jpg");
/// What the configuration says of the models.
const DEMO: &str = include_str!("../../templates/models-demo.yaml");
const FOLDER: &str = include_str!("../../templates/models-folder.yaml");
const CACHE: &str = include_str!("../../templates/models-cache.yaml");
/// Folders of a farm.
const FOLDERS: [&str; 2] = ["jobs", "examples"];

pub(crate) fn run(arguments: &Init, output: &Output) -> Result<Exit, Failure> {
    let root = &arguments.folder;
    let config = CONFIG.replace("@models@", &models(arguments.models.as_ref())?);
    let files: [(&str, &[u8]); 4] = [
        ("framepackd.yaml", config.as_bytes()),
        ("README.md", README.as_bytes()),
        ("examples/first.yaml", JOB.as_bytes()),
        ("examples/astronaut.jpg", PHOTO),
    ];
    nothing_there(root, &files.map(|(name, _)| name))?;
    for folder in FOLDERS.map(|name| root.join(name)) {
        let made = fs::create_dir_all(&folder);
        made.map_err(|error| Failure::new(unwritable(&folder, &error)))?;
    }
    for (name, bytes) in files {
        write(&root.join(name), bytes).map_err(Failure::new)?;
    }
    let written = files.map(|(name, _)| root.join(name).display().to_string());
    match output.format {
        Format::Text => print_lines(&[written.join("\n"), next(root)])?,
        Format::Json | Format::Fields(_) => output.records("FileList", &written, Vec::new())?,
    }
    Ok(Exit::Ok)
}

/// The section of the configuration.
fn models(asked: Option<&Bundle>) -> Result<String, Failure> {
    let bundle = asked.map(Bundle::folder).transpose();
    let bundle = bundle.map_err(Failure::new)?;
    let (template, bundle): (&str, Option<PathBuf>) = match (asked, bundle) {
        (Some(Bundle::Folder(_)), folder) => (FOLDER, folder),
        (Some(Bundle::Demo), folder) => (DEMO, folder),
        (None, _) => demo().map_or((CACHE, None), |folder| (DEMO, Some(folder))),
    };
    Ok(template.replace(
        "@bundle@",
        &bundle.map(|path| quoted(&path)).unwrap_or_default(),
    ))
}

/// Refuses to write over anything, naming all of it.
fn nothing_there(root: &Path, names: &[&str]) -> Result<(), Failure> {
    let paths = names.iter().map(|name| root.join(name));
    let there: Vec<PathBuf> = paths
        .filter(|path| path.symlink_metadata().is_ok())
        .collect();
    match there.as_slice() {
        [] => Ok(()),
        [one] => Err(Failure::new(exists(one))),
        several => {
            let names: Vec<_> = several
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            let message = format!("{} exist", names.join(", "));
            Err(Failure::new(ErrorBody::new(Code::FILE_EXISTS, message)))
        }
    }
}

/// A new file, whole once this has returned.
fn write(path: &Path, bytes: &[u8]) -> Result<(), ErrorBody> {
    let written = File::create_new(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => exists(path),
        _ => unwritable(path, &error),
    })
}

/// What to type next.
fn next(root: &Path) -> String {
    let config = root.join("framepackd.yaml");
    format!(
        "next: framepackd --config {}; README.md has the rest",
        config.display()
    )
}
