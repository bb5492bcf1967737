//! The settings that a job was rendered with, and where each comes from.

use serde_json::Value as Json;

use super::{
    farm::Farm,
    inactive::Inactive,
    origin::{Origin, Setting},
    row::{Counts, Kind, Row, Scope},
    table::{
        ATTENTION, BACKEND, BACKGROUND, BUCKET, CACHE_BUDGET_GB, CACHE_KIND, CACHE_MAX_SKIP,
        CACHE_REFRESH, CACHE_RETENTION, CACHE_THRESHOLD, LATENT_WINDOW, LOAD_CHUNK_MB, OFFLOAD,
        PRESERVE_GB, STEPS, TABLE, VAE_BLEND, VAE_CHUNK, VAE_MODE, VAE_OVERLAP, VAE_QUALITY,
    },
    value::{Settings, Value},
};
use crate::{BundleDefaults, Job, ValidSpec};

/// What a worker has to know of a job that has no field of its own in its request.
static WORKER_ROWS: [&Row; 17] = [
    &BACKGROUND,
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
    &ATTENTION,
    &PRESERVE_GB,
    &LOAD_CHUNK_MB,
    &OFFLOAD,
    &BACKEND,
];

/// The settings without a field of their own that the worker of a job has to know which begins now, where they differ
/// from their defaults or from what the worker was started with. What does nothing is not among them.
pub fn for_worker(job: &Job, farm: &Farm) -> Settings {
    let mut settings = Settings::default();
    let spec = job.rendered_spec();
    let inactive = Inactive::among(|row| of_job((job, &spec), farm, row), farm.lacks());
    for row in WORKER_ROWS {
        let value = match row.counts {
            Counts::AtSubmission => spec.get(row),
            Counts::AtStart => of_job((job, &spec), farm, row).map(|(value, _)| value),
        };
        // A worker may have been started with what counts at the start.
        let differs = |value: &Value| {
            let is_known = row.counts == Counts::AtStart && farm.get(row).is_some();
            is_known || row.default_value().as_ref() != Some(value)
        };
        let acts = |value: &Value| inactive.reason(row, value).is_none();
        if let Some(value) = value.filter(differs).filter(acts) {
            settings.set(row.key, value);
        }
    }
    settings
}

/// The keys of a job's settings for the worker that the job itself sets: in its file, or beside it.
pub fn own_keys(job: &Job, settings: &Settings) -> Vec<String> {
    let is_own = |key: &&str| {
        let origin = job.origins.get(*key);
        matches!(origin, Some(Origin::Job | Origin::Set))
    };
    let keys = settings.iter().map(|(key, _)| key);
    keys.filter(is_own).map(str::to_owned).collect()
}

/// What somebody set of the settings that a job has which begins now, and what its bundle says.
pub fn used(job: &Job, farm: &Farm, bundle: &BundleDefaults) -> Vec<Setting> {
    let spec = job.rendered_spec();
    let inactive = Inactive::among(|row| of_job((job, &spec), farm, row), farm.lacks());
    let of_row = |row: &'static Row| {
        let (value, origin) = of_job((job, &spec), farm, row).or_else(|| of_bundle(bundle, row))?;
        let reason = inactive.reason(row, &value).map(str::to_owned);
        Some(setting(row, &value, origin, reason))
    };
    TABLE.into_iter().filter_map(of_row).collect()
}

/// All of the table: those of `used`, and the defaults of the others.
pub fn used_or_default(used: &[Setting]) -> Vec<Setting> {
    let of_row = |row: &'static Row| {
        let known = used.iter().find(|setting| setting.key == row.key);
        known.cloned().or_else(|| {
            let default = row.default_value()?;
            Some(setting(row, &default, Origin::Default, None))
        })
    };
    TABLE.into_iter().filter_map(of_row).collect()
}

/// The value of a row that a job has, and who set it; with the job goes what is rendered of it.
fn of_job(
    (job, spec): (&Job, &ValidSpec),
    farm: &Farm,
    row: &'static Row,
) -> Option<(Value, Origin)> {
    if let Some(origin) = job.origins.get(row.key) {
        return Some((spec.get(row)?, origin.clone()));
    }
    let of_farm = match (row.scope, row.counts) {
        (Scope::Job, _) | (Scope::Both, Counts::AtSubmission) => None,
        (Scope::Farm, _) => farm.get(row).zip(farm.origin(row)),
        (Scope::Both, Counts::AtStart) => farm.for_job(row, &job.origins),
    };
    of_farm.map(|(value, origin)| (value.clone(), origin.clone()))
}

fn of_bundle(bundle: &BundleDefaults, row: &Row) -> Option<(Value, Origin)> {
    let value = match row.key {
        key if key == CACHE_KIND.key => {
            let kind = bundle.step_cache?;
            return Some((Value::from(kind.as_str()), Origin::Bundle));
        }
        key if key == BUCKET.key => bundle.bucket_px,
        key if key == STEPS.key => bundle.steps,
        key if key == LATENT_WINDOW.key => bundle.latent_window,
        _ => return None,
    };
    Some((Value::Integer(value.into()), Origin::Bundle))
}

fn setting(row: &Row, value: &Value, origin: Origin, inactive: Option<String>) -> Setting {
    // A seed may be larger than the whole numbers that values have.
    let seed = value.text().filter(|_| row.kind == Kind::Seed);
    let seed = seed.and_then(|text| text.parse::<u64>().ok());
    Setting {
        key: row.key.to_owned(),
        value: match seed {
            Some(number) => Json::from(number),
            None => serde_json::to_value(value).unwrap_or(Json::Null),
        },
        origin,
        inactive,
    }
}
