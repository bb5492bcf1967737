//! The step cache as flags: the settings of `cache`.

use std::{fs, path::PathBuf};

use anyhow::Context as _;
use framepack_engine::{
    sampler::Guided,
    transformer::{MagTable, StepCache, StepCacheRule, StepCacheWishes, StepRecord},
};
use framepack_jobs::StepCacheKind;
use serde_json::{Value, json};

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct StepCacheFlags {
    /// What steps reuse of earlier ones
    #[arg(long, value_name = "KIND", default_value = "off", value_parser = kind)]
    cache: StepCacheKind,
    /// How much may change before a step is computed again; of simcache, how similar a block's input must be [default: the cache's own]
    #[arg(long, value_name = "X", value_parser = part)]
    cache_threshold: Option<f64>,
    /// Most steps in a row that reuse something [default: the cache's own]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    cache_max_skip: Option<u32>,
    /// Part of the steps, from the first, that is always computed [default: 0.25 of magcache, else the first step]
    #[arg(long, value_name = "X", value_parser = part)]
    cache_retention: Option<f64>,
    /// kv: compute keys and values in every so many steps [default: 2]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    cache_refresh: Option<u32>,
    /// simcache and kv: gigabytes for as many of the last blocks as fit [default: all blocks]
    #[arg(long, value_name = "G", value_parser = gigabytes)]
    cache_budget_gb: Option<u64>,
    /// magcache: the model whose measured ratios count
    #[arg(long, value_name = "MODEL", default_value = "original", value_parser = table)]
    cache_model: MagTable,
}

/// The flag of what was decided.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct TraceFlag {
    /// JSON file to write what was decided at each step to: `computed`, `distance`, which was compared with the threshold, and of simcache `reused_blocks`
    #[arg(long, value_name = "FILE")]
    cache_trace: Option<PathBuf>,
}

impl StepCacheFlags {
    /// As a job has it.
    pub(crate) fn rule(&self) -> StepCacheRule {
        let wishes = StepCacheWishes {
            kind: Some(self.cache),
            threshold: self.cache_threshold,
            max_skip: self.cache_max_skip,
            retention: self.cache_retention,
            refresh: self.cache_refresh,
            budget_bytes: self.cache_budget_gb,
        };
        StepCacheRule::new(&wishes, self.cache)
    }

    pub(crate) fn table(&self) -> MagTable {
        self.cache_model
    }
}

impl TraceFlag {
    /// Writes what the caches of `steps` steps decided.
    pub(crate) fn write(&self, caches: Guided<&StepCache>, steps: usize) -> anyhow::Result<()> {
        let Some(path) = &self.cache_trace else {
            return Ok(());
        };
        let traces = caches.map(|cache| trace(cache, steps));
        let value = match traces.negative {
            None => traces.positive,
            Some(negative) => json!({"positive": traces.positive, "negative": negative}),
        };
        fs::write(path, format!("{value}\n")).with_context(|| format!("writing {}", path.display()))
    }
}

/// Without a cache every step is computed, and nothing is compared.
fn trace(cache: &StepCache, steps: usize) -> Value {
    let computed = StepRecord {
        is_computed: true,
        distance: None,
        reused_blocks: None,
    };
    let records = match cache.records() {
        [] => vec![computed; steps],
        records => records.to_vec(),
    };
    let (computed, distances): (Vec<bool>, Vec<Option<f64>>) = records
        .iter()
        .map(|record| (record.is_computed, record.distance))
        .unzip();
    let mut trace = json!({"computed": computed, "distance": distances});
    let reused: Option<Vec<u32>> = records.iter().map(|record| record.reused_blocks).collect();
    if let Some(reused) = reused {
        trace["reused_blocks"] = json!(reused);
    }
    trace
}

fn kind(text: &str) -> Result<StepCacheKind, String> {
    StepCacheKind::from_word(text).ok_or_else(|| {
        let words = StepCacheKind::ALL.map(StepCacheKind::as_str);
        format!("expected one of {}", words.join(", "))
    })
}

fn table(text: &str) -> Result<MagTable, &'static str> {
    match text {
        "original" => Ok(MagTable::Original),
        "f1" => Ok(MagTable::F1),
        _ => Err("expected original or f1"),
    }
}

fn part(text: &str) -> Result<f64, &'static str> {
    let number = text.parse().ok();
    number
        .filter(|number| (0. ..=1.).contains(number))
        .ok_or("expected a number from 0 to 1")
}

fn gigabytes(text: &str) -> Result<u64, &'static str> {
    let number: Option<f64> = text.parse().ok();
    let number = number.filter(|number| (0. ..=1024.).contains(number));
    number
        .map(|gb| (gb * 1e9) as u64)
        .ok_or("expected gigabytes, 0 to 1024")
}
