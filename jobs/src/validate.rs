//! [`JobSpec`] to [`ValidSpec`]: defaults, and what only several keys together tell.

use framepack_yaml::{ProblemKind, Problems};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{
    JobSpec, Problem, Row, SeedSpec, Settings, ValidSpec, Validated, Value, name,
    settings::{
        self, Farm, IMAGE, Inactive, MAX_CRF, OUTPUT_CRF, Origin, Origins, PRESERVE_GB, PRESET,
        PROFILE, Scope, TABLE,
    },
    unavailable::not_possible,
};

/// What a job file can't know by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Surroundings {
    /// The file's name without suffix, for jobs without a name.
    pub file_stem: String,
    /// The bundle's latent window, which another one is compared with.
    pub bundle_latent_window: u32,
    /// What the farm's configuration says for jobs that do not say.
    pub farm: Farm,
}

impl JobSpec {
    /// Fills in the defaults, or says what can't do without.
    pub fn validate(self, surroundings: &Surroundings) -> Result<Validated, Problems> {
        if self.settings.get(&IMAGE).is_none() {
            let problem = Problem::new(ProblemKind::MissingKey, IMAGE.key, "required, but missing");
            return Err(problem.hint("write `start: {image: photo.jpg}`").into());
        }
        let farm = &surroundings.farm;
        let (own, mut origins) = self.own(farm)?;
        let name = self
            .name
            .unwrap_or_else(|| name::from_stem(&surroundings.file_stem, "job"));
        lacked(&own, &origins, farm)?;
        let inactive = inactive(&own, &origins, farm);
        let own = of_jobs(own);
        origins.retain(|key, _| own.has(key));
        let (farm_defaults, farm_origins) = farm.defaults_for(&origins).into_parts();
        let mut spec = ValidSpec::default().with(&own);
        spec.output.dir = self.output_dir.unwrap_or_default();
        spec.output.name = self.output_name.unwrap_or_default();
        let rendered = spec.clone().with(&farm_defaults);
        let mut warnings = self.warnings;
        warnings.extend(remarks(&rendered, surroundings));
        warnings.extend(
            own.get(&PRESERVE_GB)
                .and_then(|value| PRESERVE_GB.caution(value)),
        );
        warnings.extend(inactive);
        let said = own.get(&OUTPUT_CRF);
        let said = said.or_else(|| farm_defaults.get(&OUTPUT_CRF));
        let crf: Option<i64> = said.and_then(Value::integer);
        warnings.extend(crf.and_then(crf_warning));
        origins.extend(farm_origins);
        Ok(Validated {
            origins,
            key: self.key,
            name,
            spec,
            farm_defaults,
            schedule: self.schedule,
            warnings,
        })
    }
}

impl JobSpec {
    /// What the job sets, itself and by the profile and presets that it names, from the weakest on.
    fn own(&self, farm: &Farm) -> Result<(Settings, Origins), Problem> {
        let (profile, presets) = (self.settings.get(&PROFILE), self.settings.get(&PRESET));
        let layers = settings::layers(profile, presets, farm.presets()).map_err(|mistake| {
            let is_set_beside = self.origins.get(PRESET.key) == Some(&Origin::Set);
            let path = if is_set_beside {
                "--set preset"
            } else {
                PRESET.key
            };
            Problem::at(path, mistake)
        })?;
        let (mut own, mut origins) = (Settings::default(), Origins::new());
        for (origin, settings) in layers {
            for (key, value) in settings.iter() {
                own.set(key, value.clone());
                origins.insert(key.to_owned(), origin.clone());
            }
        }
        for (key, value) in self.settings.iter() {
            own.set(key, value.clone());
        }
        origins.extend(self.origins.clone());
        Ok((own, origins))
    }
}

/// Those that a job can have.
fn of_jobs(settings: Settings) -> Settings {
    let mut of_jobs = settings;
    for row in TABLE.into_iter().filter(|row| row.scope == Scope::Farm) {
        of_jobs.unset(row.key);
    }
    of_jobs
}

/// Refuses what the job itself asks for and no device of the farm can do.
fn lacked(own: &Settings, origins: &Origins, farm: &Farm) -> Result<(), Problems> {
    let mut problems = Problems::default();
    for row in TABLE {
        let path = match origins.get(row.key) {
            Some(Origin::Job) => row.key.to_owned(),
            Some(Origin::Set) => format!("--set {}", row.key),
            _ => continue,
        };
        if let Some(reason) = own
            .get(row)
            .and_then(|value| farm.lacks().refuses(row, value))
        {
            problems.push(not_possible(path, reason));
        }
    }
    problems.or(())
}

/// What is asked for that the job runs without, and what of its profile is none of a job's.
fn inactive(own: &Settings, origins: &Origins, farm: &Farm) -> Vec<String> {
    let of_farm = |row: &'static Row| match row.scope {
        Scope::Farm => farm.get(row).zip(farm.origin(row)),
        Scope::Job | Scope::Both => farm.for_job(row, origins),
    };
    let said = |row: &'static Row| {
        let of_job = own.get(row).zip(origins.get(row.key));
        of_job.or_else(|| of_farm(row))
    };
    // A worker is started with the farm's, whatever a job's profile says.
    let acting = |row: &'static Row| {
        let (value, origin) = match row.scope {
            Scope::Farm => of_farm(row)?,
            Scope::Job | Scope::Both => said(row)?,
        };
        Some((value.clone(), origin.clone()))
    };
    let inactive = Inactive::among(acting, farm.lacks());
    let mut found = Vec::new();
    for row in TABLE {
        let Some((value, origin)) = said(row) else {
            continue;
        };
        let is_the_farms = row.scope == Scope::Farm && farm.get(row) != Some(value);
        let reason = match inactive.reason(row, value) {
            _ if is_the_farms => {
                "a worker is started with it: it is set in the daemon's configuration"
            }
            Some(reason) => reason,
            None => continue,
        };
        found.push(format!(
            "{}: inactive: {reason} ({value}, from {origin})",
            row.key
        ));
    }
    found
}

/// What is accepted but will not do what the user may expect.
fn remarks(spec: &ValidSpec, surroundings: &Surroundings) -> Vec<String> {
    let mut warnings = Vec::new();
    let is_guided = spec.guidance.cfg > 1.0;
    if !is_guided && !spec.negative_prompt.is_empty() {
        warnings.push("negative_prompt: not used, since guidance.cfg is 1".to_owned());
    }
    if !is_guided && spec.guidance.rescale > 0.0 {
        warnings.push("guidance.rescale: not used, since guidance.cfg is 1".to_owned());
    }
    let trained = surroundings.bundle_latent_window;
    if let Some(window) = spec.latent_window
        && window != trained
    {
        warnings.push(format!(
            "latent_window: {window}, but the model was trained for {trained}"
        ));
    }
    warnings
}

/// What a rate factor costs that x264 takes otherwise than asked, or players refuse.
fn crf_warning(crf: i64) -> Option<String> {
    if crf == 0 {
        return Some(
            "output.crf: 0 is lossless, in H.264's profile High 4:4:4 Predictive, which browsers, Windows and \
             telephones refuse to play; 1 looks the same and plays everywhere"
                .to_owned(),
        );
    }
    (crf > i64::from(MAX_CRF))
        .then(|| format!("output.crf: {crf} is encoded as {MAX_CRF}, the maximum of x264"))
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
    /// job, which is its JSON with all defaults and the start image's SHA-256. Settings that came after the first
    /// version are in it only where they differ from their defaults, and the farm's defaults are not.
    ///
    /// Comments, order and spelling of the file do not matter; every value that changes the video, or its
    /// name, does. So does the image itself: the same file with another photo in its place is another job.
    /// With `seed: random` each submission is: `drawn`, the random number that it would use, counts then.
    pub fn key_for(&self, image_sha256: &str, drawn: u32) -> String {
        self.key.clone().unwrap_or_else(|| {
            let drawn = (self.spec.seed == SeedSpec::Random).then_some(drawn);
            derived_key(&self.name, &self.spec, image_sha256, drawn)
        })
    }
}

/// The key of a job whose file has none.
pub(crate) fn derived_key(
    name: &str,
    spec: &ValidSpec,
    image_sha256: &str,
    drawn: Option<u32>,
) -> String {
    let canonical = Canonical {
        name,
        spec,
        image_sha256,
        drawn,
    };
    let json =
        serde_json::to_vec(&canonical).expect("string keys and finite numbers always serialise");
    format!("{:x}", Sha256::digest(json))
}
