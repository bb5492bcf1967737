//! [`JobSpec`] to [`ValidSpec`]: defaults, and what only several keys together tell.

use framepack_yaml::{ProblemKind, Problems};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{
    Guidance, JobSpec, Length, OutputSpec, Problem, SeedSpec, Size, Start, ValidSpec, Validated,
    parse::is_name_char, ranges,
};

/// What a job file can't know by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// The file's name without suffix, for jobs without a name.
    pub file_stem: String,
    /// The bundle's latent window, which another one is compared with.
    pub bundle_latent_window: u32,
}

impl JobSpec {
    /// Fills in the defaults, or says what can't do without.
    pub fn validate(self, surroundings: &Surroundings) -> Result<Validated, Problems> {
        let warnings = self.warnings(surroundings);
        let Some(image) = self.image else {
            let problem = Problem::new(
                ProblemKind::MissingKey,
                "start.image",
                "required, but not there",
            );
            return Err(problem.hint("write `start: {image: photo.jpg}`").into());
        };
        let name = self
            .name
            .unwrap_or_else(|| name_from_stem(&surroundings.file_stem));
        let spec = ValidSpec {
            model: self.model.unwrap_or_default(),
            start: Start { image },
            prompt: self.prompt.unwrap_or_default(),
            negative_prompt: self.negative_prompt.unwrap_or_default(),
            seed: self.seed.unwrap_or_default(),
            length: Length {
                secs: self.length_secs.unwrap_or(ranges::LENGTH_SECS.default),
            },
            steps: self.steps,
            guidance: Guidance {
                distilled: self.distilled.unwrap_or(ranges::GUIDANCE_DISTILLED.default),
                cfg: self.cfg.unwrap_or(ranges::GUIDANCE_CFG.default),
                rescale: self.rescale.unwrap_or(ranges::GUIDANCE_RESCALE.default),
            },
            size: Size {
                bucket: self.bucket,
            },
            latent_window: self.latent_window,
            output: OutputSpec {
                dir: self.output_dir.unwrap_or_default(),
                name: self.output_name.unwrap_or_default(),
                crf: self
                    .crf
                    .unwrap_or(ranges::OUTPUT_CRF.default)
                    .min(ranges::MAX_CRF),
            },
        };
        Ok(Validated {
            key: self.key,
            name,
            spec,
            schedule: self.schedule,
            warnings,
        })
    }

    fn warnings(&self, surroundings: &Surroundings) -> Vec<String> {
        let mut warnings = Vec::new();
        let cfg = self.cfg.unwrap_or(ranges::GUIDANCE_CFG.default);
        let is_off = |scale: f64| scale <= ranges::GUIDANCE_CFG.default;
        if is_off(cfg)
            && self
                .negative_prompt
                .as_deref()
                .is_some_and(|text| !text.is_empty())
        {
            warnings.push("negative_prompt: not used, since guidance.cfg is 1".to_owned());
        }
        if is_off(cfg) && self.rescale.is_some_and(|rescale| rescale > 0.0) {
            warnings.push("guidance.rescale: not used, since guidance.cfg is 1".to_owned());
        }
        if let Some(crf) = self.crf
            && crf > ranges::MAX_CRF
        {
            let max = ranges::MAX_CRF;
            warnings.push(format!(
                "output.crf: {crf} is encoded as {max}, x264's largest"
            ));
        }
        if let Some(window) = self.latent_window
            && window != surroundings.bundle_latent_window
        {
            let trained = surroundings.bundle_latent_window;
            warnings.push(format!(
                "latent_window: {window}, but the model is made for {trained}"
            ));
        }
        warnings
    }
}

/// What makes two jobs the same when the user does not say.
#[derive(Serialize)]
struct Canonical<'a> {
    name: &'a str,
    spec: &'a ValidSpec,
    image_sha256: &'a str,
    /// What `seed: random` drew; `None` for every other seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    drawn: Option<u32>,
}

impl Validated {
    /// What makes two submissions the same job: `key` of the file, or else the SHA-256 (hex) of the canonical
    /// job, which is its JSON with all defaults and the start image's SHA-256.
    ///
    /// Comments, order and spelling of the file do not matter; every value that changes the video, or its
    /// name, does. So does the picture itself: the same file with another photo in its place is another job.
    /// With `seed: random` each submission is: `drawn`, the random number that it would use, counts then.
    pub fn key_for(&self, image_sha256: &str, drawn: u32) -> String {
        self.key.clone().unwrap_or_else(|| {
            let canonical = Canonical {
                name: &self.name,
                spec: &self.spec,
                image_sha256,
                drawn: (self.spec.seed == SeedSpec::Random).then_some(drawn),
            };
            let json = serde_json::to_vec(&canonical)
                .expect("string keys and finite numbers always serialise");
            format!("{:x}", Sha256::digest(json))
        })
    }
}

/// A job's name from its file's: what a name can't have becomes `_`.
fn name_from_stem(stem: &str) -> String {
    let name: String = stem
        .chars()
        .take(128)
        .map(|c| if is_name_char(c) { c } else { '_' })
        .collect();
    if name.is_empty() {
        "job".to_owned()
    } else {
        name
    }
}
