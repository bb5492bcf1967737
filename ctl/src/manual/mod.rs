//! The manual pages: of each command from the command line itself, of files and codes from the documents that are made from
//! the tables.
//!
//! - `commands`: framepackctl(1) and a page for each command
//! - `documents`: framepackd(8), framepackd.yaml(5), framepack-job(5), framepack-errors(7)
//! - `markdown`: a document as roff; `inline`: what is in its lines

mod commands;
mod documents;
mod inline;
mod markdown;

use std::{fs, io, path::Path};

pub(crate) use self::commands::main_page;
use self::{commands::pages_of, documents::documents};

/// What all pages say of where they belong.
const MANUAL: &str = "FramePack farm";

/// A page.
#[derive(Debug)]
struct Page {
    name: String,
    section: char,
    roff: String,
}

/// Writes all pages below a folder as `man` looks for them.
pub(crate) fn write(command: &clap::Command, folder: &Path) -> io::Result<()> {
    let mut pages = pages_of(command);
    pages.extend(documents());
    for page in pages {
        let folder = folder.join(format!("man{}", page.section));
        fs::create_dir_all(&folder)?;
        let file = format!("{}.{}", page.name, page.section);
        fs::write(folder.join(file), page.roff)?;
    }
    Ok(())
}
