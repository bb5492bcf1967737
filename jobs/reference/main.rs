//! Writes pages of `docs/` that are made from tables: `cargo run -p framepack-jobs --example reference -- errors`.
//! `make docs` writes them all.

mod errors;
mod job;
mod settings;

use std::{
    io::{self, Write},
    process::ExitCode,
};

/// Makes a page.
type Page = fn() -> String;

const PAGES: [(&str, Page); 3] = [
    ("errors", errors::page),
    ("job", job::page),
    ("settings", settings::page),
];

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let Some((_, page)) = PAGES.iter().find(|(name, _)| *name == wanted) else {
        let names = PAGES.map(|(name, _)| name).join("|");
        // Nothing is left to do when stderr is gone.
        let _ = writeln!(io::stderr(), "usage: reference {names}");
        return ExitCode::from(2);
    };
    match io::stdout().write_all(page().as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
