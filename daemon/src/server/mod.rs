//! The Unix socket: one task a connection, one file a message.
//!
//! - `listen`: the socket's file, and who is let in; `roles`: who may do what; `limits`: how much of it
//! - `connection`: lines of JSON; `serve`: each connection's requests, one after the other; `answer`: which file answers
//! - `service`: what they work with; `unanswered`: why a request has no answer
//! - `closed`: the same socket while the store can't be opened

mod answer;
mod change;
mod closed;
mod config;
mod connection;
mod degraded;
mod doctor;
mod enable;
mod events;
mod farm;
mod limits;
mod list;
mod listen;
mod log;
mod metrics;
mod ping;
mod plan;
mod preview;
mod queue;
mod records;
mod roles;
mod scan;
mod selected;
mod serve;
mod service;
mod show;
mod state;
mod submit;
mod unanswered;

pub(crate) use self::{
    closed::{Closed, RepairRequest, serve_closed},
    listen::bind,
    roles::Roles,
    serve::serve,
    service::Service,
};
