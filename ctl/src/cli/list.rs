//! `list` on the command line: which jobs, and in which order.

use std::str::FromStr;

use clap::Args;
use framepack_jobs::{Job, StateName};

use super::since::Since;
use crate::shown_state::ShownState;

#[derive(Debug, Clone, Args)]
pub(crate) struct List {
    /// Only jobs in these states: queued (held and suspended ones, too), held, suspended, running (paused ones, too), paused, cancelling (their finished sections become a video), done, failed, cancelled, expired
    #[arg(
        long,
        visible_alias = "state",
        value_name = "STATE,…",
        value_delimiter = ','
    )]
    pub(crate) filter: Vec<StateFilter>,

    /// Only jobs of this group
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,

    /// Only jobs that were submitted, began or ended since then: 90m, 8h or 2d ago, a time of the day (22:00), a date, or an RFC 3339 time
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Since>,

    /// Sort by id, name, state, submitted, finished or priority; the other way round with `-` in front: -finished
    #[arg(
        long,
        value_name = "KEY",
        default_value = "id",
        allow_hyphen_values = true
    )]
    pub(crate) sort: Order,

    /// At most so many jobs, the first in that order
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,

    /// Keep the list on the terminal up to date, until Ctrl-C
    #[arg(long)]
    pub(crate) watch: bool,
}

/// States to list, of which a user may mean a part: `held` is a part of `queued`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StateFilter(ShownState);

/// Not the name of a state.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a state; expected one of {all}", all = ShownState::ALL.map(ShownState::as_str).join(", "))]
pub(crate) struct NoState(String);

/// A key to sort by, and from which end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) key: SortKey,
    pub(crate) is_descending: bool,
}

/// What jobs are sorted by; those that are equal in it by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SortKey {
    Id,
    Name,
    /// In the order of a job's life.
    State,
    Submitted,
    /// Unfinished ones come last.
    Finished,
    Priority,
}

/// Not a key to sort by.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a key to sort by; expected one of {all}, or one of them behind `-`", all = SortKey::ALL.map(SortKey::as_str).join(", "))]
pub(crate) struct NoSortKey(String);

impl StateFilter {
    /// The states of records that can be meant, which is what a daemon filters by.
    pub(crate) fn names(self) -> &'static [StateName] {
        match self.0 {
            ShownState::Queued | ShownState::Held | ShownState::Suspended => &[StateName::Queued],
            ShownState::Running | ShownState::Paused => &[StateName::Running],
            ShownState::Cancelling => &[StateName::Queued, StateName::Running],
            ShownState::Done => &[StateName::Done],
            ShownState::Failed => &[StateName::Failed],
            ShownState::Cancelled => &[StateName::Cancelled],
            ShownState::Expired => &[StateName::Expired],
        }
    }

    pub(crate) fn is_meant(self, job: &Job) -> bool {
        match self.0 {
            state @ (ShownState::Held
            | ShownState::Suspended
            | ShownState::Paused
            | ShownState::Cancelling) => ShownState::of(job) == state,
            _ => self.names().iter().any(|name| job.is(*name)),
        }
    }
}

impl FromStr for StateFilter {
    type Err = NoState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut states = ShownState::ALL.into_iter();
        let state = states.find(|state| state.as_str() == text);
        state.map(Self).ok_or_else(|| NoState(text.to_owned()))
    }
}

impl SortKey {
    const ALL: [Self; 6] = [
        Self::Id,
        Self::Name,
        Self::State,
        Self::Submitted,
        Self::Finished,
        Self::Priority,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Name => "name",
            Self::State => "state",
            Self::Submitted => "submitted",
            Self::Finished => "finished",
            Self::Priority => "priority",
        }
    }
}

impl FromStr for Order {
    type Err = NoSortKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.strip_prefix('-').unwrap_or(text);
        let mut keys = SortKey::ALL.into_iter();
        let key = keys.find(|key| key.as_str() == name);
        Ok(Self {
            key: key.ok_or_else(|| NoSortKey(name.to_owned()))?,
            is_descending: name.len() < text.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_may_stand_behind_a_minus() {
        for key in SortKey::ALL {
            let order = |text: &str| text.parse::<Order>().unwrap();
            let is_descending = false;
            assert_eq!(order(key.as_str()), Order { key, is_descending });
            let is_descending = true;
            let behind = format!("-{}", key.as_str());
            assert_eq!(order(&behind), Order { key, is_descending });
        }
        let error = "-size".parse::<Order>().unwrap_err().to_string();
        let expected = "`size` is not a key to sort by; expected one of id, name, state, submitted, finished, priority, \
                        or one of them behind `-`";
        assert_eq!(error, expected);
        assert!("--id".parse::<Order>().is_err());
    }

    #[test]
    fn all_states_that_people_see_can_be_filtered_by() {
        for state in ShownState::ALL {
            assert_eq!(state.as_str().parse::<StateFilter>().unwrap().0, state);
        }
        assert!("ready".parse::<StateFilter>().is_err());
    }
}
