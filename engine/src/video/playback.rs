//! Decodes a written video again, by another hand than the one that wrote it: the `ffmpeg` program.
//!
//! It is a run-time dependency, found in `PATH`. Without it the container alone is checked, and the report says so.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::error::VideoError;

/// Mean luma, of 255, below which a frame counts as black.
const BLACK: f64 = 4.0;
/// How long decoding may take, and how much longer for each frame: many times what a slow machine needs.
const PATIENCE: Duration = Duration::from_mins(1);
const PATIENCE_PER_FRAME: Duration = Duration::from_millis(250);
const POLL: Duration = Duration::from_millis(10);

/// A frame's mean luma is that of its picture in 32 by 32 points, of which ffmpeg prints the mean.
const FILTERS: &str = "scale=32:32:flags=area:out_range=full,format=yuv444p,signalstats,metadata=mode=print:key=lavfi.signalstats.YAVG:file=-";

/// A program that decodes videos.
#[derive(Debug, Clone)]
pub struct Player {
    program: PathBuf,
    patience: Duration,
}

/// What the video must show.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    pub(super) frames: u32,
    pub(super) fps: u32,
}

/// What the decoder said of one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Frame {
    /// When it is shown.
    secs: f64,
    /// Mean luma, 0 to 255.
    luma: f64,
}

impl Default for Player {
    fn default() -> Self {
        Self {
            program: "ffmpeg".into(),
            patience: PATIENCE,
        }
    }
}

impl Player {
    /// The program's own account of its version; `None` if there is no such program.
    pub fn version(&self) -> io::Result<Option<String>> {
        let output = Command::new(&self.program).arg("-version").output();
        match output {
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stdout);
                Ok(text.lines().next().map(ToOwned::to_owned))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Decodes every frame of the mp4 file at `path` and checks their number, their times, and that not all are
    /// black. `false` if there is no such program.
    pub(super) fn check(&self, path: &Path, shown: Shown) -> Result<bool, VideoError> {
        let patience = self.patience + shown.frames * PATIENCE_PER_FRAME;
        let spawned = Command::new(&self.program)
            .args([
                "-nostdin",
                "-v",
                "error",
                "-xerror",
                "-err_detect",
                "explode",
            ])
            .args(["-f", "mp4", "-i"])
            .arg(file_url(path))
            .args(["-map", "0:v:0", "-vf", FILTERS, "-f", "null", "-"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let failed = |reason: String| VideoError::Undecodable {
            path: path.to_owned(),
            reason,
        };
        let child = match spawned {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            spawned => spawned.map_err(|error| failed(format!("ffmpeg: {error}")))?,
        };
        let said = listen(child, patience).map_err(failed)?;
        judge(path, &frames_in(&said), shown)?;
        Ok(true)
    }
}

/// A name that can be neither an option nor another protocol's.
fn file_url(path: &Path) -> std::ffi::OsString {
    let mut url = std::ffi::OsString::from("file:");
    url.push(path);
    url
}

/// What the program prints until it ends, which it has to do in time and without a complaint.
fn listen(mut child: Child, patience: Duration) -> Result<String, String> {
    let read = |pipe: Option<Box<dyn Read + Send>>| {
        let mut pipe = pipe.expect("spawned with pipes");
        thread::spawn(move || {
            let mut text = String::new();
            pipe.read_to_string(&mut text).map(|_| text)
        })
    };
    let stdout = read(child.stdout.take().map(|pipe| Box::new(pipe) as _));
    let stderr = read(child.stderr.take().map(|pipe| Box::new(pipe) as _));
    let deadline = Instant::now() + patience;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < deadline => thread::sleep(POLL),
            Ok(None) => {
                end(&mut child);
                let secs = patience.as_secs_f64();
                return Err(format!(
                    "ffmpeg did not finish within {secs:.0} s and was killed"
                ));
            }
            Err(error) => return Err(format!("ffmpeg: {error}")),
        }
    };
    // The pipes end with the program, or with whatever it left behind.
    let text = |reader: thread::JoinHandle<io::Result<String>>| {
        let read = reader.join().expect("reading text does not panic");
        read.map_err(|error| format!("ffmpeg: {error}"))
    };
    let (said, complaints) = (text(stdout)?, text(stderr)?);
    if status.success() && complaints.trim().is_empty() {
        return Ok(said);
    }
    let last = complaints.lines().last().unwrap_or("no reason given");
    Err(format!("ffmpeg ended with {status}: {last}"))
}

fn end(child: &mut Child) {
    if let Err(error) = child.kill().and_then(|()| child.wait()) {
        tracing::warn!(%error, "can't kill ffmpeg");
    }
}

/// The frames in ffmpeg's print-out: `frame:0 pts:0 pts_time:0.033`, then `lavfi.signalstats.YAVG=81.3`.
fn frames_in(said: &str) -> Vec<Frame> {
    let mut frames = vec![];
    let mut secs = None;
    for line in said.lines() {
        if let Some((_, time)) = line.split_once("pts_time:") {
            secs = time.trim().parse().ok();
        } else if let Some((_, luma)) = line.split_once("YAVG=")
            && let (Some(secs), Ok(luma)) = (secs.take(), luma.trim().parse())
        {
            frames.push(Frame { secs, luma });
        }
    }
    frames
}

/// Whether the frames are those that were written.
fn judge(path: &Path, frames: &[Frame], shown: Shown) -> Result<(), VideoError> {
    let mismatch = |what, expected: String, found: String| VideoError::Mismatch {
        path: path.to_owned(),
        what,
        expected,
        found,
    };
    if frames.len() != shown.frames as usize {
        let (expected, found) = (shown.frames.to_string(), frames.len().to_string());
        return Err(mismatch("decoded frames", expected, found));
    }
    let frame_secs = 1.0 / f64::from(shown.fps);
    let last = frames.last().map_or(0.0, |frame| frame.secs);
    let (expected, found) = (f64::from(shown.frames) * frame_secs, last + frame_secs);
    if (expected - found).abs() > frame_secs / 2.0 {
        let [expected, found] = [expected, found].map(|secs| format!("{secs:.3} s"));
        return Err(mismatch("duration", expected, found));
    }
    if frames.iter().all(|frame| frame.luma < BLACK) {
        return Err(VideoError::Black {
            path: path.to_owned(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    const SHOWN: Shown = Shown { frames: 3, fps: 30 };

    fn frames(times: [f64; 3], luma: [f64; 3]) -> Vec<Frame> {
        let pairs = times.into_iter().zip(luma);
        pairs.map(|(secs, luma)| Frame { secs, luma }).collect()
    }

    /// A program that does what `script` says.
    fn player(script: &str) -> (tempfile::TempDir, Player) {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("ffmpeg");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let patience = Duration::ZERO;
        (folder, Player { program, patience })
    }

    #[test]
    fn frames_are_read_from_the_print_out() {
        let said = "frame:0    pts:0       pts_time:0\nlavfi.signalstats.YAVG=81.5\n\
                    frame:1    pts:3840    pts_time:0.25\nlavfi.signalstats.YAVG=0\n";
        let expected = [(0.0, 81.5), (0.25, 0.0)].map(|(secs, luma)| Frame { secs, luma });
        assert_eq!(frames_in(said), expected);
    }

    #[test]
    fn number_times_and_light_are_judged() {
        let path = Path::new("a.mp4");
        let times = [0.0, 1.0 / 30.0, 2.0 / 30.0];
        judge(path, &frames(times, [0.0, 0.0, 4.0]), SHOWN).unwrap();
        let code = |frames: &[Frame]| judge(path, frames, SHOWN).unwrap_err().code().as_str();
        assert_eq!(code(&frames(times, [3.9; 3])), "FP6018");
        assert_eq!(code(&frames(times, [80.0; 3])[..2]), "FP6016");
        assert_eq!(code(&frames([0.0, 0.1, 0.2], [80.0; 3])), "FP6016");
    }

    #[test]
    fn a_hung_program_is_ended_and_one_that_complains_is_believed() {
        let no_frames = Shown { frames: 0, fps: 30 };
        let path = Path::new("a.mp4");
        let (_folder, hung) = player("exec sleep 600");
        let error = hung.check(path, no_frames).unwrap_err();
        assert!(error.to_string().contains("did not finish"), "{error}");
        assert_eq!(error.code().as_str(), "FP6017");
    }

    #[test]
    fn without_the_program_nothing_is_checked() {
        let player = Player {
            program: "/nowhere/ffmpeg".into(),
            patience: PATIENCE,
        };
        assert!(!player.check(Path::new("a.mp4"), SHOWN).unwrap());
        assert_eq!(player.version().unwrap(), None);
    }
}
