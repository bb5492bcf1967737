//! Settings of framepackd, the ranges of a job's parameters, and the YAML subset that both files use.
//!
//! [`Config::load`] merges the file, `FRAMEPACKD_*` variables and flags, in this order.
//! [`yaml`] reads text into a tree within limits; [`Table`] takes typed values out of it and
//! collects a [`Problem`] for every mistake, so that a user sees all of them at once.

mod bundle;
mod device;
mod disk;
mod environment;
mod file;
mod idle;
mod keep;
mod layer;
mod load;
mod memory;
mod overlap;
pub mod parameters;
mod problem;
mod retention;
mod roles;
mod settings;
mod spool;
mod suggest;
mod table;
pub mod yaml;

pub use bundle::BundleDefaults;
pub use device::{Device, Devices, InvalidDevices};
pub use disk::{Disk, DiskLayer};
pub use idle::{IDLE_SECS, IdleLimit, NoIdleLimit};
pub use keep::{Keep, KeepLayer, KeepLimit, NoKeepLimit};
pub use layer::Layer;
pub use load::{ConfigError, Load};
pub use memory::{HOST_BUDGET_GB, MemoryAmount, NoMemoryAmount, PRESERVE_GB};
pub use overlap::Overlap;
pub use problem::{MAX_TOLD, Problem, ProblemKind, Problems};
pub use retention::{Retention, RetentionLayer, Then, UnknownThen};
pub use roles::{NoPrincipal, Principal, SocketRoles};
pub use settings::{Config, Deadlines, Idle, Memory, Metrics, Models, Paths, Worker};
pub use spool::{
    Dedupe, QueueLimits, Spool, SpoolLayer, UnknownDedupe, UnknownWatchMode, WatchMode,
};
pub use suggest::suggest;
pub use table::Table;
