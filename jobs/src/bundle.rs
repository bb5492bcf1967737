//! `framepack.json` of a model bundle: what its model is made for.

use framepack_yaml::{Document, Node, Problems};

use crate::{
    Row, StepCacheKind, Value,
    settings::{CACHE_KIND, DEFAULT_BUCKET_PX, LATENT_WINDOW, STEPS},
};

/// What a bundle prefers; FramePack's own values where it does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BundleDefaults {
    /// Side in pixels of the square with about the video's area.
    pub bucket_px: u32,
    /// Latent frames a section.
    pub latent_window: u32,
    /// Denoising steps.
    pub steps: u32,
    /// Whether its one transformer renders the jobs of both models.
    pub renders_f1: bool,
    /// The step cache of jobs that name none; `None`: it does not say, and the transformer's sizes decide.
    pub step_cache: Option<StepCacheKind>,
}

impl Default for BundleDefaults {
    fn default() -> Self {
        Self {
            bucket_px: DEFAULT_BUCKET_PX,
            latent_window: 9,
            steps: 25,
            renders_f1: false,
            step_cache: None,
        }
    }
}

impl BundleDefaults {
    /// Name of the file in a bundle's folder; it need not be there.
    pub const FILE: &str = "framepack.json";

    /// What the text of [`Self::FILE`] says. JSON is YAML, as far as its keys go.
    pub fn parse(text: &str) -> Result<Self, Problems> {
        let root = framepack_yaml::parse(text)?;
        let mut document = Document::new(&root);
        let or = Self::default();
        let mut setting = |key, row: &Row, or| {
            let value = document.value(key, |node| row.read(node));
            value.as_ref().and_then(Value::integer).unwrap_or(or)
        };
        let latent_window = setting("latent_window", &LATENT_WINDOW, or.latent_window);
        let steps = setting("steps", &STEPS, or.steps);
        let bucket = document.value("default_bucket", |node| node.integer(&(1..=4096)));
        let renders_f1 = document.value("renders_f1", Node::boolean);
        let step_cache = document.value("cache", |node| CACHE_KIND.read(node));
        let step_cache = step_cache.as_ref().and_then(Value::text);
        let defaults = Self {
            step_cache: step_cache.and_then(StepCacheKind::from_word),
            bucket_px: bucket.unwrap_or(or.bucket_px),
            latent_window,
            steps,
            renders_f1: renders_f1.unwrap_or(or.renders_f1),
        };
        document
            .finish()
            .or(defaults)
            .map_err(|problems| problems.located_in(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_framepacks() {
        let defaults = BundleDefaults::parse(r#"{"default_bucket": 128, "steps": 8}"#).unwrap();
        assert_eq!(
            defaults,
            BundleDefaults {
                bucket_px: 128,
                latent_window: 9,
                steps: 8,
                renders_f1: false,
                step_cache: None,
            }
        );
        let cached = BundleDefaults::parse(r#"{"cache": "magcache"}"#).unwrap();
        assert_eq!(cached.step_cache, Some(StepCacheKind::MagCache));
        let shared = BundleDefaults::parse(r#"{"renders_f1": true}"#).unwrap();
        assert!(shared.renders_f1);
    }

    #[test]
    fn a_wrong_value_has_its_place() {
        let problems = BundleDefaults::parse("{\n  \"steps\": 0\n}").unwrap_err();
        assert_eq!(
            problems.to_string(),
            "line 2, column 12: steps: 0 is out of range (1 to 100)"
        );
    }
}
