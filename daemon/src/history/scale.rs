//! From what some jobs took to what another one will: each part by the law that it grows by.

use framepack_ipc::{
    estimate::{Basis, Estimate},
    worker::Temperature,
};

use super::{
    kinship::{Kinship, Question},
    range::{Range, median},
    sample::Sample,
    work::Work,
};

/// Jobs just alike that are looked at, the latest ones: a farm changes.
pub(super) const LATEST: usize = 8;
/// What a step that reuses everything costs, the computed one being 1.
const REUSED_COST: f64 = 0.1;
/// What a step cache leaves to be computed where none like it was seen.
const UNKNOWN_COMPUTED: Range = Range {
    mid: 0.6,
    low: 0.25,
    high: 1.0,
};
/// A step grows with its tokens to a power between that of the layers and that of attention.
const TOKEN_POWER: Range = Range {
    mid: 1.4,
    low: 1.0,
    high: 2.0,
};
/// How sure that power is once it was measured.
const MEASURED_POWER: f64 = 0.15;
/// Sizes that differ by less tell nothing of it.
const LEAST_RATIO: f64 = 1.1;
/// How far other guidance, and other sizes of decoding, may be off.
const OTHER_GUIDANCE: Range = Range::factor(0.9, 1.1);
const OTHER_SIZE: Range = Range::factor(0.8, 1.25);
/// Starts that were seen with other things loaded.
const OTHER_START: Range = Range::factor(0.1, 4.0);

/// How long each part of a job takes, and how that is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Times {
    /// What comes before the first step.
    pub(crate) opening: Range,
    /// All steps.
    pub(crate) sampling: Range,
    /// Decoding, of all sections.
    pub(crate) decoding: Range,
    /// Writing the video and reading it back.
    pub(crate) writing: Range,
    pub(crate) basis: Basis,
    /// Sections of the video.
    pub(crate) sections: u32,
}

impl Times {
    /// The whole job.
    pub(crate) fn estimate(&self) -> Estimate {
        self.sum().estimate(self.basis)
    }

    /// All parts, one after the other.
    pub(crate) fn sum(&self) -> Range {
        let parts = [self.opening, self.sampling, self.decoding, self.writing];
        parts.into_iter().sum()
    }

    /// The same for a job of which so much is sampled and decoded already, each 0 to 1.
    #[must_use]
    pub(crate) fn without(self, [sampled, decoded]: [f64; 2]) -> Self {
        let left = |done: f64| Range::exactly((1.0 - done).clamp(0.0, 1.0));
        Self {
            sampling: self.sampling.times(left(sampled)),
            decoding: self.decoding.times(left(decoded)),
            ..self
        }
    }
}

/// Jobs that another one is estimated from.
#[derive(Debug)]
pub(super) struct Chosen<'a> {
    pub(super) kinship: Kinship,
    /// Alike among each other; at least one.
    pub(super) samples: Vec<&'a Sample>,
    /// All jobs of the model.
    pub(super) model: Vec<&'a Sample>,
}

impl Chosen<'_> {
    /// What they say of the job that is asked for. `None`: there are none.
    pub(super) fn times(&self, question: &Question<'_>) -> Option<Times> {
        let latest = self.samples.first()?;
        let work = question.work.unwrap_or_else(|| match self.kinship {
            Kinship::Same => latest.work,
            _ => Work::foreseen(question.kind),
        });
        let jobs = self.samples.len() as u32;
        let doubt = self.kinship.doubt();
        Some(Times {
            opening: self.opening(question)?.times(doubt),
            sampling: self.sampling(question, &work)?.times(doubt),
            decoding: self
                .by_pixels(&work, |sample| {
                    Some(sample.decode_secs? / sample.work.section_pixels)
                })
                .times(doubt),
            writing: self
                .by_pixels(&work, |sample| {
                    Some(sample.write_secs / sample.work.all_pixels())
                })
                .times(doubt),
            basis: match self.kinship {
                Kinship::Same => Basis::Measured { jobs },
                _ => Basis::Similar { jobs },
            },
            sections: work.sections,
        })
    }

    /// What comes before the first step goes by what is loaded, and not by the video.
    fn opening(&self, question: &Question<'_>) -> Option<Range> {
        let on_device = |sample: &&&Sample| {
            self.kinship == Kinship::OtherDevice || sample.device == question.device
        };
        let seen = || self.model.iter().filter(on_device);
        let alike = seen().filter(|sample| sample.temperature == Some(question.temperature));
        let secs = |sample: &&Sample| sample.opening_secs;
        if let Some(range) = Range::of(alike.take(LATEST).map(secs)) {
            return Some(range);
        }
        let range = Range::of(seen().map(secs))?.times(OTHER_START);
        Some(match question.temperature {
            // It has less to do than one that had to load.
            Temperature::Hot | Temperature::Warm => Range { low: 0.0, ..range },
            Temperature::Cold => range,
        })
    }

    fn sampling(&self, question: &Question<'_>, work: &Work) -> Option<Range> {
        let first = self.samples.first()?;
        let mut factor = self.tokens(work.tokens / first.work.tokens);
        if first.kind.is_guided != question.kind.is_guided {
            let evaluations = if question.kind.is_guided { 2.0 } else { 0.5 };
            factor = factor
                .times(OTHER_GUIDANCE)
                .times(Range::exactly(evaluations));
        }
        if first.kind.cache != question.kind.cache {
            let cost = |computed: f64| computed + REUSED_COST * (1.0 - computed);
            let seen = median(&self.shares(&first.kind.cache)).map_or(1.0, cost);
            let asked = self.computed(&question.kind.cache);
            factor = factor.times(Range {
                mid: cost(asked.mid) / seen,
                low: cost(asked.low) / seen,
                high: cost(asked.high) / seen,
            });
        }
        let steps = work.all_steps();
        let secs = self.samples.iter().map(|sample| sample.step_secs * steps);
        Some(Range::of(secs)?.times(factor))
    }

    /// What a step takes with so many times the tokens.
    fn tokens(&self, ratio: f64) -> Range {
        if self.kinship == Kinship::Same {
            return Range::exactly(1.0);
        }
        let power = self.power().map_or(TOKEN_POWER, |power| Range {
            mid: power,
            low: power - MEASURED_POWER,
            high: power + MEASURED_POWER,
        });
        let (one, other) = (ratio.powf(power.low), ratio.powf(power.high));
        Range {
            mid: ratio.powf(power.mid),
            low: one.min(other),
            high: one.max(other),
        }
    }

    /// The power of the tokens by which steps grew from the chosen jobs to others that differ in their size alone.
    fn power(&self) -> Option<f64> {
        let first = self.samples.first()?;
        let ratio = |sample: &Sample| sample.work.tokens / first.work.tokens;
        let is_other = |sample: &&&Sample| {
            let (one, other) = (&sample.kind, &first.kind);
            let is_alike = one.cache == other.cache
                && one.options == other.options
                && one.is_guided == other.is_guided;
            is_alike && sample.device == first.device && ratio(sample).ln().abs() > LEAST_RATIO.ln()
        };
        let others = self.model.iter().filter(is_other);
        let mine: Vec<f64> = self.samples.iter().map(|sample| sample.step_secs).collect();
        let mine = median(&mine)?;
        let powers = others.map(|sample| (sample.step_secs / mine).ln() / ratio(sample).ln());
        let powers: Vec<f64> = powers.filter(|power| power.is_finite()).collect();
        Some(median(&powers)?.clamp(TOKEN_POWER.low, TOKEN_POWER.high))
    }

    /// What a step cache leaves to be computed, as measured of any job.
    fn computed(&self, cache: &str) -> Range {
        if let Some(range) = Range::of(self.shares(cache).into_iter()) {
            return Range {
                high: range.high.min(1.0),
                ..range
            };
        }
        if cache.contains("cache.kind=\"off\"") {
            return Range::exactly(1.0);
        }
        UNKNOWN_COMPUTED
    }

    fn shares(&self, cache: &str) -> Vec<f64> {
        let alike = self
            .model
            .iter()
            .filter(|sample| sample.kind.cache == cache);
        alike.map(|sample| sample.computed).collect()
    }

    /// What grows with the pixels of all frames.
    fn by_pixels(&self, work: &Work, rate: impl Fn(&Sample) -> Option<f64>) -> Range {
        let factor = match self.kinship {
            Kinship::Same => Range::exactly(1.0),
            _ => OTHER_SIZE,
        };
        let rates = self.samples.iter().filter_map(|sample| rate(sample));
        let secs = Range::of(rates.map(|rate| rate * work.all_pixels()));
        secs.unwrap_or(Range::NOTHING).times(factor)
    }
}
