//! Subcommands of the commands that are about the daemon: `state`, `config`, `gpu` and `folder`.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum State {
    /// Compare the store with its journal
    Check,
    /// Make store and journal agree; what can't be read is moved aside, so that the store can be opened
    Repair,
    /// Acknowledge repairs, so that `ping` stops reporting them
    Acknowledge,
    /// Export all jobs to a file, one per line
    Export {
        /// The file; an existing one is replaced
        file: PathBuf,
    },
    /// Import jobs from an exported file; existing ones are skipped
    Import {
        /// The file
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Print every setting, one section, or one key
    Show {
        /// Also print where each value comes from
        #[arg(long)]
        origin: bool,
        /// Print what a profile or preset sets, beside what the Python application has for it
        #[arg(long, value_name = "NAME", conflicts_with_all = ["origin", "key"])]
        profile: Option<String>,
        /// A key (`idle.warm_after_secs`) or a section (`idle`)
        key: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Gpu {
    /// Re-enable a device disabled after repeated faults
    Enable {
        /// The device, as `ping` names it: cuda:N or cpu
        device: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Folder {
    /// Rescan the jobs folder now, and report which files were taken and which are waiting
    Scan,
}
