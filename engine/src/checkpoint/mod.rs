//! Section checkpoints: what a run leaves in its job's work folder for the next one.
//!
//! After each section its latents are written as `checkpoint-NNN.safetensors`, with the start image's latent, the
//! place in the noise stream and the circumstances under which they were made. History is rebuilt by adding the
//! sections again. Decoded frames are kept beside them (`frames`), and a section that was suspended between two steps
//! (`steps`).
//! A file appears complete and durable, by a rename, before it is reported. Each knows the checksum of the one
//! before it, so that a section is never continued from another than the one that it grew on.

mod frames;
mod provenance;
mod steps;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use framepack_ipc::worker::{CHECKPOINT_PREFIX, Resumed};
use framepack_jobs::SectionSteps;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tch::Tensor;

use self::steps::Origin;
pub(crate) use self::{
    frames::{DecodedSection, FrameFile, KeptFrames, SLOW},
    provenance::{Provenance, RunSettings},
    steps::{Keeping, KeptSteps, UnfinishedSection},
};
use crate::{
    error::Error,
    file,
    job::Job,
    sealed::{Tensors, seal, unseal},
    weights::Fingerprint,
};

/// Raised when checkpoints get another form or meaning.
const FORMAT: u32 = 1;
const LATENTS: &str = "latents";
const START_LATENT: &str = "start_latent";

/// A job's checkpoints, those that exist and those to come.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    work_dir: PathBuf,
    /// What tells the job and its models from others.
    job: String,
    /// Checksum of the newest; `None` before the first section.
    newest: Option<String>,
}

/// Where to resume: what earlier runs left that can be continued.
#[derive(Debug, Default)]
pub(crate) struct ResumePoint {
    /// (1, C, window, h, w) f32 on the CPU, in the order of generation.
    pub(crate) sections: Vec<Tensor>,
    /// The start image's latent, (1, C, 1, h, w); there if any section is.
    pub(crate) start_latent: Option<Tensor>,
    /// How each section was made.
    pub(crate) provenance: Vec<Provenance>,
    /// Which steps of each section were computed, of those that had a step cache.
    pub(crate) timelines: Vec<SectionSteps>,
    /// Checksum of each section's checkpoint.
    pub(crate) checksums: Vec<String>,
    /// How the frames of the sections were made that need not be decoded again.
    pub(crate) frames: Vec<Provenance>,
    /// Why a checkpoint is not used.
    pub(crate) warning: Option<String>,
}

/// A section that was just sampled.
#[derive(Debug)]
pub(crate) struct FinishedSection<'a> {
    /// Counted from 1.
    pub(crate) section: u32,
    /// (1, C, window, h, w) f32 on the CPU.
    pub(crate) latents: &'a Tensor,
    /// (1, C, 1, h, w)
    pub(crate) start_latent: &'a Tensor,
    pub(crate) provenance: &'a Provenance,
    /// Which of its steps were computed; `None` without a step cache.
    pub(crate) timeline: Option<SectionSteps>,
}

/// A checkpoint's header.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Header {
    format: u32,
    job: String,
    /// Counted from 1.
    section: u32,
    /// Numbers drawn from the job's noise stream up to the end of this section.
    noise_numbers: u64,
    /// Checksum of the checkpoint before.
    after: Option<String>,
    /// As the first version called it.
    #[serde(rename = "circumstances")]
    provenance: Provenance,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeline: Option<SectionSteps>,
}

impl ResumePoint {
    /// The latents of the section with this number, from 0, and the checksum of its checkpoint.
    pub(crate) fn section(&self, number: usize) -> Option<(&Tensor, &str)> {
        self.sections
            .get(number)
            .zip(self.checksums.get(number).map(String::as_str))
    }

    /// How the newest section was made.
    pub(crate) fn newest(&self) -> Option<&Provenance> {
        self.provenance.last()
    }

    /// What the report says of it, for a run that goes on under the circumstances `now`.
    pub(crate) fn resumed(&self, now: &Provenance) -> Option<Resumed> {
        if self.sections.is_empty() {
            return None;
        }
        let mut differences: Vec<(usize, String)> = vec![];
        for (section, then) in (1..).zip(&self.provenance) {
            let difference = then.difference(now);
            differences.extend(difference.map(|difference| (section, difference)));
        }
        differences.dedup_by(|later, earlier| later.1 == earlier.1);
        let reasons = differences
            .iter()
            .map(|(section, difference)| format!("since section {section}: {difference}"));
        let reasons: Vec<_> = reasons.chain(self.other_frames(now)).collect();
        Some(Resumed {
            sections_done: self.sections.len() as u32,
            is_exact: reasons.is_empty(),
            reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
        })
    }

    /// Frames that were decoded in another way, of a section that was sampled in the same.
    fn other_frames(&self, now: &Provenance) -> Option<String> {
        let mut both = (1..).zip(self.frames.iter().zip(&self.provenance));
        let (section, (frames, _)) = both.find(|(_, (frames, latents))| {
            !frames.decodes_like(now) && latents.decodes_like(now)
        })?;
        let difference = frames.difference(now)?;
        Some(format!("frames since section {section}: {difference}"))
    }
}

impl Checkpoints {
    /// The checkpoints of `job`, whose models are made from files with these fingerprints, or from a seed.
    pub(crate) fn of(
        job: &Job,
        models: impl IntoIterator<Item = Fingerprint>,
        synthesised: Option<u64>,
    ) -> Self {
        let settings = serde_json::json!({
            "prompt": job.prompt,
            "negative_prompt": job.negative_prompt,
            "size": [job.image.width(), job.image.height()],
            "sections": job.sampling.sections,
            "steps": job.sampling.steps,
            "seed": job.sampling.seed,
            "guidance": job.sampling.guidance,
            "synthesised": synthesised,
        });
        let mut hash = Sha256::new();
        hash.update(Sha256::digest(settings.to_string()));
        hash.update(Sha256::digest(job.image.as_raw()));
        for model in models {
            hash.update(model);
        }
        Self {
            work_dir: job.output.work_dir.clone(),
            job: format!("{:x}", hash.finalize()),
            newest: None,
        }
    }

    /// What can be continued: the first checkpoints, up to the first that is missing, damaged or another job's.
    pub(crate) fn find(&mut self, sections: usize) -> ResumePoint {
        let mut found = ResumePoint::default();
        for section in 1..=sections as u32 {
            let path = self.path(section);
            match self.read(&path, section) {
                Ok(Some((header, mut tensors))) => {
                    found.provenance.push(header.provenance);
                    found.timelines.extend(header.timeline);
                    found.start_latent = tensors.remove(START_LATENT);
                    found.sections.extend(tensors.remove(LATENTS));
                    found.checksums.extend(self.newest.clone());
                }
                Ok(None) => break,
                Err(reason) => {
                    tracing::warn!(path = %path.display(), reason, "a checkpoint is not used");
                    found.warning = Some(format!(
                        "section {section} was rendered again because its checkpoint can't be used: {reason}"
                    ));
                    break;
                }
            }
        }
        found
    }

    /// Keeps a section. Once this returns it outlives the process and the machine's power. Returns its checksum.
    pub(crate) fn save(&mut self, made: &FinishedSection<'_>) -> Result<String, Error> {
        let header = Header {
            format: FORMAT,
            job: self.job.clone(),
            section: made.section,
            noise_numbers: noise_numbers(made.section, made.latents),
            after: self.newest.clone(),
            provenance: made.provenance.clone(),
            timeline: made.timeline,
        };
        let what = serde_json::to_string(&header).expect("plain data with string keys");
        let tensors = Tensors::from([
            (LATENTS.into(), made.latents.contiguous()),
            (START_LATENT.into(), made.start_latent.contiguous()),
        ]);
        let path = self.path(made.section);
        let written = seal(&what, &tensors)
            .map_err(io::Error::other)
            .and_then(|(bytes, sha256)| file::write(&path, &bytes).map(|()| sha256));
        match written {
            Ok(sha256) => {
                self.remove_unfinished();
                self.newest = Some(sha256.clone());
                Ok(sha256)
            }
            Err(source) => Err(Error::Io {
                path,
                doing: "writing",
                source,
            }),
        }
    }

    /// Where the next section, `section`, is kept while it is not finished.
    pub(crate) fn unfinished(&self, section: u32) -> UnfinishedSection {
        UnfinishedSection {
            path: self.unfinished_path(),
            origin: Origin {
                job: self.job.clone(),
                section,
                after: self.newest.clone(),
            },
        }
    }

    /// Removes all of them: what they would lead to is not wanted.
    pub(crate) fn remove(&self) {
        self.remove_unfinished();
        for section in 1.. {
            if fs::remove_file(self.path(section)).is_err() {
                return;
            }
        }
    }

    /// The checkpoint at `path`, if there is one and it continues the newest.
    fn read(&mut self, path: &Path, section: u32) -> Result<Option<(Header, Tensors)>, String> {
        let bytes = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes.map_err(|error| error.to_string())?,
        };
        let file = unseal(&bytes)?;
        let header: Header = serde_json::from_str(&file.what)
            .map_err(|_| "it was written by another version".to_owned())?;
        let latents = file.tensors.get(LATENTS).ok_or("it has no latents")?;
        if header.format != FORMAT {
            return Err(format!("it has format {}", header.format));
        }
        if header.job != self.job {
            return Err("it belongs to another job, or the models have changed since".into());
        }
        let continues = (section, noise_numbers(section, latents), &self.newest);
        if (header.section, header.noise_numbers, &header.after) != continues {
            return Err("it does not continue the one before".into());
        }
        if !file.tensors.contains_key(START_LATENT) {
            return Err("it has no start latent".into());
        }
        self.newest = Some(file.sha256);
        Ok(Some((header, file.tensors)))
    }

    fn remove_unfinished(&self) {
        let path = self.unfinished_path();
        if let Err(error) = fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %path.display(), %error, "removing an unfinished section");
        }
    }

    fn unfinished_path(&self) -> PathBuf {
        self.work_dir
            .join(format!("{CHECKPOINT_PREFIX}steps.safetensors"))
    }

    fn path(&self, section: u32) -> PathBuf {
        self.work_dir
            .join(format!("{CHECKPOINT_PREFIX}{section:03}.safetensors"))
    }
}

/// Each section draws as many numbers as it has latents.
fn noise_numbers(section: u32, latents: &Tensor) -> u64 {
    u64::from(section) * latents.numel() as u64
}

#[cfg(test)]
mod tests;
