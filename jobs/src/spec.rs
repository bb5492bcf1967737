//! The job file `framepack/v1`: what the user wrote, and the same once it is valid.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{
    Guidance, Model, NameTemplate, Schedule, SeedSpec, Settings, Value,
    settings::{self, Origins, Row, TABLE},
};

/// Value of `api` in a job file.
pub const API: &str = "framepack/v1";

/// A prompt of so many bytes is read to its end: CLIP reads 75 tokens, and none is shorter than a byte.
const SURELY_READ_BYTES: usize = 75;

/// The prompts of a job that are used and may be longer than they are read, with their keys in a job file.
pub fn long_prompts<'a>(
    prompt: &'a str,
    negative_prompt: &'a str,
    guidance: &Guidance,
) -> Vec<(&'static str, &'a str)> {
    let negative = (guidance.cfg > 1.0).then_some(("negative_prompt", negative_prompt));
    let used = [("prompt", prompt)].into_iter().chain(negative);
    used.filter(|(_, prompt)| prompt.len() > SURELY_READ_BYTES)
        .collect()
}

/// A job file as the user wrote it: every value of the right type and in its range, absent ones `None`.
///
/// Made by [`JobSpec::parse`]; [`JobSpec::validate`] fills in what was left out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JobSpec {
    pub(crate) name: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) output_dir: Option<PathBuf>,
    pub(crate) output_name: Option<NameTemplate>,
    pub(crate) schedule: Schedule,
    /// The keys of the table that it has, or that were set beside it.
    pub(crate) settings: Settings,
    /// Where each of them comes from.
    pub(crate) origins: Origins,
    /// What reads otherwise than it looks.
    pub(crate) warnings: Vec<String>,
}

/// What [`JobSpec::validate`] makes of a job file.
#[derive(Debug, Clone, PartialEq)]
pub struct Validated {
    /// The job's name: `name`, or the file's stem.
    pub name: String,
    /// `key` of the file, if it has one; [`Validated::key_for`] is the job's.
    pub key: Option<String>,
    /// What to render, as the file says.
    pub spec: ValidSpec,
    /// What the farm's configuration says where the file does not; no part of the key.
    pub farm_defaults: Settings,
    /// Where each value of both comes from.
    pub origins: Origins,
    /// When.
    pub schedule: Schedule,
    /// What is accepted but will not do what the user may expect.
    pub warnings: Vec<String>,
}

/// A job that can be queued. In JSON its keys are those of the job file.
///
/// `None` leaves the choice to the model bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValidSpec {
    /// Checkpoint and section order.
    pub model: Model,
    /// Where the video starts.
    pub start: Start,
    /// What should happen.
    pub prompt: String,
    /// What should not; used only when `guidance.cfg` is not 1.
    pub negative_prompt: String,
    /// Where the noise comes from.
    pub seed: SeedSpec,
    /// Wanted length.
    pub length: Length,
    /// Denoising steps, 1 to 100.
    pub steps: Option<u32>,
    /// Guidance scales.
    pub guidance: Guidance,
    /// Size of the video.
    pub size: Size,
    /// Latent frames a section, 1 to 33.
    pub latent_window: Option<u32>,
    /// Where and how the video is written.
    pub output: OutputSpec,
    /// Settings of the table that have no field of their own, where they differ from their defaults.
    #[serde(default, skip_serializing_if = "Settings::is_empty")]
    pub settings: Settings,
}

impl Default for ValidSpec {
    /// Every setting at its default.
    fn default() -> Self {
        let mut spec = Self {
            model: Model::default(),
            start: Start {
                image: PathBuf::new(),
            },
            prompt: String::new(),
            negative_prompt: String::new(),
            seed: SeedSpec::default(),
            length: Length { secs: 0.0 },
            steps: None,
            guidance: Guidance::default(),
            size: Size { bucket: None },
            latent_window: None,
            output: OutputSpec {
                dir: PathBuf::new(),
                name: NameTemplate::default(),
                crf: 0,
            },
            settings: Settings::default(),
        };
        for row in TABLE {
            if let Some(value) = row.default_value() {
                spec.set(row, &value);
            }
        }
        spec
    }
}

impl ValidSpec {
    /// The same with these settings.
    #[must_use]
    pub fn with(mut self, settings: &Settings) -> Self {
        for row in TABLE {
            if let Some(value) = settings.get(row) {
                self.set(row, value);
            }
        }
        self
    }

    /// What differs from `other`, row by row: `steps: 25 instead of 20`.
    pub fn difference(&self, other: &Self) -> Vec<String> {
        let said = |value: Option<Value>| {
            value.map_or_else(|| "the default".to_owned(), |value| value.to_string())
        };
        let rows = TABLE
            .iter()
            .map(|row| (row.key, self.get(row), other.get(row)));
        let differing = rows.filter(|(_, mine, others)| mine != others);
        differing
            .map(|(key, mine, others)| format!("{key}: {} instead of {}", said(mine), said(others)))
            .collect()
    }

    /// The value of a row; `None` where the bundle decides.
    pub(crate) fn get(&self, row: &Row) -> Option<Value> {
        let integer = |value: Option<u32>| value.map(|value| Value::Integer(value.into()));
        match row.key {
            "model" => Some(Value::from(self.model.as_str())),
            "start.image" => Some(Value::from(self.start.image.to_string_lossy().as_ref())),
            "prompt" => Some(Value::from(self.prompt.as_str())),
            "negative_prompt" => Some(Value::from(self.negative_prompt.as_str())),
            "seed" => Some(Value::Text(self.seed.to_string())),
            "length.seconds" => Some(Value::Number(self.length.secs)),
            "steps" => integer(self.steps),
            "guidance.distilled" => Some(Value::Number(self.guidance.distilled)),
            "guidance.cfg" => Some(Value::Number(self.guidance.cfg)),
            "guidance.rescale" => Some(Value::Number(self.guidance.rescale)),
            "size.bucket" => integer(self.size.bucket),
            "latent_window" => integer(self.latent_window),
            "output.crf" => Some(Value::Integer(self.output.crf.into())),
            _ => self
                .settings
                .get(row)
                .cloned()
                .or_else(|| row.default_value()),
        }
    }

    /// Puts a value into its field; one of another type, which the row never reads, changes nothing.
    fn set(&mut self, row: &Row, value: &Value) {
        let text = || value.text().map(str::to_owned);
        let or = |number: Option<f64>, old: f64| number.unwrap_or(old);
        match row.key {
            "model" => self.model = value.text().and_then(Model::named).unwrap_or(self.model),
            "start.image" => self.start.image = text().map_or_else(PathBuf::new, PathBuf::from),
            "prompt" => self.prompt = text().unwrap_or_default(),
            "negative_prompt" => self.negative_prompt = text().unwrap_or_default(),
            "seed" => {
                let seed = value.text().and_then(|text| text.parse().ok());
                self.seed = seed.unwrap_or(self.seed);
            }
            "length.seconds" => self.length.secs = or(value.number(), self.length.secs),
            "steps" => self.steps = value.integer(),
            "guidance.distilled" => {
                self.guidance.distilled = or(value.number(), self.guidance.distilled);
            }
            "guidance.cfg" => self.guidance.cfg = or(value.number(), self.guidance.cfg),
            "guidance.rescale" => self.guidance.rescale = or(value.number(), self.guidance.rescale),
            "size.bucket" => self.size.bucket = value.integer(),
            "latent_window" => self.latent_window = value.integer(),
            "output.crf" => {
                let crf = value.integer().unwrap_or(self.output.crf);
                self.output.crf = crf.min(settings::MAX_CRF);
            }
            key if row.default_value().as_ref() == Some(value) => self.settings.unset(key),
            key => self.settings.set(key, value.clone()),
        }
    }
}

/// Where the video starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// The start image, as written: absolute, or relative to the job file's folder.
    pub image: PathBuf,
}

/// Wanted length.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Length {
    /// Seconds, 1 to 120. The video has the nearest whole number of sections.
    #[serde(rename = "seconds")]
    pub secs: f64,
}

/// Size of the video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Side in pixels of the square with about the video's area; the image's shape decides the rest.
    pub bucket: Option<u32>,
}

/// Where and how the video is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputSpec {
    /// Folder below the daemon's outputs; empty = the outputs folder itself.
    pub dir: PathBuf,
    /// The file's name without suffix, with `{name}` and `{seed}` open.
    pub name: NameTemplate,
    /// H.264 constant rate factor, 0 to 51.
    pub crf: u8,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Counts, Fallback, Kind, Scope, Standing};

    static STRENGTH: Row = Row {
        key: "end.strength",
        kind: Kind::Integer {
            range: 0..=9,
            or: Some("auto"),
        },
        default: Fallback::Text("auto"),
        scope: Scope::Both,
        counts: Counts::AtSubmission,
        standing: Standing::Built,
        original: &[],
        about: "a setting of a later version",
    };

    #[test]
    fn every_row_of_a_job_is_read_back_as_it_was_set() {
        for row in TABLE {
            let Some(default) = row.default_value() else {
                continue;
            };
            assert_eq!(ValidSpec::default().get(row), Some(default), "{}", row.key);
        }
        let (old, mut spec) = (ValidSpec::default(), ValidSpec::default());
        spec.steps = Some(20);
        spec.guidance.cfg = 2.0;
        let expected = [
            "steps: 20 instead of the default",
            "guidance.cfg: 2.0 instead of 1.0",
        ];
        assert_eq!(spec.difference(&old), expected);
    }

    #[test]
    fn a_new_setting_at_its_default_leaves_a_jobs_json_as_it_was() {
        let json = |spec: &ValidSpec| serde_json::to_string(spec).unwrap();
        let (old, mut spec) = (ValidSpec::default(), ValidSpec::default());
        let read = |text| STRENGTH.read_text(text).unwrap();
        spec.set(&STRENGTH, &read("auto"));
        assert_eq!(json(&spec), json(&old));
        spec.set(&STRENGTH, &read("3"));
        assert_ne!(json(&spec), json(&old));
        assert_eq!(spec.settings.get(&STRENGTH), Some(&Value::Integer(3)));
        assert_eq!(
            serde_json::from_str::<ValidSpec>(&json(&spec)).unwrap(),
            spec
        );
        // A job that says the default is not changed by the farm's.
        spec.set(&STRENGTH, &read("auto"));
        assert_eq!(spec, old);
    }
}
