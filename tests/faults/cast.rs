//! Who renders, and what: fake workers, or the real one with the demo bundle.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::schedule::Behaviour;

/// Who renders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cast {
    Fake,
    Real,
}

impl Cast {
    /// Configuration with which files settle soon, and a fake worker is soon taken for hung.
    pub(crate) fn settings(self) -> String {
        let beside = |name: &str| Path::new(env!("CARGO_BIN_EXE_framepackd")).with_file_name(name);
        let (worker, bundle, deadline_secs) = match self {
            Self::Fake => (beside("examples/fake_worker"), PathBuf::from("bundle"), 1),
            Self::Real => (beside("framepack-worker"), root().join("models/demo"), 60),
        };
        format!(
            "paths: {{jobs: farm/jobs, state: farm/state, outputs: farm/outputs, socket: framepackd.sock}}\n\
             models: {{bundle: {}}}\n\
             worker:\n  devices: cpu\n  program: {}\n  max_faults: 0\n\
             \x20 first_step_deadline_secs: {deadline_secs}\n  min_step_deadline_secs: {deadline_secs}\n\
             spool: {{settle_secs: 0.05, grace_secs: 0.5, scan_secs: 0.2}}\n\
             disk: {{floor_mib: 8, reserve_mib: 8}}\n",
            bundle.display(),
            worker.display()
        )
    }

    /// Puts the picture of all jobs into the folder.
    pub(crate) fn bring_photo(jobs: &Path) {
        let photo = root().join("jobs/examples/inputs/astronaut.jpg");
        fs::copy(photo, jobs.join("photo.jpg")).unwrap();
    }

    /// A job file. The seed is the job's number.
    pub(crate) fn job(self, number: usize, behaviour: &Behaviour) -> String {
        let what = match self {
            Self::Fake => format!(
                "prompt: \"{}\"\nlength: {{seconds: 1}}\nsize: {{bucket: 128}}",
                behaviour.prompt()
            ),
            // Small, for a processor: three short sections.
            Self::Real => "prompt: she smiles\nlength: {seconds: 1.2}\nlatent_window: 3\nsize: {bucket: 128}\nsteps: 2"
                .to_owned(),
        };
        format!(
            "api: framepack/v1\nstart: {{image: photo.jpg}}\n{what}\nseed: {number}\n\
             retry: {{max: 3, backoff_secs: 0}}\n"
        )
    }

    /// How long something may take to happen between two acts: under a daemon that stands still, nothing does.
    pub(crate) fn moment(self) -> Duration {
        match self {
            Self::Fake => Duration::from_millis(60),
            Self::Real => Duration::from_secs(2),
        }
    }
}

/// The repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap()
}

/// What a video must be made of.
#[derive(Debug)]
pub(crate) enum Truth {
    /// The chain of hashes of the fake worker's steps.
    Chain,
    /// Latents and frames of an uninterrupted run, by seed.
    Uninterrupted(BTreeMap<u64, Made>),
}

/// What was made.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Made {
    latents_sha256: String,
    /// MD5 of the decoded frames; that of fakes are all alike.
    frames_md5: Option<String>,
}

impl Truth {
    /// What is wrong with the video of a job that is done.
    pub(crate) fn fault(&self, record: &Value, video: &Path) -> Option<String> {
        let unknown = || "nobody knows what it should be".to_owned();
        let made = match self {
            Self::Chain => Made {
                latents_sha256: noted_in(video).unwrap_or_default(),
                frames_md5: None,
            },
            Self::Uninterrupted(_) => Made::of(record, video),
        };
        let wanted = match self {
            Self::Chain => &Made {
                latents_sha256: chain_of(record),
                frames_md5: None,
            },
            Self::Uninterrupted(all) => match all.get(&number(&record["seed"])) {
                Some(wanted) => wanted,
                None => return Some(unknown()),
            },
        };
        (made != *wanted).then(|| format!("{made:?} was made instead of {wanted:?}"))
    }
}

impl Made {
    /// What the real worker made.
    pub(crate) fn of(record: &Value, video: &Path) -> Self {
        let decoded = Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(video)
            .args(["-f", "md5", "-"])
            .output()
            .expect("ffmpeg, which `make test` installs");
        let latents = record["result"]["latents_sha256"]
            .as_str()
            .unwrap_or_default();
        Self {
            latents_sha256: latents.to_owned(),
            frames_md5: Some(String::from_utf8_lossy(&decoded.stdout).trim().to_owned()),
        }
    }
}

/// The latents that the fake worker says, at the end of the video, that it is made of.
fn noted_in(video: &Path) -> Option<String> {
    let bytes = fs::read(video).ok()?;
    let start = bytes.windows(2).rposition(|pair| pair == b"{\"")?;
    let note: Value = serde_json::from_slice(&bytes[start..]).ok()?;
    Some(note["latents_sha256"].as_str()?.to_owned())
}

/// The latents of a run that nothing interrupts: a chain of hashes, one link a step.
fn chain_of(record: &Value) -> String {
    let plan = &record["result"]["plan"];
    let mut link = Sha256::digest(number(&record["seed"]).to_le_bytes());
    for section in 0..number(&plan["sections"]) as u32 {
        for step in 1..=number(&plan["steps"]) as u32 {
            let place = [section.to_le_bytes(), step.to_le_bytes()].concat();
            link = Sha256::digest([&link[..], &place].concat());
        }
    }
    format!("{link:x}")
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}
