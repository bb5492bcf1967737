//! The owner of what was learned of finished jobs.

use std::collections::{HashMap, VecDeque};

use framepack_ipc::estimate::Prediction;
use framepack_jobs::{BundleDefaults, JobState, Model};

use super::{
    kind::Kind,
    kinship::{Kinship, Question, distance, is_alike},
    sample::Sample,
    scale::{Chosen, LATEST, Times},
    work::Work,
};
use crate::record::Record;

/// Jobs of a model that are remembered, the latest ones.
const REMEMBERED: usize = 256;

/// What was learned of finished jobs.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// The latest first.
    samples: HashMap<Model, VecDeque<Sample>>,
    bundle: BundleDefaults,
}

impl History {
    /// What the jobs of the store tell.
    pub(crate) fn of<'a>(
        records: impl Iterator<Item = &'a Record>,
        bundle: BundleDefaults,
    ) -> Self {
        let mut history = Self {
            samples: HashMap::new(),
            bundle,
        };
        let mut done: Vec<_> = records
            .filter(|record| matches!(record.job.state, JobState::Done { .. }))
            .collect();
        done.sort_by_key(|record| record.job.state.finished_at());
        let enough = done.len().saturating_sub(REMEMBERED * Model::ALL.len());
        for record in done.split_off(enough) {
            history.learn(record);
        }
        history
    }

    /// What a job tells that has ended.
    pub(crate) fn learn(&mut self, record: &Record) {
        let Some(sample) = Sample::of(record, &self.bundle) else {
            return;
        };
        let samples = self.samples.entry(sample.kind.model).or_default();
        samples.push_front(sample);
        samples.truncate(REMEMBERED);
    }

    /// The kind of a job.
    pub(crate) fn kind(&self, record: &Record) -> Kind {
        Kind::of(&record.job, &self.bundle)
    }

    /// How long each part of a job will take; `Err`: why nobody knows.
    pub(crate) fn times(&self, question: &Question<'_>) -> Result<Times, String> {
        let times = || self.chosen(question)?.times(question);
        times().ok_or_else(|| "no job of this model has run here yet".to_owned())
    }

    /// How long a job will take.
    pub(crate) fn predict(&self, question: &Question<'_>) -> Prediction {
        match self.times(question) {
            Ok(times) => Prediction::Known(times.estimate()),
            Err(why) => Prediction::unknown(why),
        }
    }

    /// The jobs that are nearest to the one that is asked for.
    fn chosen(&self, question: &Question<'_>) -> Option<Chosen<'_>> {
        let model: Vec<&Sample> = self.samples.get(&question.kind.model)?.iter().collect();
        let kinship = |sample: &&Sample| Kinship::of(sample, question);
        let nearest = model.iter().map(kinship).min()?;
        let mut samples: Vec<&Sample> = model.clone();
        samples.retain(|sample| kinship(sample) == nearest);
        if nearest != Kinship::Same {
            let work = question
                .work
                .unwrap_or_else(|| Work::foreseen(question.kind));
            let first = *samples.iter().min_by(|one, other| {
                let away = |sample: &Sample| distance(sample, question, &work);
                away(one).total_cmp(&away(other))
            })?;
            samples.retain(|sample| is_alike(sample, first));
        }
        samples.truncate(LATEST);
        Some(Chosen {
            kinship: nearest,
            samples,
            model,
        })
    }
}
