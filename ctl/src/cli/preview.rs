//! The arguments of `preview`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use framepack_jobs::Selector;

#[derive(Debug, Args)]
pub(crate) struct Preview {
    /// A job's number, or its name
    #[arg(value_name = "JOB")]
    pub(crate) job: Selector,

    /// Write the picture to this file, as PNG, in the place of the terminal; an existing file is replaced
    #[arg(long, short, value_name = "FILE.png", value_hint = ValueHint::FilePath)]
    pub(crate) out: Option<PathBuf>,

    /// Show every new picture until the job has finished
    #[arg(long)]
    pub(crate) watch: bool,

    /// How the terminal shows pictures; by default what it says of itself decides
    #[arg(long = "as", value_name = "PROTOCOL", conflicts_with = "out")]
    pub(crate) protocol: Option<Protocol>,
}

/// `--as` of `preview`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Protocol {
    /// Kitty's graphics protocol
    Kitty,
    /// Sixel graphics
    Sixel,
    /// Coloured half blocks, which every terminal with colours has
    Blocks,
}
