//! The settings of a job that have no field of their own in its request, read as the worker carries them out.

use framepack_jobs::{
    MemoryAmount, MemoryBackend, Offloading, Row, Settings, StepCacheKind, Value,
    picture::Colour,
    settings::{
        ATTENTION, BACKEND, BACKGROUND, CACHE_BUDGET_GB, CACHE_KIND, CACHE_MAX_SKIP, CACHE_REFRESH,
        CACHE_RETENTION, CACHE_THRESHOLD, Kind, LOAD_CHUNK_MB, OFFLOAD, PRESERVE_GB, VAE_BLEND,
        VAE_CHUNK, VAE_MODE, VAE_OVERLAP, VAE_QUALITY,
    },
};

use crate::{error::Error, nn::attention::AttentionMode, transformer::StepCacheWishes};

const DEFAULT_CHUNK_MB: u64 = 256;

/// What a request may have.
static ROWS: [&Row; 17] = [
    &BACKGROUND,
    &ATTENTION,
    &PRESERVE_GB,
    &LOAD_CHUNK_MB,
    &OFFLOAD,
    &BACKEND,
    &VAE_MODE,
    &VAE_CHUNK,
    &VAE_QUALITY,
    &VAE_BLEND,
    &VAE_OVERLAP,
    &CACHE_KIND,
    &CACHE_THRESHOLD,
    &CACHE_MAX_SKIP,
    &CACHE_RETENTION,
    &CACHE_REFRESH,
    &CACHE_BUDGET_GB,
];

/// What a job says, or the defaults.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JobSettings {
    /// What shows where the start image is transparent.
    pub(crate) background: Colour,
    /// How the attention is to be computed.
    pub(crate) attention: AttentionMode,
    pub(crate) memory: MemorySettings,
    pub(crate) vae: VaeSettings,
    pub(crate) overlap: VaeOverlap,
    /// What steps may reuse.
    pub(crate) step_cache: StepCacheWishes,
}

/// How a job's frames are to be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VaeSettings {
    /// Whether chunk by chunk.
    pub mode: VaeMode,
    /// Latent frames at a time; `None`: as many as the device holds, if there are to be chunks.
    pub chunk: Option<u8>,
    /// Frames over which chunks fade into each other; `None`: as the measurements advise.
    pub blend_frames: Option<u8>,
    /// Larger pieces, more overlap and exact sums, whatever `chunk` and `blend_frames` say.
    pub has_quality: bool,
}

/// Whether frames are decoded chunk by chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VaeMode {
    /// If a chunk, a cross-fade or quality is asked for, or memory asks for less than the reference's tiles.
    #[default]
    Auto,
    /// Never.
    Reference,
    /// Always.
    Chunked,
}

impl VaeMode {
    fn from_word(word: &str) -> Option<Self> {
        match word {
            "auto" => Some(Self::Auto),
            "reference" => Some(Self::Reference),
            "chunked" => Some(Self::Chunked),
            _ => None,
        }
    }
}

/// Whether a section may be decoded while the next one is sampled. It does not change the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum VaeOverlap {
    /// Where there is memory for both.
    #[default]
    Auto,
    Off,
}

impl VaeSettings {
    /// Whether anything of it asks for chunks.
    pub(crate) fn asks_for_chunks(self) -> bool {
        self.mode == VaeMode::Chunked || self.contradicts_reference()
    }

    fn contradicts_reference(self) -> bool {
        self.chunk.is_some() || self.blend_frames.is_some() || self.has_quality
    }
}

/// How a job uses memory. None of it changes the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MemorySettings {
    /// Kept free beside the transformer's weights; `None`: as the worker was started.
    pub(crate) preserve: Option<MemoryAmount>,
    /// Most host memory for weights in transit.
    pub(crate) load_chunk_bytes: u64,
    /// What leaves the device between sampling and decoding.
    pub(crate) offloading: Offloading,
    /// How weights travel.
    pub(crate) backend: MemoryBackend,
}

impl Default for MemorySettings {
    fn default() -> Self {
        Self {
            preserve: None,
            load_chunk_bytes: DEFAULT_CHUNK_MB << 20,
            offloading: Offloading::default(),
            backend: MemoryBackend::default(),
        }
    }
}

impl Default for JobSettings {
    fn default() -> Self {
        Self {
            background: Colour::WHITE,
            attention: AttentionMode::default(),
            memory: MemorySettings::default(),
            vae: VaeSettings::default(),
            overlap: VaeOverlap::default(),
            step_cache: StepCacheWishes::default(),
        }
    }
}

impl JobSettings {
    /// Reads them; an error names the one that this worker does not know, or not in this value.
    pub(crate) fn read(settings: &Settings) -> Result<Self, Error> {
        let mut read = Self::default();
        for (key, value) in settings.iter() {
            let Some(row) = ROWS.into_iter().find(|row| row.key == key) else {
                return Err(Error::Setting { key: key.into() });
            };
            if read.take(row, value).is_none() {
                return Err(Error::SettingValue {
                    key: key.into(),
                    reason: wrong(row, value),
                });
            }
        }
        if read.vae.mode == VaeMode::Reference && read.vae.contradicts_reference() {
            return Err(Error::SettingValue {
                key: VAE_MODE.key.into(),
                reason: "`reference` knows no chunk, cross-fade or quality".into(),
            });
        }
        Ok(read)
    }

    /// Takes one of the rows over; `None` if the value is none.
    fn take(&mut self, row: &Row, value: &Value) -> Option<()> {
        let (memory, vae, cache) = (&mut self.memory, &mut self.vae, &mut self.step_cache);
        match row.key {
            key if key == BACKGROUND.key => self.background = value.text()?.parse().ok()?,
            key if key == ATTENTION.key => self.attention = value.text()?.parse().ok()?,
            key if key == PRESERVE_GB.key => memory.preserve = Some(amount(row, value)?),
            key if key == LOAD_CHUNK_MB.key => {
                memory.load_chunk_bytes = integer(row, value)? << 20;
            }
            key if key == OFFLOAD.key => memory.offloading = Offloading::from_word(value.text()?)?,
            key if key == BACKEND.key => {
                memory.backend = MemoryBackend::from_word(value.text()?)?;
            }
            key if key == VAE_MODE.key => vae.mode = VaeMode::from_word(value.text()?)?,
            key if key == VAE_CHUNK.key => vae.chunk = small_or_auto(row, value)?,
            key if key == VAE_BLEND.key => vae.blend_frames = small_or_auto(row, value)?,
            key if key == VAE_QUALITY.key => {
                vae.has_quality = match value.text()? {
                    "on" => true,
                    "off" => false,
                    _ => return None,
                };
            }
            key if key == VAE_OVERLAP.key => {
                self.overlap = match value.text()? {
                    "auto" => VaeOverlap::Auto,
                    "off" => VaeOverlap::Off,
                    _ => return None,
                };
            }
            key if key == CACHE_KIND.key => {
                cache.kind = Some(StepCacheKind::from_word(value.text()?)?);
            }
            key if key == CACHE_THRESHOLD.key => cache.threshold = number_or_auto(row, value)?,
            key if key == CACHE_RETENTION.key => cache.retention = number_or_auto(row, value)?,
            key if key == CACHE_MAX_SKIP.key => {
                cache.max_skip = small_or_auto(row, value)?.map(u32::from);
            }
            key if key == CACHE_REFRESH.key => {
                cache.refresh = small_or_auto(row, value)?.map(u32::from);
            }
            key if key == CACHE_BUDGET_GB.key => {
                let budget_gb = number_or_auto(row, value)?;
                cache.budget_bytes = budget_gb.map(|gb| (gb * 1e9) as u64);
            }
            key => unreachable!("{key} is a row, and none that is known"),
        }
        Some(())
    }
}

/// What is wrong with a value, with what there is.
fn wrong(row: &Row, value: &Value) -> String {
    if row.key == ATTENTION.key {
        let word = value
            .text()
            .map_or_else(|| value.to_string(), str::to_owned);
        if let Err(error) = word.parse::<AttentionMode>() {
            return error.to_string();
        }
    }
    format!("{value} is no value of it; expected {}", row.kind)
}

fn integer(row: &Row, value: &Value) -> Option<u64> {
    let Kind::Integer { range, .. } = &row.kind else {
        return None;
    };
    let number = value.integer()?;
    range
        .contains(&number)
        .then(|| u64::try_from(number).ok())?
}

/// A number of the row's range, or its word, which leaves it to the worker.
#[expect(
    clippy::option_option,
    reason = "no value of the row, its word, its number"
)]
fn small_or_auto(row: &Row, value: &Value) -> Option<Option<u8>> {
    let Kind::Integer { or, .. } = &row.kind else {
        return None;
    };
    if value.text().is_some() && value.text() == *or {
        return Some(None);
    }
    let number = integer(row, value)?;
    u8::try_from(number).ok().map(Some)
}

/// The same for any number.
#[expect(
    clippy::option_option,
    reason = "no value of the row, its word, its number"
)]
fn number_or_auto(row: &Row, value: &Value) -> Option<Option<f64>> {
    let Kind::Number { range, or } = &row.kind else {
        return None;
    };
    if value.text().is_some() && value.text() == *or {
        return Some(None);
    }
    let number = value.number()?;
    range.contains(&number).then_some(Some(number))
}

fn amount(row: &Row, value: &Value) -> Option<MemoryAmount> {
    let Kind::Number { range, or } = &row.kind else {
        return None;
    };
    let is_known = match value.number() {
        Some(gb) => range.contains(&gb),
        None => value.text() == *or,
    };
    is_known.then(|| MemoryAmount::of(value))
}

#[cfg(test)]
mod tests;
