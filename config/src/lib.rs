//! Settings of framepackd: what an operator writes into the configuration file and the environment.
//!
//! [`Loaded::read`] merges both; the environment wins. Each section of the file is a struct with one `read`, in which
//! each key has one line: name, default, range. [`Loaded::settings`] tells each value and where it comes from. [`Loaded::reloaded`]
//! says what of a file that was read again counts while the daemon runs.

pub mod allocator;
mod device;
mod disk;
mod environment;
mod idle;
mod limit;
mod load;
mod metrics;
mod models;
pub mod original;
mod overlap;
mod paths;
mod presets;
mod process;
mod reader;
mod reload;
mod retention;
mod roles;
mod spool;
mod worker;

pub use device::{Device, Devices, InvalidDevices};
pub use disk::Disk;
pub use idle::Idle;
pub use limit::Limit;
pub use load::{Config, Load, Loaded};
pub use metrics::Metrics;
pub use models::Models;
pub use overlap::Overlap;
pub use paths::Paths;
pub use process::{Kernels, Process};
pub use retention::{Expired, Retention};
pub use roles::{NoPrincipal, Principal, SocketRoles};
pub use spool::{Dedupe, QueueLimits, Spool, WatchMode};
pub use worker::{Deadlines, Worker};
