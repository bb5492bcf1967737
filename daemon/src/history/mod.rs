//! How long jobs take on this farm, learned from those that were done.
//!
//! A job's time is taken apart into what grows by known laws: what comes before the first step depends on what the
//! worker has loaded; sampling grows with the steps that are computed and with the tokens of each; decoding and writing
//! grow with the pixels of all frames. What jobs just like the next one took is taken as it is; else it is scaled from
//! those that are nearest, and the range says how far that may be off. What was never seen has no estimate.
//!
//! Pure functions of what has been learned; nothing of it is on the disk but the jobs' own records.
//!
//! - `kind`: what of a job decides its time, as far as that is known before it begins; `work`: how much there is to do
//! - `sample`: what a finished job tells; `kinship`: how near it is to one that is asked for
//! - `owner`: the samples, and which of them a job is estimated from
//! - `scale`: from one job to another; `range`: a time and how sure it is

mod kind;
mod kinship;
mod owner;
mod range;
mod sample;
mod scale;
mod work;

pub(crate) use self::{
    kind::Kind, kinship::Question, owner::History, range::Range, scale::Times, work::Work,
};

#[cfg(test)]
mod tests;
