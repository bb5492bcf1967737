//! Settings: what changes a job's video, or the time that it takes.
//!
//! [`TABLE`] has a row for each. Job files and the daemon's configuration are read by it, and docs/SETTINGS.md is made
//! from it. A new setting is a new row: it reaches the worker in [`Settings`] and is part of a job's key only where it
//! differs from its default, so that keys of older job files stay what they are.

mod change;
mod decoding;
mod farm;
mod inactive;
mod lack;
mod origin;
mod profile;
mod row;
mod standing;
mod step_cache;
mod strength;
mod table;
mod used;
mod value;

pub use change::{Applies, SettingChange};
pub(crate) use decoding::{HINT as DECODING_HINT, contradictions, written};
pub use farm::Farm;
pub use inactive::{Contradiction, Inactive};
pub use lack::{Consequence, Lack, Lacks};
pub use origin::{Origin, Origins, Setting, UnknownSetting, select};
pub use profile::{Presets, Profile, UnknownProfile, described, layers};
pub use row::{Counts, Fallback, Kind, Row, Scope};
pub use standing::Standing;
pub use table::*;
pub use used::{for_worker, own_keys, used, used_or_default};
pub use value::{Settings, Value};

/// Keys of a job file beside those of the table: who it is, when it runs, and where its video goes.
pub const JOB_KEYS: [&str; 13] = [
    "api",
    "kind",
    "name",
    "key",
    "priority",
    "group",
    "after",
    "not_before",
    "deadline",
    "window",
    "retry",
    "output.dir",
    "output.name",
];
