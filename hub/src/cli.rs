//! The command line.

use std::{num::NonZero, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};
use framepack_ipc::{ErrorBody, Exit};
use framepack_jobs::Code;

use crate::{
    api::{Limits, Patience},
    catalog::Selection,
    failure::Failure,
    output::{Format, Output},
};

/// Get FramePack's models, check them, and find those that other programs have.
#[derive(Debug, Parser)]
#[command(name = "framepack-models", version, after_help = ENVIRONMENT, propagate_version = true)]
pub(crate) struct Cli {
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

const ENVIRONMENT: &str = "\
Environment: HF_ENDPOINT (the Hub, or a mirror), HF_TOKEN or HF_TOKEN_PATH, HF_HOME and HF_HUB_CACHE (where the
Hub's cache is), HF_HUB_OFFLINE=1 (never ask the Hub), HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE

Exit codes: 0 ok, 1 other failure (as a folder that is not there, or parts that are missing), 2 usage, 3 Hub not
reachable, or not to be asked, 4 no such repository or file, or nothing to import, 5 not permitted, 6 damaged files,
11 no room on the disk, 12 unexpected answer, 130 interrupted (run it again to go on)";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Fetch what is missing of the models, and check it
    Fetch(Fetch),
    /// Show which parts of the models are there, where, and whether they were checked
    Ls(Folder),
    /// Compare all files with their hashes
    Verify(Folder),
    /// Find models that other programs have fetched, and use them where they are
    Import(Import),
    /// Remove what broken-off fetches left, and files of the Hub's cache that nothing refers to
    Gc(Gc),
}

#[derive(Debug, Args)]
pub(crate) struct Fetch {
    /// Which models
    #[arg(value_enum, default_value = "original")]
    pub(crate) models: Selection,

    /// Fetch to plain folders in DIR, instead of the Hub's cache
    #[arg(long, value_name = "DIR")]
    pub(crate) to: Option<PathBuf>,

    /// Show files and sizes, and what is there already; fetch nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Files that are fetched at a time
    #[arg(long, value_name = "N", default_value = "4", value_parser = jobs)]
    pub(crate) jobs: NonZero<usize>,

    /// Failures in a row after which a file is given up
    #[arg(long, value_name = "N", default_value_t = 10)]
    retries: u32,

    /// Seconds before a failed request is made again; they double with each failure in a row, up to a minute
    #[arg(long, value_name = "SECS", default_value = "1", value_parser = seconds)]
    retry_delay: Duration,

    /// Seconds without a byte after which a connection counts as broken
    #[arg(long, value_name = "SECS", default_value = "60", value_parser = timeout)]
    timeout: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct Folder {
    /// A folder with models; without it, the Hub's cache
    #[arg(value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// Where the other program has them: a disk, a Hub cache, FramePack's `hf_download`, `ComfyUI/models`
    #[arg(value_name = "DIR")]
    pub(crate) from: PathBuf,

    /// Make a folder of links to what was found
    #[arg(long, value_name = "DIR")]
    pub(crate) to: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Gc {
    /// A folder with models; without it, the Hub's cache
    #[arg(value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,

    /// Show what would be removed; remove nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

impl Cli {
    pub(crate) fn output(&self) -> Output {
        Output {
            format: if self.json {
                Format::Json
            } else {
                Format::Text
            },
        }
    }

    /// That of this process; what is wrong with it, and help, is told here.
    pub(crate) fn of_process() -> Result<Self, Exit> {
        Self::try_parse().map_err(|error| {
            let mut arguments = std::env::args_os().take_while(|it| it != "--");
            if error.use_stderr() && arguments.any(|it| it == "--json") {
                let format = Format::Json;
                return usage(&error).report(&Output { format });
            }
            // Where nothing can be written, the exit code has to do.
            let _ = error.print();
            if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Ok
            }
        })
    }
}

/// What clap says, without its decoration.
fn usage(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let end = ["\n\nUsage:", "\n\nFor more information"]
        .iter()
        .filter_map(|it| text.find(it))
        .min();
    let said = end.map_or(&*text, |end| &text[..end]);
    let words = said.strip_prefix("error: ").unwrap_or(said);
    let words: Vec<&str> = words.split_whitespace().collect();
    ErrorBody::new(Code::USAGE, words.join(" "))
        .hint("`framepackctl models --help` shows the commands, and `--help` behind a command its options")
        .into()
}

impl Fetch {
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            timeout: self.timeout,
            patience: Patience {
                retries: self.retries,
                delay: self.retry_delay,
            },
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "it is no number".to_owned())?;
    match seconds {
        0.0..=3600.0 => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("it is out of range (0 to 3600)".to_owned()),
    }
}

/// Time enough for an answer.
fn timeout(text: &str) -> Result<Duration, String> {
    match seconds(text)? {
        Duration::ZERO => Err("no answer comes in 0 seconds; it must be more".to_owned()),
        timeout => Ok(timeout),
    }
}

fn jobs(text: &str) -> Result<NonZero<usize>, String> {
    let jobs: usize = text.parse().map_err(|_| "it is no number".to_owned())?;
    NonZero::new(jobs).ok_or_else(|| "at least 1 file has to be fetched at a time".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn seconds_are_read_with_their_range() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for bad in ["", "x", "-1", "4000", "NaN"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
        assert_eq!(timeout("0.5"), Ok(Duration::from_millis(500)));
    }
}
