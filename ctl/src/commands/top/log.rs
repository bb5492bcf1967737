//! A job's log as it grows: a thread that reads it until nobody wants it any more.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::Sender,
    },
    time::{Duration, Instant},
};

use framepack_ipc::{
    client::ClientError,
    control::{LogsRequest, Request, Response, Stream},
};
use framepack_jobs::JobId;

use super::event::{Event, Events};
use crate::{commands::logs::in_words, daemon::Daemon};

/// How often it is looked whether anybody still wants it.
const PATIENCE: Duration = Duration::from_secs(1);

/// The thread reads as long as this is there.
#[derive(Debug)]
pub(super) struct LogFollower {
    unwanted: Arc<AtomicBool>,
}

impl LogFollower {
    pub(super) fn start(daemon: Daemon, job: JobId, events: &Events) -> Self {
        let unwanted = Arc::new(AtomicBool::new(false));
        let follower = Self {
            unwanted: Arc::clone(&unwanted),
        };
        events.spawn(move |events| {
            if let Err(error) = follow(&daemon, job, &unwanted, events) {
                let _ = events.send(Event::Log(
                    job,
                    vec![format!("no more of this log: {error}")],
                ));
            }
        });
        follower
    }
}

impl Drop for LogFollower {
    fn drop(&mut self) {
        self.unwanted.store(true, Ordering::Relaxed);
    }
}

fn follow(
    daemon: &Daemon,
    job: JobId,
    unwanted: &AtomicBool,
    events: &Sender<Event>,
) -> Result<(), ClientError> {
    let mut client = daemon.connect()?;
    let follow = true;
    let log = Stream::Log(LogsRequest { job, follow });
    let mut answer = client.call(&Request::Stream(log));
    loop {
        match answer {
            Ok(Response::Log { lines }) => {
                let lines = lines.iter().map(|line| in_words(line)).collect();
                if events.send(Event::Log(job, lines)).is_err() {
                    return Ok(());
                }
            }
            Ok(Response::End) => return Ok(()),
            Ok(_) => return Err(ClientError::Unexpected),
            // Nothing new.
            Err(ClientError::TimedOut) => {}
            Err(error) => return Err(error),
        }
        if unwanted.load(Ordering::Relaxed) {
            return Ok(());
        }
        client.set_deadline(Some(Instant::now() + PATIENCE));
        answer = client.receive();
    }
}
