//! A model bundle on the disk: where its parts are, and what a look at names, lengths and headers tells of its files.
//!
//! The worker and the daemon's doctor look with the same eyes. No weight is read here, and no torch is needed.
//!
//! - `layout`: the folders of components
//! - `hub_cache`: the commit that counts in the Hub's cache of a repository
//! - `stand_in`: what lies in the place of a file that was not downloaded, or not to its end
//! - `header`: the tensors of a safetensors file, and how long a safetensors file has to be
//! - `published`: the published transformer's sizes, by which a default is chosen
//! - `check`: all of that for a whole bundle

mod check;
mod error;
mod header;
mod hub_cache;
mod layout;
mod outline;
mod published;
mod stand_in;

pub use self::{
    check::{Finding, Look, look, look_at},
    error::BundleError,
    header::{Fault, Header, Tensor},
    hub_cache::commit as hub_commit,
    layout::{Bundle, Component},
    published::is_published_transformer,
    stand_in::{Kind, StandIn, of as stand_in, pickle},
};
