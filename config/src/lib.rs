//! Settings of framepackd, the ranges of a job's parameters, and the YAML subset that both files use.
//!
//! [`Config::load`] merges the file, `FRAMEPACKD_*` variables and flags, in this order.
//! [`yaml`] reads text into a tree within limits; [`Table`] takes typed values out of it and
//! collects a [`Problem`] for every mistake, so that a user sees all of them at once.

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
mod parameters;

mod retention;
mod roles;
mod settings;
mod spool;

pub use device::{Device, Devices, InvalidDevices};
pub use disk::{Disk, DiskLayer};
pub use idle::{IDLE_SECS, IdleLimit, NoIdleLimit};
pub use keep::{Keep, KeepLayer, KeepLimit, NoKeepLimit};
pub use layer::Layer;
pub use load::Load;
pub use overlap::Overlap;
pub use retention::{Retention, RetentionLayer, Then, UnknownThen};
pub use roles::{NoPrincipal, Principal, SocketRoles};
pub use settings::{Config, Deadlines, Idle, Memory, Metrics, Models, Paths, Worker};
pub use spool::{
    Dedupe, QueueLimits, Spool, SpoolLayer, UnknownDedupe, UnknownWatchMode, WatchMode,
};

use framepack_jobs::{HOST_BUDGET_GB, MemoryAmount, PRESERVE_GB};
use framepack_yaml::{self as yaml, FileError, Problem, ProblemKind, Problems, Table, suggest};
