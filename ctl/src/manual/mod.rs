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

use self::{commands::pages_of, documents::documents};

/// What all pages say of where they belong.
const MANUAL: &str = "FramePack farm";

/// A page.
#[derive(Debug)]
struct Page {
    name: String,
    section: char,
    /// All but the line with its title.
    roff: String,
}

/// framepackctl(1).
pub(crate) fn main_page(command: &clap::Command) -> String {
    let pages = pages_of(command);
    pages.first().map(Page::text).unwrap_or_default()
}

/// Writes all pages below a folder as `man` looks for them.
pub(crate) fn write(command: &clap::Command, folder: &Path) -> io::Result<()> {
    let mut pages = pages_of(command);
    pages.extend(documents());
    for page in pages {
        let folder = folder.join(format!("man{}", page.section));
        fs::create_dir_all(&folder)?;
        let file = format!("{}.{}", page.name, page.section);
        fs::write(folder.join(file), page.text())?;
    }
    Ok(())
}

impl Page {
    /// The whole page. Its date is left empty: it is of its version.
    fn text(&self) -> String {
        let (name, section) = (&self.name, self.section);
        let version = env!("CARGO_PKG_VERSION");
        let title =
            format!(".TH \"{name}\" \"{section}\" \"\" \"framepack {version}\" \"{MANUAL}\"\n");
        title + &without_empty_breaks(&self.roff)
    }
}

/// Without requests for a break where there is one already.
fn without_empty_breaks(roff: &str) -> String {
    let lines: Vec<&str> = roff.lines().collect();
    let is_heading = |line: &str| line.starts_with(".SH") || line.starts_with(".SS");
    let mut kept: Vec<&str> = Vec::with_capacity(lines.len());
    for (at, line) in lines.iter().enumerate() {
        let before = kept.last().copied().unwrap_or_default();
        let behind = lines.get(at + 1).copied().unwrap_or_default();
        let is_empty = match *line {
            ".PP" => is_heading(before),
            ".br" => [before, behind]
                .iter()
                .any(|line| line.is_empty() || *line == ".sp"),
            _ => false,
        };
        if !is_empty {
            kept.push(line);
        }
    }
    kept.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_break_is_asked_for_once() {
        let roff = ".SH A\n.PP\nb\n.PP\nc\n.br\n\n.br\nd\n.br\ne\n";
        let expected = ".SH A\nb\n.PP\nc\n\nd\n.br\ne\n";
        assert_eq!(without_empty_breaks(roff), expected);
    }
}
