//! Which weights are where, and when: decided before the first step, as data that can be printed.

pub mod activations;
pub mod error;
pub mod phases;
pub mod plan;
