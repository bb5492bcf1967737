//! `init`: a farm folder, with all that a first job takes.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use framepack_ipc::{ErrorBody, Exit, text::shell_quoted};
use framepack_jobs::Code;

use crate::{
    cli::{Bundle, Init},
    delivery::{exists, unwritable},
    failure::Failure,
    installed::{demo, is_in_cache},
    one_off::MAX_SOCKET_BYTES,
    output::{Format, Output, print_lines},
    path_text::yaml,
};

const CONFIG: &str = include_str!("../../templates/framepackd.yaml");
const README: &str = include_str!("../../templates/README.md");
const JOB: &str = include_str!("../../templates/first.yaml");
const PHOTO: &[u8] = include_bytes!("../../../jobs/examples/inputs/astronaut.jpg");
/// What the configuration says of the models.
const DEMO: &str = include_str!("../../templates/models-demo.yaml");
const FOLDER: &str = include_str!("../../templates/models-folder.yaml");
const CACHE: &str = include_str!("../../templates/models-cache.yaml");
/// The daemon's socket, as the configuration names it.
const SOCKET: &str = "framepackd.sock";
/// Folders of a farm.
const FOLDERS: [&str; 2] = ["jobs", "examples"];

pub(crate) fn run(arguments: &Init, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&[])?;
    let root = &arguments.folder;
    let models = Models::of(arguments.models.as_ref()).map_err(Failure::new)?;
    socket_fits(root).map_err(Failure::new)?;
    let section = models.section().map_err(Failure::new)?;
    let config = CONFIG.replace("@models@", &section);
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
    let mut written = Vec::new();
    for (name, bytes) in files {
        let path = root.join(name);
        if let Err(error) = write(&path, bytes) {
            // A second `init` would stop at them.
            written.iter().for_each(remove);
            return Err(Failure::new(error));
        }
        written.push(path);
    }
    let written: Vec<_> = written
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    match output.format {
        Format::Text => print_lines(&[written.join("\n"), models.told(), next(root)])?,
        Format::Json | Format::Fields(_) => output.records("FileList", &written, Vec::new())?,
    }
    Ok(Exit::Ok)
}

/// The models of a new farm.
enum Models {
    /// The small ones, asked for or because there are no others.
    Demo(PathBuf),
    Folder(PathBuf),
    /// The Hub's cache, with a whole model in it or not yet.
    Cache,
}

impl Models {
    fn of(asked: Option<&Bundle>) -> Result<Self, ErrorBody> {
        let Some(bundle) = asked else {
            let demo = (!is_in_cache()).then(demo).flatten();
            return Ok(demo.map_or(Self::Cache, Self::Demo));
        };
        Ok(match (bundle, bundle.folder()?) {
            (_, None) => Self::Cache,
            (Bundle::Demo, Some(folder)) => Self::Demo(folder),
            (_, Some(folder)) => Self::Folder(folder),
        })
    }

    /// The section of the configuration.
    fn section(&self) -> Result<String, ErrorBody> {
        let (template, bundle) = match self {
            Self::Demo(folder) => (DEMO, yaml(folder)?),
            Self::Folder(folder) => (FOLDER, yaml(folder)?),
            Self::Cache => (CACHE, String::new()),
        };
        Ok(template.replace("@bundle@", &bundle))
    }

    /// For the user: which they are, and how to get what is missing.
    fn told(&self) -> String {
        match self {
            Self::Demo(_) => "models: the small ones that come with framepackd; README.md says how to change to the real ones".to_owned(),
            Self::Folder(folder) if folder.is_dir() => format!("models: {}", folder.display()),
            Self::Folder(folder) => format!(
                "models: {}, which is not there yet: framepackctl models fetch --to {}",
                folder.display(),
                shell_quoted(folder)
            ),
            Self::Cache if is_in_cache() => "models: those in the Hub's cache".to_owned(),
            Self::Cache => {
                "models: those in the Hub's cache, which has none yet: framepackctl models fetch".to_owned()
            }
        }
    }
}

/// Refuses a folder that is too deep for the daemon's socket.
fn socket_fits(root: &Path) -> Result<(), ErrorBody> {
    let absolute = std::path::absolute(root).map_err(|error| unwritable(root, &error))?;
    let socket_bytes = absolute.join(SOCKET).as_os_str().len();
    if socket_bytes <= MAX_SOCKET_BYTES {
        return Ok(());
    }
    let message = format!(
        "the daemon's socket in {} would have a path of {socket_bytes} bytes, and a socket's has at most {MAX_SOCKET_BYTES}",
        root.display()
    );
    Err(ErrorBody::new(Code::USAGE, message).hint("choose a folder with a shorter path"))
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

/// A new file: whole, or not there.
fn write(path: &Path, bytes: &[u8]) -> Result<(), ErrorBody> {
    let written = File::create_new(path).and_then(|mut file| {
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        written.inspect_err(|_| remove(path))
    });
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => exists(path),
        _ => unwritable(path, &error),
    })
}

/// Removes what was written; why it had to be is what the user is told.
fn remove(path: impl AsRef<Path>) {
    let _ = fs::remove_file(path);
}

/// What to type next.
fn next(root: &Path) -> String {
    let config = root.join("framepackd.yaml");
    format!(
        "next: framepackd --config {}; README.md has the rest",
        shell_quoted(&config)
    )
}
