//! The job file (schema, validation) and the life of a job (states, transitions). No I/O.
//!
//! [`JobSpec::parse`] reads what a user wrote, [`JobSpec::validate`] completes it, and a [`Job`]
//! carries the result through its life. [`Code`] is the table of all crates' error codes.

mod amount;
mod bundle;
mod error;
mod failure;
mod id;
mod job;
mod memory;
mod name;
mod parameters;
mod parse;
mod partial;
mod path;
pub mod picture;
mod render;
mod schedule;
mod seed;
mod selector;
pub mod settings;
mod spec;
mod state;
mod step_cache;
mod template;
mod time;
mod unavailable;
mod validate;
mod window;

pub use amount::MemoryAmount;
pub use bundle::BundleDefaults;
pub use error::{AnyCode, Class, Code, Fault, Reach, Section, UnknownCode};
pub use failure::Failure;
pub use framepack_yaml::{
    FileError, Location, MAX_BYTES as MAX_FILE_BYTES, NotText, Problem, ProblemKind, Problems,
    decode, suggest,
};
pub use id::JobId;
pub use job::{Job, Runs, Source};
pub use memory::{
    Bytes, DecodeOverlap, DeviceMemory, EncoderPlacement, MemoryActs, MemoryBackend, MemoryPlan,
    MemoryUse, Offloading, PhasePeak, TransformerMemory, VaeDecoding, VaeMode, VaeTiles,
    WorkingSizes,
};
pub use name::{composed, on_one_line};
pub use parameters::{Guidance, Model};
pub use partial::{Part, Partial};
pub use render::{
    Attention, ChosenBy, DecodedTiles, DeviceIdle, LAST_RUNG, Phase, PhaseTime, Progress,
    RenderOutput, RenderPlan, Resumed, RungTaken, Verified, sections_in,
};
pub use schedule::{Dependency, RetrySpec, Schedule};
pub use seed::SeedSpec;
pub use selector::{InvalidSelector, Reason, Selector, Unmatched, select};
pub use settings::{Row, Settings, Value};
pub use spec::{API, JobSpec, Length, OutputSpec, Size, Start, ValidSpec, Validated, long_prompts};
pub use state::{IllegalTransition, JobState, StateName, UnknownState};
pub use step_cache::{NoTimeline, SectionSteps, StepCacheKind, StepCacheUse, StepTimeline};
pub use template::{InvalidTemplate, NameTemplate};
pub use time::{InvalidTimestamp, Timestamp};
pub use validate::Surroundings;
pub use window::{AtEnd, InvalidWindow, Window};
