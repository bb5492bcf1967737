//! The Hub's HTTP interface: what a repository has, and its files' bytes.
//!
//! - `client`: requests, redirects, the token
//! - `proxy`: through which proxy
//! - `listing`: a repository's commit, files and licence
//! - `patience`: what is tried again, and when
//! - `error`: what can go wrong

mod client;
mod error;
mod listing;
mod patience;
mod proxy;

pub(crate) use self::{
    client::{Client, Limits, Resume, offline},
    error::ApiError,
    listing::{HubFile, Listing},
    patience::{Patience, again},
};
