//! The Hub's HTTP interface: what a repository has, and its files' bytes.
//!
//! - `client`: requests, redirects, the token
//! - `agents`: connections, direct or through a proxy; `certificates`: those that the user names
//! - `proxy`: through which proxy; `no_proxy`: which hosts are asked without it
//! - `listing`: a repository's commit, files and licence
//! - `pace`: how fast bytes come
//! - `patience`: what is tried again, and when
//! - `error`: what can go wrong; `reason`: why a connection failed, in words

mod agents;
mod certificates;
mod client;
mod error;
mod listing;
mod no_proxy;
mod pace;
mod patience;
mod proxy;
mod reason;

pub(crate) use self::{
    client::{Answer, Client, Limits, Resume, keep, offline},
    error::ApiError,
    listing::{HubFile, Listing},
    patience::{Patience, again},
    reason::of_read,
};
