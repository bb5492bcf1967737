//! The Unix socket: one task a connection, one file a message.
//!
//! - `listen`: the socket's file, and who is let in; `roles`: what each request takes; `limits`: how much of it
//! - `connection`: lines of JSON; `serve`: each connection's requests, one after the other; `answer`: which file answers
//! - `service`: what they work with; `devices`: those that a request names; `warmth`: what became of their memory
//! - `health`: what is wrong, for more than one of them; `unanswered`: why a request has no answer
//! - `closed`: the same socket while the store can't be opened

mod answer;
mod caches;
mod change;
mod closed;
mod config;
mod connection;
mod devices;
mod doctor;
mod edit;
mod enable;
mod event_log;
mod events;
mod farm;
mod gc;
mod health;
mod idle;
mod info;
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
mod reload;
mod remove;
mod roles;
mod scan;
mod selected;
mod serve;
mod service;
mod show;
mod start_image;
mod state;
mod submit;
mod unanswered;
mod unload;
mod usage;
mod warm_up;
mod warmth;

pub(crate) use self::{
    closed::{Closed, RepairRequest, serve_closed},
    health::tell_health,
    listen::bind,
    serve::serve,
    service::Service,
};
