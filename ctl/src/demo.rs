//! The model bundle that comes with framepackd: where it is.

use std::path::{Path, PathBuf};

use framepack_ipc::ErrorBody;
use framepack_jobs::Code;

use crate::{cli::Bundle, program::own_folder};

/// From the folder of framepackctl: in an installation, and in a checkout (`target/release`).
const PLACES: [&str; 2] = ["../share/framepackd/models/demo", "../../models/demo"];
/// A file that a model bundle has.
const LANDMARK: &str = "transformer/config.json";

impl Bundle {
    /// Its folder, absolute.
    pub(crate) fn folder(&self) -> Result<PathBuf, ErrorBody> {
        match self {
            Self::Demo => demo().ok_or_else(|| {
                let places = PLACES.join(" and ");
                let message = format!("the demo models are not installed: looked for {places} from framepackctl's folder");
                ErrorBody::new(Code::MODEL_INCOMPLETE, message)
                    .hint("name a folder with `--models DIR`, or fetch the real ones with `framepackctl models fetch`")
            }),
            Self::Folder(folder) => std::path::absolute(folder).map_err(|error| {
                let path = folder.display();
                ErrorBody::new(Code::MODEL_INCOMPLETE, format!("{path}: {error}"))
            }),
        }
    }
}

/// The demo's folder, if it is there.
pub(crate) fn demo() -> Option<PathBuf> {
    let folder = own_folder().ok()?;
    PLACES
        .iter()
        .map(|place| folder.join(place))
        .filter(|place| place.join(Path::new(LANDMARK)).is_file())
        .find_map(|place| place.canonicalize().ok())
}
