//! The daemon: job files in, videos and reports out.
//!
//! # Layout
//!
//! - `daemon`: its parts, started and shut down; `setup`: what has to be there before; `shutdown`: how tasks hear of it
//! - `owner`: who started the daemon for a while, as `framepackctl run` does
//! - `folder`: the jobs folder, in a thread of its own; its `intake` is the way in for the socket, too
//! - `queue`: the one owner of all jobs; everybody else sends it messages
//! - `history`: how long jobs take on this farm, learned from those that were done
//! - `disk`: start images, videos and free space, each within the time limit of the share that they lie on
//! - `store`: sled and a journal, the truth about jobs; `opening`: the store opened, or a socket that says why it is not
//! - `events`: what happened, in a log for those who follow it
//! - `worker`: one supervisor for each device, with its `framepack-worker` process
//! - `server`: the Unix socket, one file a message; `roles`: who is at the other end, and what she may
//! - `running`: the configuration that the daemon runs with; `config_source`: where it comes from; `reload`: how it changes
//! - `record`: a job as it is stored, what became of a dropped file, and ids; `render`: a record → the worker's request
//! - `file`: files at a moment, and files that a crash leaves whole
//! - `state_dir`: the state directory, its lock and the daemon's identity; `retention`: what of it goes after a time
//! - `usage`: what jobs took of disks, energy and time; `caches`: what workers may find again
//! - `previews`: what jobs' videos look like, so far and in the end
//! - `folders`: the folders of the configuration; `start_error`: why the daemon does not start
//! - `offline`: `framepackd state`, while no daemon runs; `import_env`: `framepackd config import-env`
//! - `outage`: a fault of the farm that lasts, and when it is tried again; `remedy`: what to do about one of the models
//! - `clock`: the system's clock, and whether it can be believed
//! - `job_observer`: what happens to jobs, for the log, systemd and the metrics; `log`, `notify`, `metrics`: those three
//! - `farm`: figures of the farm that are not the queue's, for `status` and `top`
//! - `doctor`: checks of what rendering needs; `gpu`: what NVIDIA's library reports
//!
//! No libtorch here: a fault of the device ends a worker, not the daemon.

mod caches;
mod clock;
mod config_source;
mod daemon;
mod disk;
mod doctor;
mod events;
mod farm;
mod file;
mod folder;
mod folders;
mod gpu;
mod history;
mod import_env;
mod job_observer;
mod lacking;
mod log;
mod metrics;
mod notify;
mod nvidia;
mod offline;
mod opening;
mod outage;
mod owner;
mod previews;
mod queue;
mod record;
mod reload;
mod remedy;
mod render;
mod retention;
mod roles;
mod running;
mod server;
mod setup;
mod shutdown;
mod start_error;
mod state_dir;
mod store;
mod usage;
mod worker;

pub use self::{
    config_source::ConfigSource,
    daemon::run,
    gpu::report_gpus,
    import_env::import_env,
    lacking::unknown_lacks,
    log::start as start_log,
    offline::{StateAction, state},
    owner::Owner,
    start_error::StartError,
};
