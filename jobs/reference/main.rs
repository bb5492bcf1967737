//! Writes pages of `docs/` that are made from tables: `cargo run -p framepack-jobs --example reference -- errors`.
//! `make docs` writes them all.

mod errors;

use std::{
    io::{self, Write},
    process::ExitCode,
};

fn main() -> ExitCode {
    let page = std::env::args().nth(1).unwrap_or_default();
    let text = match page.as_str() {
        "errors" => errors::page(),
        _ => {
            // Nothing is left to do when stderr is gone.
            let _ = writeln!(io::stderr(), "usage: reference errors");
            return ExitCode::from(2);
        }
    };
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
