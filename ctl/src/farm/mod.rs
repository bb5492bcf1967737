//! The farm as people read it, line by line: for `status`, which prints it, and for `top`, which draws it.
//!
//! [`line`](mod@line): text with a meaning for each of its parts; [`grid`]: such texts in columns. The others say what the lines
//! are about.

mod bar;
mod daemon;
mod devices;
#[cfg(test)]
pub(crate) mod example;
mod failures;
mod grid;
mod line;
mod running;
mod waiting;

pub(crate) use self::{
    daemon::{daemon, notices},
    devices::{devices, machine},
    failures::{failures, failures_in_a_line, failures_in_full},
    line::Line,
    running::{running, time_left},
    waiting::waiting,
};
