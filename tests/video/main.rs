//! From a picture to a video file: pixels against the reference, files against ffprobe and ffmpeg.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod files;
mod pictures;
mod pixels;

/// A golden file written by `tests/oracle/generate.py`.
fn golden(name: &str) -> Vec<u8> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/fixtures/parity/data/"
    );
    std::fs::read(format!("{path}{name}")).unwrap_or_else(|e| panic!("{path}{name}: {e}"))
}
