//! The settings of a job that have no field of their own in its request, read as the worker carries them out.

use framepack_jobs::{
    MemoryAmount, MemoryBackend, Offloading, Row, Settings, Value,
    picture::Colour,
    settings::{
        ATTENTION, BACKEND, BACKGROUND, Kind, LOAD_CHUNK_MB, OFFLOAD, PRESERVE_GB, VAE_BLEND,
        VAE_CHUNK, VAE_MODE, VAE_QUALITY,
    },
};

use crate::{error::Error, nn::attention::AttentionMode};

const DEFAULT_CHUNK_MB: u64 = 256;

/// What a request may have.
static ROWS: [&Row; 10] = [
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
        let (memory, vae) = (&mut self.memory, &mut self.vae);
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
mod tests {
    use super::*;

    fn read(key: &str, value: Value) -> Result<JobSettings, String> {
        let mut settings = Settings::default();
        settings.set(key, value);
        JobSettings::read(&settings).map_err(|error| {
            assert_eq!(error.failure().code, "FP2105");
            error.to_string()
        })
    }

    #[test]
    fn what_is_not_said_is_the_default() {
        let settings = JobSettings::read(&Settings::default()).unwrap();
        assert_eq!(settings, JobSettings::default());
        assert_eq!(settings.background, Colour::WHITE);
        let memory = settings.memory;
        assert_eq!(memory.preserve, None);
        let default = |row: &Row| row.default_value().unwrap();
        let chunk_mb = Value::Integer((memory.load_chunk_bytes >> 20) as i64);
        assert_eq!(chunk_mb, default(&LOAD_CHUNK_MB));
        let offload = Value::from(memory.offloading.as_str());
        assert_eq!(offload, default(&OFFLOAD));
        assert_eq!(Value::from(memory.backend.as_str()), default(&BACKEND));
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn each_key_sets_its_own_field() {
        let memory = |memory| JobSettings {
            memory,
            ..JobSettings::default()
        };
        let default = MemorySettings::default();
        let vae = |vae| JobSettings {
            vae,
            ..JobSettings::default()
        };
        let reference = VaeSettings {
            mode: VaeMode::Reference,
            ..VaeSettings::default()
        };
        for (key, value, expected) in [
            (
                "start.background",
                "#000000".into(),
                JobSettings {
                    background: "#000000".parse().unwrap(),
                    ..JobSettings::default()
                },
            ),
            (
                "attention",
                "aggressive".into(),
                JobSettings {
                    attention: AttentionMode::Aggressive,
                    ..JobSettings::default()
                },
            ),
            (
                "vae.mode",
                "chunked".into(),
                vae(VaeSettings {
                    mode: VaeMode::Chunked,
                    ..VaeSettings::default()
                }),
            ),
            ("vae.mode", "reference".into(), vae(reference)),
            ("vae.mode", "auto".into(), vae(VaeSettings::default())),
            (
                "vae.chunk",
                Value::Integer(8),
                vae(VaeSettings {
                    chunk: Some(8),
                    ..VaeSettings::default()
                }),
            ),
            ("vae.chunk", "auto".into(), vae(VaeSettings::default())),
            (
                "vae.blend",
                Value::Integer(0),
                vae(VaeSettings {
                    blend_frames: Some(0),
                    ..VaeSettings::default()
                }),
            ),
            (
                "vae.quality",
                "on".into(),
                vae(VaeSettings {
                    has_quality: true,
                    ..VaeSettings::default()
                }),
            ),
            ("vae.quality", "off".into(), vae(VaeSettings::default())),
            (
                "memory.preserve_gb",
                Value::Number(2.5),
                memory(MemorySettings {
                    preserve: Some(MemoryAmount::Bytes(5 << 29)),
                    ..default
                }),
            ),
            (
                "memory.preserve_gb",
                Value::Integer(128),
                memory(MemorySettings {
                    preserve: Some(MemoryAmount::Bytes(128 << 30)),
                    ..default
                }),
            ),
            (
                "memory.preserve_gb",
                "auto".into(),
                memory(MemorySettings {
                    preserve: Some(MemoryAmount::Auto),
                    ..default
                }),
            ),
            (
                "memory.load_chunk_mb",
                Value::Integer(64),
                memory(MemorySettings {
                    load_chunk_bytes: 64 << 20,
                    ..default
                }),
            ),
            (
                "memory.offload",
                "aggressive".into(),
                memory(MemorySettings {
                    offloading: Offloading::Aggressive,
                    ..default
                }),
            ),
            (
                "memory.backend",
                "v1".into(),
                memory(MemorySettings {
                    backend: MemoryBackend::V1,
                    ..default
                }),
            ),
        ] {
            assert_eq!(read(key, value), Ok(expected), "{key}");
        }
    }

    #[test]
    fn the_reference_and_a_chunk_contradict_each_other() {
        for (key, value) in [
            ("vae.chunk", Value::Integer(2)),
            ("vae.blend", Value::Integer(0)),
            ("vae.quality", "on".into()),
        ] {
            let mut settings = Settings::default();
            settings.set("vae.mode", "reference".into());
            settings.set(key, value);
            let said = JobSettings::read(&settings).unwrap_err().to_string();
            assert!(said.starts_with("vae.mode: "), "{said}");
        }
    }

    #[test]
    fn an_unknown_key_or_value_is_refused_by_its_name() {
        for key in ["cache.kind", "memory.host_budget_gb", "memory.preserve"] {
            let said = read(key, Value::Integer(8)).unwrap_err();
            let expected = format!("{key} is not available in this version of the worker");
            assert_eq!(said, expected);
        }
        for (key, value, expected) in [
            ("start.background", "white".into(), "colour"),
            ("start.background", Value::Integer(0), "colour"),
            ("attention", Value::Integer(1), "auto, off, standard"),
            (
                "attention",
                "agressive".into(),
                "did you mean `aggressive`?",
            ),
            ("vae.chunk", Value::Integer(0), "1 to 8"),
            ("vae.chunk", Value::Integer(9), "1 to 8"),
            ("vae.chunk", "2".into(), "1 to 8"),
            ("vae.blend", Value::Integer(17), "0 to 16"),
            ("vae.blend", Value::Number(4.5), "0 to 16"),
            ("vae.mode", "chunks".into(), "`chunked`"),
            ("vae.quality", "yes".into(), "on"),
            ("memory.preserve_gb", Value::Number(1.9), "2 to 128"),
            ("memory.preserve_gb", Value::Number(129.0), "2 to 128"),
            ("memory.preserve_gb", Value::Number(f64::NAN), "2 to 128"),
            ("memory.preserve_gb", "6".into(), "2 to 128"),
            ("memory.load_chunk_mb", Value::Integer(63), "64 to 1024"),
            ("memory.load_chunk_mb", Value::Integer(1025), "64 to 1024"),
            ("memory.load_chunk_mb", Value::Integer(-64), "64 to 1024"),
            ("memory.load_chunk_mb", Value::Number(64.5), "64 to 1024"),
            ("memory.load_chunk_mb", "256".into(), "64 to 1024"),
            ("memory.offload", "Normal".into(), "aggressive"),
            ("memory.backend", "v3".into(), "v2"),
            ("memory.backend", Value::Integer(2), "v2"),
        ] {
            let said = read(key, value.clone()).unwrap_err();
            assert!(said.starts_with(&format!("{key}: ")), "{said}");
            assert!(said.contains(expected), "{value}: {said}");
        }
    }
}
