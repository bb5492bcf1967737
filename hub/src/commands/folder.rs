//! The folder that a command is about.

use std::{fs, io, path::Path};

use framepack_ipc::ErrorBody;
use framepack_jobs::Code;

use crate::{environment::Environment, failure::Failure, target::Target};

/// The folder that a user names, or the Hub's cache.
pub(super) fn target(folder: Option<&Path>, environment: &Environment) -> Result<Target, Failure> {
    let named = match folder {
        Some(folder) => folder,
        None => environment.cache()?,
    };
    let target = Target::of(folder.map(Path::to_owned), environment)
        .map_err(|error| Failure::folder(named, &error))?;
    match target.root().ancestors().find_map(leads_nowhere) {
        Some(error) => Err(error.into()),
        None => Ok(target),
    }
}

/// A link to a disk that is not mounted: nothing is where it leads, and no folder can be made in its place.
fn leads_nowhere(path: &Path) -> Option<ErrorBody> {
    let to = fs::read_link(path).ok()?;
    let is_lost = fs::metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
    is_lost.then(|| {
        let (path, to) = (path.display(), to.display());
        let message = format!("{path} is a link to {to}, which does not exist");
        let hint = "mount the disk that it is on, or make that folder";
        ErrorBody::new(Code::MODEL_FOLDER, message).hint(hint)
    })
}

/// The same, where it has to be there.
pub(super) fn existing(
    folder: Option<&Path>,
    environment: &Environment,
) -> Result<Target, Failure> {
    let target = target(folder, environment)?;
    let root = target.root().display();
    let (message, hint) = match fs::read_dir(target.root()) {
        Ok(_) => return Ok(target),
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Failure::folder(target.root(), &error));
        }
        Err(_) if folder.is_some() => (
            format!("{root}: no such folder"),
            "name the folder that has the models; `framepackctl models fetch original --to DIR` makes one",
        ),
        Err(_) => (
            format!(
                "{root}: no such folder; the Hub's cache would be there, by HF_HUB_CACHE, HF_HOME or HOME"
            ),
            "run `framepackctl models fetch original`, or name the folder that has the models",
        ),
    };
    Err(ErrorBody::new(Code::MODEL_FOLDER, message)
        .hint(hint)
        .into())
}
