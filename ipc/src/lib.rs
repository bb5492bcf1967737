//! Messages between framepackctl, framepackd and framepack-worker.

pub mod worker;
