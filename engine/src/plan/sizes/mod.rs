//! What decoding really takes on one device, learnt from the jobs that it decodes and kept in a file.
//!
//! The sizes in `vae/cost.rs` were measured on one card. Another card's convolutions are other algorithms, with other
//! workspaces. So each decode of a job is compared with what it was planned to take, and the largest that was seen of a
//! kind, in per cent of the plan, is what plans are made with from then on.
//!
//! A plan that is too bold costs an attempt, and one that is too careful only speed. So what took less than the plan
//! counts as 90 % of it at least: decodes of one kind have pieces of many sizes, and the smallest of them is no promise
//! for the others. What took more counts in full, up to three times the plan, beyond which something else was measured.
//! Memory that ran out is a measurement, too: more than there was is needed.
//!
//! Where the file is wrong, the sizes are assumed again.

mod factors;
mod kept;
mod kind;

pub(crate) use self::{
    factors::DecodeFactors,
    kept::{DecodeSizes, Took},
    kind::DecodeKind,
};
