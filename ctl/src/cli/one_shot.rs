//! Commands that need no daemon to be there: `run`, `init`, `models`.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, ValueHint};

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// A job file; `-` reads standard input, with paths relative to the working directory
    #[arg(required_unless_present_any = ["image", "resume"], conflicts_with = "image", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,

    /// The start image, where there is no job file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) image: Option<PathBuf>,

    /// What happens in the video
    #[arg(long, value_name = "TEXT", requires = "image", conflicts_with = "file")]
    pub(crate) prompt: Option<String>,

    /// The video's length; it has the nearest whole number of sections
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub(crate) seconds: Option<f64>,

    /// Set a key of the job, such as `steps=32`, in the place of the file's; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,

    /// Where the video goes: a file, or a folder. Default: the daemon's outputs folder; with a daemon started for this
    /// job, the working directory
    #[arg(long, short, value_name = "OUT.mp4", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    /// Replace OUT.mp4 if it exists
    #[arg(long, requires = "output")]
    pub(crate) force: bool,

    /// The models: `demo`, `cache` (the Hub's), or a folder. The job then always gets a daemon of its own. Default: those
    /// of the daemon
    #[arg(long, value_name = "demo|cache|DIR", value_hint = ValueHint::DirPath)]
    pub(crate) models: Option<Bundle>,

    /// Go on with the job of an earlier run, whose folder that run has named
    #[arg(
        long,
        value_name = "DIR",
        value_hint = ValueHint::DirPath,
        conflicts_with_all = ["file", "image", "prompt", "seconds", "set", "models"]
    )]
    pub(crate) resume: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The farm folder
    #[arg(value_name = "DIR", default_value = ".", value_hint = ValueHint::DirPath)]
    pub(crate) folder: PathBuf,

    /// The models: `demo`, `cache` (the Hub's), or a folder. Default: the Hub's cache if it has a whole model, or else
    /// `demo` if that is installed
    #[arg(long, value_name = "demo|cache|DIR", value_hint = ValueHint::DirPath)]
    pub(crate) models: Option<Bundle>,
}

#[derive(Debug, Args)]
pub(crate) struct Models {
    /// What framepack-models is to do: fetch, ls, verify, import or gc, and the options of that
    #[arg(
        value_name = "COMMAND",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub(crate) arguments: Vec<OsString>,
}

/// Words for models that need no folder.
pub(crate) const WORDS: [&str; 2] = ["demo", "cache"];

/// Which models are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bundle {
    /// The small ones that come with framepackd.
    Demo,
    /// Those in the Hub's cache.
    Cache,
    /// Those in a folder.
    Folder(PathBuf),
}

impl From<OsString> for Bundle {
    /// A folder of that name is `./demo`.
    fn from(text: OsString) -> Self {
        match text.to_str() {
            Some("demo") => Self::Demo,
            Some("cache") => Self::Cache,
            _ => Self::Folder(text.into()),
        }
    }
}
