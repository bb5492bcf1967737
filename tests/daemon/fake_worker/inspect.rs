//! Inspects jobs as the real worker does: by the length of the prompt, and by a word in the picture.

use std::{
    fs::{self, File},
    io::{self, BufRead, Write},
};

use framepack_ipc::worker::{Inspected, RenderRequest};
use framepack_jobs::{Code, Failure};

pub(crate) fn run() -> io::Result<()> {
    let mut is_logged = false;
    for line in io::stdin().lock().lines() {
        let request: RenderRequest = serde_json::from_str(&line?)?;
        if !is_logged {
            let state = request.work_dir.ancestors().nth(2).expect("state/work/N");
            let mut log = File::options()
                .create(true)
                .append(true)
                .open(state.join("inspections.log"))?;
            writeln!(log, "{}", std::process::id())?;
            is_logged = true;
        }
        if request.prompt.starts_with("uninspected") {
            return Ok(());
        }
        let is_long = request.prompt.len() > 75;
        let picture = fs::read(&request.image).unwrap_or_default();
        let is_undecodable = picture.ends_with(b"undecodable");
        let inspected = Inspected {
            job: request.job,
            warnings: is_long
                .then(|| format!("prompt: {} bytes", request.prompt.len()))
                .into_iter()
                .collect(),
            failure: is_undecodable
                .then(|| Failure::new(Code::IMAGE_DAMAGED, "the image cannot be decoded")),
        };
        let mut replies = io::stdout().lock();
        serde_json::to_writer(&mut replies, &inspected)?;
        replies.write_all(b"\n")?;
        replies.flush()?;
    }
    Ok(())
}
