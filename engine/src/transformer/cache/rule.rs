//! By which rule steps reuse what earlier ones computed: the kind of a cache with all its numbers.
//!
//! Defaults: TeaCache's threshold is FramePack's, MagCache's are FramePack-Studio's, FBCache's and SimCache's those of
//! the Python application.

use std::fmt;

use framepack_jobs::StepCacheKind;

/// Steps between two that compute keys and values, these included.
const REFRESH_STEPS: u32 = 2;

/// What somebody asks of a cache; what is left out is the kind's own.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StepCacheWishes {
    /// Which one; `None`: the bundle's.
    pub kind: Option<StepCacheKind>,
    /// How much may change, or of SimCache, how similar an input must be.
    pub threshold: Option<f64>,
    /// Most steps in a row that reuse something, at least 1.
    pub max_skip: Option<u32>,
    /// The part of the steps that are computed in any case, 0 to 1.
    pub retention: Option<f64>,
    /// Every so many steps keys and values are computed, at least 1.
    pub refresh: Option<u32>,
    /// Most device memory of a cache that keeps something of each block.
    pub budget_bytes: Option<u64>,
}

/// A cache with all that it goes by.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum StepCacheRule {
    /// Every step computes every block.
    #[default]
    Off,
    /// All blocks, by the first one's modulated input.
    TeaCache(Limits),
    /// All blocks, by a table.
    MagCache(Limits),
    /// All blocks but the first, by what that one adds.
    FbCache(Limits),
    /// Each block, by its input.
    SimCache(Limits, Budget),
    /// Keys and values of the conditioning tokens.
    KeyValues {
        /// Every so many steps all is computed.
        refresh: u32,
        /// For how many blocks.
        budget: Budget,
    },
}

/// When a step must be computed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// What the measure of change is compared with.
    pub threshold: f64,
    /// Most steps in a row that reuse something.
    pub max_skip: Option<u32>,
    /// The part of the steps, from the first, that are computed in any case.
    pub retention: f64,
}

/// Most bytes that may be kept, of all guidance branches; `None`: of every block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Budget(pub Option<u64>);

impl Limits {
    fn new(wishes: &StepCacheWishes, threshold: f64, max_skip: Option<u32>) -> Self {
        Self {
            threshold: wishes.threshold.unwrap_or(threshold),
            max_skip: wishes.max_skip.or(max_skip),
            retention: wishes.retention.unwrap_or(0.),
        }
    }

    /// How many of so many steps are computed in any case.
    pub(super) fn retained(&self, steps: usize) -> usize {
        (self.retention * steps as f64) as usize
    }

    /// Whether so many steps in a row that reused something are the most.
    pub(super) fn is_reached(&self, in_row: u32) -> bool {
        self.max_skip.is_some_and(|most| in_row >= most)
    }
}

impl Budget {
    /// The first of so many blocks of which something is kept, each taking so much. Later blocks change less from step to
    /// step, and behind the first kept one the conditioning tokens need not be computed.
    pub(super) fn first_kept(self, blocks: usize, block_bytes: u64) -> usize {
        let Some(bytes) = self.0 else { return 0 };
        let fitting = usize::try_from(bytes / block_bytes.max(1)).unwrap_or(usize::MAX);
        blocks - fitting.min(blocks)
    }

    /// That of each of so many branches.
    pub(super) fn of_branch(self, branches: u64) -> Self {
        Self(self.0.map(|bytes| bytes / branches.max(1)))
    }
}

impl StepCacheRule {
    /// The rule of a job with these wishes, whose bundle has a default.
    pub fn new(wishes: &StepCacheWishes, default: StepCacheKind) -> Self {
        let budget = Budget(wishes.budget_bytes);
        match wishes.kind.unwrap_or(default) {
            StepCacheKind::Off => Self::Off,
            StepCacheKind::TeaCache => Self::TeaCache(Limits::new(wishes, 0.15, None)),
            StepCacheKind::MagCache => Self::MagCache(Limits {
                retention: wishes.retention.unwrap_or(0.25),
                ..Limits::new(wishes, 0.1, Some(2))
            }),
            StepCacheKind::FbCache => Self::FbCache(Limits::new(wishes, 0.035, None)),
            StepCacheKind::SimCache => Self::SimCache(Limits::new(wishes, 0.9, Some(1)), budget),
            StepCacheKind::Kv => Self::KeyValues {
                refresh: wishes.refresh.unwrap_or(REFRESH_STEPS),
                budget,
            },
        }
    }

    /// Which cache it is.
    pub fn kind(&self) -> StepCacheKind {
        match self {
            Self::Off => StepCacheKind::Off,
            Self::TeaCache(_) => StepCacheKind::TeaCache,
            Self::MagCache(_) => StepCacheKind::MagCache,
            Self::FbCache(_) => StepCacheKind::FbCache,
            Self::SimCache(..) => StepCacheKind::SimCache,
            Self::KeyValues { .. } => StepCacheKind::Kv,
        }
    }
}

impl fmt::Display for StepCacheRule {
    /// All that decides which steps are computed: `teacache at 0.15`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind().as_str())?;
        match self {
            Self::Off => Ok(()),
            Self::TeaCache(limits) | Self::MagCache(limits) | Self::FbCache(limits) => {
                limits.fmt_of(f, "")
            }
            Self::SimCache(limits, budget) => {
                limits.fmt_of(f, "each block ")?;
                budget.fmt(f)
            }
            Self::KeyValues { refresh, budget } => {
                write!(f, " every {refresh} steps")?;
                budget.fmt(f)
            }
        }
    }
}

impl Limits {
    /// `who` reuses: the step as a whole, or each block.
    fn fmt_of(&self, f: &mut fmt::Formatter<'_>, who: &str) -> fmt::Result {
        write!(f, " at {}", self.threshold)?;
        if let Some(most) = self.max_skip {
            write!(f, ", {who}at most {most} in a row")?;
        }
        if self.retention > 0. {
            write!(f, ", not in the first {} of the steps", self.retention)?;
        }
        Ok(())
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => Ok(()),
            Some(bytes) => write!(f, ", within {} GB", bytes as f64 / 1e9),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn default_of(kind: StepCacheKind) -> String {
        StepCacheRule::new(&StepCacheWishes::default(), kind).to_string()
    }

    #[test]
    fn defaults_are_the_originals() {
        for (kind, expected) in [
            (StepCacheKind::Off, "off"),
            (StepCacheKind::TeaCache, "teacache at 0.15"),
            (
                StepCacheKind::MagCache,
                "magcache at 0.1, at most 2 in a row, not in the first 0.25 of the steps",
            ),
            (StepCacheKind::FbCache, "fbcache at 0.035"),
            (
                StepCacheKind::SimCache,
                "simcache at 0.9, each block at most 1 in a row",
            ),
            (StepCacheKind::Kv, "kv every 2 steps"),
        ] {
            assert_eq!(default_of(kind), expected);
        }
    }

    #[test]
    fn a_wish_wins_over_the_kinds_own() {
        let wishes = StepCacheWishes {
            kind: Some(StepCacheKind::SimCache),
            threshold: Some(0.8),
            max_skip: Some(4),
            retention: Some(0.5),
            budget_bytes: Some(2_000_000_000),
            ..StepCacheWishes::default()
        };
        let rule = StepCacheRule::new(&wishes, StepCacheKind::TeaCache);
        assert_eq!(
            rule.to_string(),
            "simcache at 0.8, each block at most 4 in a row, not in the first 0.5 of the steps, within 2 GB"
        );
    }

    #[test]
    fn a_budget_is_for_the_last_blocks() {
        for (budget, expected) in [(None, 0), (Some(35), 7), (Some(9), 10), (Some(1000), 0)] {
            assert_eq!(Budget(budget).first_kept(10, 10), expected, "{budget:?}");
        }
        assert_eq!(Budget(Some(40)).of_branch(2), Budget(Some(20)));
    }
}
