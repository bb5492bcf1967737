//! What the fake worker "samples": a chain of hashes, one link a step, kept in a checkpoint after each section.
//!
//! The chain begins with SHA-256(seed), and each link is SHA-256(link before, section, step): the seed as 8 bytes, the
//! sections from 0 and the steps from 1 as 4 bytes each, little-endian. What came out of a run that was interrupted,
//! resumed or repeated is right if and only if it is what an uninterrupted run makes.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Folder of the checkpoints in a job's work folder.
const FOLDER: &str = "checkpoints";

/// The state of a render.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chain([u8; 32]);

/// A checkpoint's content; its file begins with a line that has the SHA-256 of the rest.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Checkpoint {
    /// What the job is, so that another job's checkpoint is not taken for this one's.
    seed: u64,
    sections: u32,
    steps: u32,
    /// Sections that are done.
    sections_done: u32,
    chain: String,
}

/// What of a job never changes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) seed: u64,
    pub(crate) sections: u32,
    pub(crate) steps: u32,
}

/// Where a job goes on.
#[derive(Debug)]
pub(crate) struct Begin {
    pub(crate) chain: Chain,
    pub(crate) sections_done: u32,
    /// Checkpoints that could not be used, and were removed.
    pub(crate) damaged: Vec<String>,
}

impl Chain {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Sha256::digest(seed.to_le_bytes()).into())
    }

    /// Adds a step.
    pub(crate) fn step(&mut self, section: u32, step: u32) {
        let link = Sha256::new()
            .chain_update(self.0)
            .chain_update(section.to_le_bytes())
            .chain_update(step.to_le_bytes());
        self.0 = link.finalize().into();
    }

    pub(crate) fn hex(&self) -> String {
        self.0.iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("a string takes everything");
            hex
        })
    }

    fn from_hex(hex: &str) -> Option<Self> {
        let byte = |i: usize| u8::from_str_radix(hex.get(2 * i..2 * i + 2)?, 16).ok();
        let bytes: Option<Vec<u8>> = (0..32).map(byte).collect();
        Some(Self(bytes?.try_into().ok()?))
    }

    /// Makes the state after `sections_done` sections durable.
    pub(crate) fn save(&self, work_dir: &Path, shape: Shape, sections_done: u32) -> io::Result<()> {
        let folder = work_dir.join(FOLDER);
        fs::create_dir_all(&folder)?;
        let content = serde_json::to_string(&Checkpoint {
            seed: shape.seed,
            sections: shape.sections,
            steps: shape.steps,
            sections_done,
            chain: self.hex(),
        })
        .expect("plain data");
        let checksum = Self(Sha256::digest(&content).into()).hex();
        let unfinished = folder.join(".checkpoint.part");
        let mut file = File::create(&unfinished)?;
        write!(file, "{checksum}\n{content}")?;
        file.sync_all()?;
        fs::rename(&unfinished, path(work_dir, sections_done))?;
        File::open(&folder)?.sync_all()
    }
}

impl Begin {
    /// The latest checkpoint of the job that is whole; the beginning if there is none.
    pub(crate) fn find(work_dir: &Path, shape: Shape) -> Self {
        let mut damaged = Vec::new();
        for sections_done in (1..=shape.sections).rev() {
            let path = path(work_dir, sections_done);
            let Ok(text) = fs::read_to_string(&path) else {
                continue;
            };
            match read(&text, shape, sections_done) {
                Ok(chain) => {
                    return Self {
                        chain,
                        sections_done,
                        damaged,
                    };
                }
                Err(why) => {
                    damaged.push(format!("checkpoint {sections_done} {why}"));
                    fs::remove_file(path).expect("the work folder can be written");
                }
            }
        }
        Self {
            chain: Chain::new(shape.seed),
            sections_done: 0,
            damaged,
        }
    }
}

/// Damages the latest checkpoint, as a dying disk would.
pub(crate) fn corrupt(work_dir: &Path, sections_done: u32) {
    let path = path(work_dir, sections_done);
    let mut bytes = fs::read(&path).expect("there is a checkpoint to corrupt");
    *bytes.last_mut().expect("it is not empty") ^= 1;
    fs::write(path, bytes).expect("the work folder can be written");
}

fn path(work_dir: &Path, sections_done: u32) -> PathBuf {
    work_dir
        .join(FOLDER)
        .join(format!("section-{sections_done:04}.json"))
}

fn read(text: &str, shape: Shape, sections_done: u32) -> Result<Chain, &'static str> {
    let (checksum, content) = text.split_once('\n').ok_or("is truncated")?;
    if Chain(Sha256::digest(content).into()).hex() != checksum {
        return Err("is damaged");
    }
    let found: Checkpoint = serde_json::from_str(content).map_err(|_| "is of another version")?;
    let chain = Chain::from_hex(&found.chain).ok_or("is of another version")?;
    let expected = Checkpoint {
        seed: shape.seed,
        sections: shape.sections,
        steps: shape.steps,
        sections_done,
        chain: found.chain.clone(),
    };
    (found == expected)
        .then_some(chain)
        .ok_or("is of another job")
}
