//! Decodes a written video again, by another hand than the one that wrote it: the `ffmpeg` program.
//!
//! It is a run-time dependency, found in `PATH`. Where there is none, or one that does not work, the container alone is
//! checked, and the report says so. Whether a program works is judged by its exit status and by the frames that it
//! decodes: what can't decode a clip that is known to be good says nothing about a video.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use super::{
    clips::{self, Clip},
    program::{Defect, Ended, run},
};
use crate::error::VideoError;

/// Mean luma, of 255, below which a frame counts as black.
const BLACK: f64 = 4.0;
/// How long decoding may take, and how much longer for each frame: many times what a slow machine needs.
const PATIENCE: Duration = Duration::from_mins(1);
const PATIENCE_PER_FRAME: Duration = Duration::from_millis(250);
/// How long the known clip may take, or the program's version: a program of a snap takes seconds to start.
const CLIP_PATIENCE: Duration = Duration::from_secs(15);

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
    /// Its rate factor, which decides its profile.
    pub(super) crf: u8,
}

/// What came of decoding a video.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Playback {
    /// Every frame was decoded, and is as it should be.
    Decoded,
    /// The program does not work, which says nothing about the video.
    NotDecoded(Defect),
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
    /// Has it decode a clip that lies in `folder`; the program's own account of its version if it can.
    pub fn version(&self, folder: &Path) -> Result<String, Defect> {
        self.decode_clip(Clip::High, folder)?;
        let version = run(Command::new(&self.program).arg("-version"), CLIP_PATIENCE);
        match version {
            Ended::Well(text) => Ok(text.lines().next().unwrap_or_default().to_owned()),
            Ended::Badly(reason) => Err(Defect::Fault(reason)),
            Ended::Broken(defect) => Err(defect),
        }
    }

    /// Decodes every frame of the mp4 file at `path` and checks their number, their times, and that not all are black.
    pub(super) fn check(&self, path: &Path, shown: Shown) -> Result<Playback, VideoError> {
        let patience = self.patience + shown.frames * PATIENCE_PER_FRAME;
        let fault = match self.decode(path, patience) {
            Ended::Broken(defect) => return Ok(Playback::NotDecoded(defect)),
            Ended::Badly(reason) => VideoError::Undecodable {
                path: path.to_owned(),
                reason,
            },
            Ended::Well(said) => match judge(path, &frames_in(&said), shown) {
                Ok(()) => return Ok(Playback::Decoded),
                Err(fault) => fault,
            },
        };
        // Beside the video: the program may not see that folder.
        let folder = path.parent().unwrap_or(path);
        match self.decode_clip(Clip::like(shown.crf), folder) {
            Ok(()) => Err(fault),
            Err(defect) => {
                tracing::debug!(%fault, %defect, "ffmpeg can't decode a clip that is known to be good");
                Ok(Playback::NotDecoded(defect))
            }
        }
    }

    /// Whether the program decodes what is known to be good.
    fn decode_clip(&self, clip: Clip, folder: &Path) -> Result<(), Defect> {
        let unwritable = |error| Defect::Fault(format!("no clip to try it on: {error}"));
        let file = clip.write_in(folder).map_err(unwritable)?;
        let shown = Shown {
            frames: clips::FRAMES,
            fps: clips::FPS,
            crf: 0,
        };
        let refused = |reason: String| {
            Defect::Fault(format!(
                "it can't decode a clip that is known to be good: {reason}"
            ))
        };
        match self.decode(file.path(), CLIP_PATIENCE) {
            Ended::Well(said) => judge(file.path(), &frames_in(&said), shown)
                .map_err(|fault| refused(fault.to_string())),
            Ended::Badly(reason) => Err(refused(reason)),
            Ended::Broken(defect) => Err(defect),
        }
    }

    fn decode(&self, path: &Path, patience: Duration) -> Ended {
        let mut command = Command::new(&self.program);
        command
            .args(["-nostdin", "-v", "error", "-xerror"])
            .args(["-err_detect", "explode", "-f", "mp4", "-i"])
            .arg(file_url(path))
            .args(["-map", "0:v:0", "-vf", FILTERS, "-f", "null", "-"]);
        run(&mut command, patience)
    }
}

/// A name that can be neither an option nor another protocol's.
fn file_url(path: &Path) -> OsString {
    let mut url = OsString::from("file:");
    url.push(path);
    url
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

    const SHOWN: Shown = Shown {
        frames: 3,
        fps: 30,
        crf: 16,
    };

    /// The clips.
    const CLIP: Shown = Shown {
        frames: clips::FRAMES,
        fps: clips::FPS,
        crf: 16,
    };

    fn frames(times: [f64; 3], luma: [f64; 3]) -> Vec<Frame> {
        let pairs = times.into_iter().zip(luma);
        pairs.map(|(secs, luma)| Frame { secs, luma }).collect()
    }

    /// A program that does what `script` says.
    fn player(folder: &Path, script: &str) -> Player {
        let program = folder.join("ffmpeg");
        let text = format!("#!/bin/sh\n{script}\n");
        fs::write(&program, text).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        Player {
            program,
            patience: Duration::ZERO,
        }
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

    /// A sound video, with programs that are there and do not work.
    #[test]
    fn a_program_that_does_not_work_says_nothing_about_a_video() {
        let folder = tempfile::tempdir().unwrap();
        let video = Clip::High.write_in(folder.path()).unwrap();
        for (script, reason) in [
            (
                "echo 'error while loading shared libraries: libx.so.1' >&2; exit 127",
                "libx.so.1",
            ),
            (
                "echo 'Decoder (codec h264) not found' >&2; exit 1",
                "codec h264",
            ),
            (
                "echo 'No such file or directory' >&2; exit 1",
                "No such file",
            ),
            ("kill -KILL $$", "killed"),
            ("true", "decoded frames"),
            (r"printf '\377\376'", "decoded frames"),
        ] {
            let found = player(folder.path(), script)
                .check(video.path(), CLIP)
                .unwrap();
            let Playback::NotDecoded(Defect::Fault(said)) = found else {
                panic!("{script}: {found:?}")
            };
            assert!(said.contains(reason), "{script}: {said}");
            let version = player(folder.path(), script).version(folder.path());
            assert!(
                matches!(version, Err(Defect::Fault(_))),
                "{script}: {version:?}"
            );
        }
        let unusable = Player {
            program: folder.path().to_owned(),
            patience: PATIENCE,
        };
        assert!(unusable.version(folder.path()).is_err(), "a folder");
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 2, "the video and the program");
    }

    #[test]
    fn a_program_that_works_is_believed_whatever_else_it_says() {
        let folder = tempfile::tempdir().unwrap();
        let video = Clip::High.write_in(folder.path()).unwrap();
        let real = |also: &str| player(folder.path(), &format!("{also}\nexec ffmpeg \"$@\""));
        let patient = |also: &str| Player {
            patience: PATIENCE,
            ..real(also)
        };
        let chatty = patient("echo 'libva info: VA-API version 1.17.0' >&2");
        assert_eq!(chatty.check(video.path(), CLIP).unwrap(), Playback::Decoded);
        assert!(
            chatty
                .version(folder.path())
                .unwrap()
                .starts_with("ffmpeg version")
        );

        let mut damaged = fs::read(video.path()).unwrap();
        let samples = damaged.windows(4).position(|kind| kind == b"mdat").unwrap();
        damaged[samples + 900..].fill(0xA5);
        let path = folder.path().join("damaged.mp4");
        fs::write(&path, damaged).unwrap();
        for crf in [16, 0] {
            let error = patient("").check(&path, Shown { crf, ..CLIP }).unwrap_err();
            assert_eq!(error.code().as_str(), "FP6017", "{error}");
        }
        let missing_frame = Shown { frames: 9, ..CLIP };
        let error = patient("").check(video.path(), missing_frame).unwrap_err();
        assert_eq!(error.code().as_str(), "FP6016");
    }

    #[test]
    fn without_the_program_nothing_is_checked() {
        let player = Player {
            program: "/nowhere/ffmpeg".into(),
            patience: PATIENCE,
        };
        let found = player.check(Path::new("a.mp4"), SHOWN).unwrap();
        assert_eq!(found, Playback::NotDecoded(Defect::Missing));
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(player.version(folder.path()), Err(Defect::Missing));
    }
}
