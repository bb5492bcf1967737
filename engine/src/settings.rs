//! The settings of a job that have no field of their own in its request, read as the worker carries them out.

use framepack_jobs::{
    MemoryAmount, MemoryBackend, Offloading, Row, Settings, Value,
    picture::Colour,
    settings::{ATTENTION, BACKEND, BACKGROUND, Kind, LOAD_CHUNK_MB, OFFLOAD, PRESERVE_GB},
};

use crate::{
    error::Error,
    nn::attention::{AttentionMode, UnknownMode},
};

const DEFAULT_CHUNK_MB: u64 = 256;

/// What a job says, or the defaults.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JobSettings {
    /// What shows where the start image is transparent.
    pub(crate) background: Colour,
    /// How the attention is to be computed.
    pub(crate) attention: AttentionMode,
    pub(crate) memory: MemorySettings,
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
        }
    }
}

impl JobSettings {
    /// Reads them; an error names the one that this worker does not know, or not in this value.
    pub(crate) fn read(settings: &Settings) -> Result<Self, Error> {
        let mut read = Self::default();
        for (key, value) in settings.iter() {
            if key == ATTENTION.key {
                read.attention = attention(value)?;
                continue;
            }
            let known = read.take(key, value);
            known.ok_or_else(|| Error::Setting { key: key.into() })?;
        }
        Ok(read)
    }

    /// Takes one over; `None` if it can't be.
    fn take(&mut self, key: &str, value: &Value) -> Option<()> {
        let memory = &mut self.memory;
        match key {
            _ if key == BACKGROUND.key => self.background = value.text()?.parse().ok()?,
            _ if key == PRESERVE_GB.key => memory.preserve = Some(amount(&PRESERVE_GB, value)?),
            _ if key == LOAD_CHUNK_MB.key => {
                memory.load_chunk_bytes = integer(&LOAD_CHUNK_MB, value)? << 20;
            }
            _ if key == OFFLOAD.key => {
                memory.offloading = Offloading::from_word(word(&OFFLOAD, value)?)?;
            }
            _ if key == BACKEND.key => {
                memory.backend = MemoryBackend::from_word(word(&BACKEND, value)?)?;
            }
            _ => return None,
        }
        Some(())
    }
}

/// The mode that a value names.
fn attention(value: &Value) -> Result<AttentionMode, Error> {
    let word = value
        .text()
        .map_or_else(|| value.to_string(), str::to_owned);
    word.parse()
        .map_err(|error: UnknownMode| Error::SettingValue {
            key: ATTENTION.key.into(),
            reason: error.to_string(),
        })
}

fn word<'a>(row: &Row, value: &'a Value) -> Option<&'a str> {
    let Kind::Word { words, .. } = &row.kind else {
        return None;
    };
    value.text().filter(|word| words.contains(word))
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
    fn each_key_sets_its_own_field() {
        let memory = |memory| JobSettings {
            memory,
            ..JobSettings::default()
        };
        let default = MemorySettings::default();
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
    fn an_unknown_key_or_value_is_refused_by_its_name() {
        for (key, value) in [
            ("vae.chunk", Value::Integer(3)),
            ("memory.host_budget_gb", Value::Number(8.0)),
            ("start.background", "white".into()),
            ("start.background", Value::Integer(0)),
            ("memory.preserve_gb", Value::Number(1.9)),
            ("memory.preserve_gb", Value::Number(129.0)),
            ("memory.preserve_gb", Value::Number(f64::NAN)),
            ("memory.preserve_gb", "6".into()),
            ("memory.load_chunk_mb", Value::Integer(63)),
            ("memory.load_chunk_mb", Value::Integer(1025)),
            ("memory.load_chunk_mb", Value::Integer(-64)),
            ("memory.load_chunk_mb", Value::Number(64.5)),
            ("memory.load_chunk_mb", "256".into()),
            ("memory.offload", "Normal".into()),
            ("memory.backend", "v3".into()),
            ("memory.backend", Value::Integer(2)),
        ] {
            let said = read(key, value.clone()).unwrap_err();
            let expected = format!("{key} is not available in this version of the worker");
            assert_eq!(said, expected, "{value}");
        }
        let modes = "is not an attention mode; expected one of auto, off, standard, aggressive";
        for (value, expected) in [
            (Value::Integer(1), format!("attention: \"1\" {modes}")),
            ("sage".into(), format!("attention: \"sage\" {modes}")),
            (
                "of".into(),
                format!("attention: \"of\" {modes} (did you mean `off`?)"),
            ),
        ] {
            assert_eq!(read("attention", value).unwrap_err(), expected);
        }
    }
}
