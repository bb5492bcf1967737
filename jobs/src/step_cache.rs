//! Step caches: which one a job has, and what it did.
//!
//! A step cache lets a step reuse what an earlier one computed (`engine/src/transformer/cache/`). Plain data, part of
//! settings, progress and reports.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What a step may reuse of an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StepCacheKind {
    /// Nothing: every step is computed.
    #[default]
    Off,
    /// All blocks, while the first one's modulated input changes little.
    TeaCache,
    /// All blocks, by a table of how much they changed in measured videos.
    MagCache,
    /// All blocks but the first, while what that one adds changes little.
    FbCache,
    /// Each block, while its input points in about the same direction.
    SimCache,
    /// Keys and values of what the latents attend to.
    Kv,
}

impl StepCacheKind {
    /// All of them, in the order of the reference.
    pub const ALL: [Self; 6] = [
        Self::Off,
        Self::TeaCache,
        Self::MagCache,
        Self::FbCache,
        Self::SimCache,
        Self::Kv,
    ];

    /// Its word in a job file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::TeaCache => "teacache",
            Self::MagCache => "magcache",
            Self::FbCache => "fbcache",
            Self::SimCache => "simcache",
            Self::Kv => "kv",
        }
    }

    /// The kind of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Which steps of a section were computed, and which reused something: `CCrCr`, at most [`StepTimeline::MAX_STEPS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StepTimeline {
    steps: u8,
    /// A bit for each step, the first one's the lowest.
    reused: u128,
}

/// A timeline that can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected C and r, at most {} of them", StepTimeline::MAX_STEPS)]
pub struct NoTimeline;

impl StepTimeline {
    /// A job has no more steps.
    pub const MAX_STEPS: usize = u128::BITS as usize;

    /// Adds a step; none beyond [`Self::MAX_STEPS`].
    pub fn push(&mut self, is_computed: bool) {
        if usize::from(self.steps) == Self::MAX_STEPS {
            return;
        }
        if !is_computed {
            self.reused |= 1 << self.steps;
        }
        self.steps += 1;
    }

    /// Whether each step was computed.
    pub fn computed(self) -> impl Iterator<Item = bool> {
        (0..self.steps).map(move |step| self.reused >> step & 1 == 0)
    }

    /// How many steps it has.
    pub fn steps(self) -> u32 {
        self.steps.into()
    }

    /// How many of them reused something.
    pub fn reused(self) -> u32 {
        self.reused.count_ones()
    }

    /// Its first steps.
    #[must_use]
    pub fn first(self, steps: usize) -> Self {
        let mut first = Self::default();
        self.computed()
            .take(steps)
            .for_each(|is_computed| first.push(is_computed));
        first
    }

    /// Whether there is no step yet.
    pub fn is_empty(&self) -> bool {
        self.steps == 0
    }
}

impl fmt::Display for StepTimeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.computed()
            .try_for_each(|is_computed| f.write_str(if is_computed { "C" } else { "r" }))
    }
}

impl FromStr for StepTimeline {
    type Err = NoTimeline;

    fn from_str(text: &str) -> Result<Self, NoTimeline> {
        if text.len() > Self::MAX_STEPS {
            return Err(NoTimeline);
        }
        let mut timeline = Self::default();
        for step in text.chars() {
            match step {
                'C' => timeline.push(true),
                'r' => timeline.push(false),
                _ => return Err(NoTimeline),
            }
        }
        Ok(timeline)
    }
}

impl TryFrom<String> for StepTimeline {
    type Error = NoTimeline;

    fn try_from(text: String) -> Result<Self, NoTimeline> {
        text.parse()
    }
}

impl From<StepTimeline> for String {
    fn from(timeline: StepTimeline) -> Self {
        timeline.to_string()
    }
}

/// What a job's step cache did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepCacheUse {
    /// Its word in a job file.
    pub kind: String,
    /// The cache with all that it goes by: `teacache at 0.15`.
    pub rule: String,
    /// Evaluations of the transformer that computed every block, of all `sections` and guidance branches.
    pub computed: u32,
    /// Those that reused something.
    pub reused: u32,
    /// The sections that were sampled with it, in whichever run.
    pub sections: Vec<SectionSteps>,
    /// Why a part of the job was rendered without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_up: Option<String>,
}

/// The steps of one section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionSteps {
    /// Its number, from 1.
    pub section: u32,
    /// With the prompt.
    pub positive: StepTimeline,
    /// With the negative prompt, if the guidance needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub negative: Option<StepTimeline>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeline_is_written_and_read() {
        let mut timeline = StepTimeline::default();
        for is_computed in [true, true, false, true, false] {
            timeline.push(is_computed);
        }
        assert_eq!(timeline.to_string(), "CCrCr");
        assert_eq!((timeline.steps(), timeline.reused()), (5, 2));
        assert_eq!(timeline.first(3).to_string(), "CCr");
        let json = serde_json::to_string(&timeline).unwrap();
        assert_eq!(json, "\"CCrCr\"");
        assert_eq!(
            serde_json::from_str::<StepTimeline>(&json).unwrap(),
            timeline
        );
        for wrong in ["CCx", &"C".repeat(129)] {
            assert_eq!(wrong.parse::<StepTimeline>(), Err(NoTimeline));
        }
        let longest = "Cr".repeat(64);
        assert_eq!(
            longest.parse::<StepTimeline>().unwrap().to_string(),
            longest
        );
    }

    #[test]
    fn every_kind_has_its_word() {
        for kind in StepCacheKind::ALL {
            assert_eq!(StepCacheKind::from_word(kind.as_str()), Some(kind));
        }
        assert_eq!(StepCacheKind::from_word("TeaCache"), None);
    }
}
