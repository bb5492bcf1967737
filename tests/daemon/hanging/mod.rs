//! Shares that do not answer: whatever does not need them goes on, what does waits, and goes on when they are back.

mod inputs;
mod jobs_folder;
mod outputs;
mod share;
mod status;

use std::time::{Duration, Instant};

use crate::{
    client::assert_code,
    fixture::{Farm, job},
};

/// Time that the daemon has for its end, whatever hangs.
const STOPS_WITHIN: Duration = Duration::from_secs(30);
/// Time for an answer about a path that hangs.
const REFUSED_WITHIN: Duration = Duration::from_secs(12);

impl Farm {
    /// Submits a job from a folder that never hangs.
    #[track_caller]
    fn submit_text(&self, name: &str, text: &str) {
        let path = self.path(format!("{name}.yaml"));
        std::fs::write(&path, text).unwrap();
        self.answer(&["submit", path.to_str().unwrap()]);
    }

    /// A job whose image is at this path.
    fn job_with(&self, image: &str, prompt: &str) -> String {
        let image = self.path(image);
        job(prompt).replace("photo.png", image.to_str().unwrap())
    }

    /// A command that needs what hangs: it fails in time, with the code of silent shares and the path.
    #[track_caller]
    fn assert_refused_for(&self, share: &share::Share, within: Duration, command: &[&str]) {
        let asked = Instant::now();
        let output = self.ctl(command);
        let took = asked.elapsed();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            told.contains("[FP5023]") && told.contains(share.path()),
            "{command:?} after {took:?}: {told}"
        );
        assert!(took < within, "{command:?} took {took:?}");
        assert_code(&output, 1);
    }

    /// SIGTERM while something hangs.
    #[track_caller]
    fn assert_stops(&mut self) {
        let told = Instant::now();
        let status = self.stop_within(STOPS_WITHIN);
        let status = status.unwrap_or_else(|| panic!("it runs after {:?}", told.elapsed()));
        assert!(status.success(), "{status}");
    }
}
