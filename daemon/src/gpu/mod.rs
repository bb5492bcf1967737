//! What NVIDIA's management library says of the GPUs: memory, temperature, power, energy, and who else uses them.
//!
//! The library takes twenty megabytes, and a driver in trouble may not answer. So a child process asks it (`reporter`,
//! the command `framepackd gpus`): it lives while jobs run and for the moment of a question, and is killed when it hangs.
//! Without the library, as on machines without an NVIDIA driver, there are no GPUs to report on.

mod gpus;
mod library;
mod report;
mod reporter;

pub use self::library::report as report_gpus;
pub(crate) use self::{gpus::Gpus, report::Gpu};
