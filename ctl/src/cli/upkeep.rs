//! Commands that look after the installation: `usage`, `gc`, `cache`, `support-bundle`, `man`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use framepack_ipc::upkeep::CacheKind;

use super::since::Since;

#[derive(Debug, Args)]
pub(crate) struct Usage {
    /// Only jobs that have ended since then: 90m, 8h or 7d ago, a time of the day (22:00), a date, or an RFC 3339 time
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Since>,
}

#[derive(Debug, Args)]
pub(crate) struct Gc {
    /// Only print what would be removed
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CacheAction {
    /// List caches and what they take
    Ls,
    /// Remove a cache, or all; also while jobs run
    Clear {
        /// embeddings, attention, or decoding; default: all
        kind: Option<CacheKind>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SupportBundle {
    /// The archive, .tar.zst or .tar.gz; an existing file is not replaced
    /// [default: framepack-support-TIME.tar.zst]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) out: Option<PathBuf>,

    /// Include prompts
    #[arg(long)]
    pub(crate) with_prompts: bool,

    /// Include the names of pictures, and start images and contact sheets of the jobs that failed last
    #[arg(long)]
    pub(crate) with_pictures: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Write all pages into man1, man5, man7 and man8 of this folder; default: print framepackctl(1)
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) folder: Option<PathBuf>,
}
