//! The table of all error codes, a file for each thousand.
//!
//! A row: name, number, class, who is at fault; what it means; what to do. Both texts are one line in lower case, without
//! a dot at the end. The meaning begins with the noun; the hint says what to change, by key or command.

/// Makes a constant of [`Code`] of each row, and `CODES` of them all.
macro_rules! codes {
    ($($name:ident $text:literal, $class:ident, $fault:ident, $meaning:literal, $hint:literal;)+) => {
        impl $crate::Code {
            $(
                #[doc = concat!($text, ": ", $meaning)]
                pub const $name: Self = Self(&$crate::error::CodeRow {
                    text: $text,
                    class: $crate::Class::$class,
                    fault: $crate::Fault::$fault,
                    meaning: $meaning,
                    hint: $hint,
                });
            )+
        }

        pub(super) const CODES: &[$crate::Code] = &[$($crate::Code::$name),+];
    };
}

mod device;
mod job_file;
mod model;
mod other;
mod socket;
mod start;
mod store;
mod video;
mod worker;

use super::Code;

/// The codes of one thousand.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// What they are about.
    pub title: &'static str,
    /// The codes, in the order of their numbers.
    pub codes: &'static [Code],
}

impl Section {
    /// From 1xxx to 9xxx.
    pub const ALL: [Self; 9] = [
        Self::new("framepackctl and the socket", socket::CODES),
        Self::new("the job file and its image", job_file::CODES),
        Self::new("the model bundle", model::CODES),
        Self::new("the job store", store::CODES),
        Self::new("device, memory and the daemon's files", device::CODES),
        Self::new("the video", video::CODES),
        Self::new("the worker and the queue", worker::CODES),
        Self::new("the daemon's start", start::CODES),
        Self::new("getting the models, and anything else", other::CODES),
    ];

    const fn new(title: &'static str, codes: &'static [Code]) -> Self {
        Self { title, codes }
    }
}
