//! Versions, disk and energy, and what may be removed. Part of [`crate::control`].
//!
//! - `info`: which versions run where, and within which limits
//! - `usage`: what jobs have taken of disks, energy and time
//! - `removal`: what is removed that nobody needs, and caches

mod info;
mod removal;
mod usage;

pub use self::{
    info::{FarmInfo, FarmLimits, FarmPaths, WorkerProgram},
    removal::{
        Cache, CacheKind, CacheRequest, Collected, GcMode, GcRequest, Junk, JunkKind, UnknownCache,
    },
    usage::{FolderUsage, Measured, Usage, UsageRequest, WorkUsage},
};
