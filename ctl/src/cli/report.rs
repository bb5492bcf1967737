//! The arguments of `report`.

use std::path::PathBuf;

use clap::Args;

use super::since::Since;

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// How far back: 90m, 8h or 2d ago, a time of the day (22:00), a date, or an RFC 3339 time
    #[arg(long, value_name = "TIME", default_value = "12h")]
    pub(crate) since: Since,

    /// Write one HTML page, with frames of each video that play under the pointer; `-` writes it to standard output
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    pub(crate) html: Option<PathBuf>,

    /// Leave the prompts out of the page
    #[arg(long, requires = "html")]
    pub(crate) no_prompts: bool,
}
