//! `inspect`: what framepackd asks about jobs that have just been submitted. Needs no device, and ends with its stdin.

use std::io::{self, BufRead as _, Write as _};

use anyhow::Context as _;
use framepack_engine::inspect::Inspector;
use framepack_ipc::worker::RenderRequest;

/// Answers each request, a line of JSON, with a line.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut inspector = Inspector::default();
    let mut replies = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let request: RenderRequest = serde_json::from_str(&line?).context("a request")?;
        serde_json::to_writer(&mut replies, &inspector.inspect(&request))?;
        replies.write_all(b"\n")?;
        replies.flush()?;
    }
    Ok(())
}
