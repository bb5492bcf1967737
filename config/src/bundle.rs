//! `framepack.json` of a model bundle: what its model is made for.

use std::{fs, io, path::Path};

use crate::{ConfigError, Problems, Table, parameters, yaml};

/// What a bundle prefers; FramePack's own values where it does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BundleDefaults {
    /// Side in pixels of the square with about the video's area.
    pub bucket_px: u32,
    /// Latent frames a section.
    pub latent_window: u32,
    /// Denoising steps.
    pub steps: u32,
}

impl Default for BundleDefaults {
    fn default() -> Self {
        Self {
            bucket_px: parameters::DEFAULT_BUCKET_PX,
            latent_window: parameters::LATENT_WINDOW.default,
            steps: parameters::STEPS.default,
        }
    }
}

impl BundleDefaults {
    /// Reads `framepack.json` in `bundle`, if there is one.
    pub fn read(bundle: &Path) -> Result<Self, ConfigError> {
        let path = bundle.join("framepack.json");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(ConfigError::Unreadable { path, error }),
        };
        parse(&text).map_err(|problems| ConfigError::Invalid { path, problems })
    }
}

/// JSON is YAML, as far as these keys go.
fn parse(text: &str) -> Result<BundleDefaults, Problems> {
    let root = yaml::parse(text)?;
    let mut problems = Problems::default();
    let keys = ["default_bucket", "latent_window", "steps"];
    let table = Table::root(&root, &keys, &mut problems);
    let or = BundleDefaults::default();
    let defaults = BundleDefaults {
        bucket_px: table
            .integer("default_bucket", &(1..=4096), &mut problems)
            .unwrap_or(or.bucket_px),
        latent_window: table
            .integer(
                "latent_window",
                &parameters::LATENT_WINDOW.range,
                &mut problems,
            )
            .unwrap_or(or.latent_window),
        steps: table
            .integer("steps", &parameters::STEPS.range, &mut problems)
            .unwrap_or(or.steps),
    };
    problems
        .or(defaults)
        .map_err(|problems| problems.located_in(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_framepacks() {
        let defaults = parse(r#"{"default_bucket": 128, "steps": 8}"#).unwrap();
        assert_eq!(
            defaults,
            BundleDefaults {
                bucket_px: 128,
                latent_window: 9,
                steps: 8
            }
        );
    }

    #[test]
    fn a_wrong_value_has_its_place() {
        let problems = parse("{\n  \"steps\": 0\n}").unwrap_err();
        assert_eq!(
            problems.to_string(),
            "line 2, column 12: steps: 0 is not in 1 to 100"
        );
    }

    #[test]
    fn a_bundle_without_the_file_has_framepacks_defaults() {
        let bundle = tempfile::tempdir().unwrap();
        let defaults = BundleDefaults::read(bundle.path()).unwrap();
        assert_eq!(defaults, BundleDefaults::default());
    }
}
