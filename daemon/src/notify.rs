//! What systemd is told: `sd_notify`'s datagrams, written here since they are a line of text each.
//!
//! Without `NOTIFY_SOCKET` in the environment nobody listens, and nothing is sent.

use std::{
    convert::Infallible,
    env,
    future::pending,
    io,
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixDatagram},
    },
    process,
    sync::Arc,
    time::Duration,
};

use nix::time::{ClockId, clock_gettime};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::{debug, warn};

use crate::queue::QueueHandle;

/// The way to systemd; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notify(Option<Arc<UnixDatagram>>);

impl Notify {
    /// The socket that systemd named when it started the daemon.
    pub(crate) fn from_environment() -> Self {
        let Some(socket) = env::var("NOTIFY_SOCKET").ok() else {
            return Self(None);
        };
        match connect(&socket) {
            Ok(datagram) => Self(Some(Arc::new(datagram))),
            Err(error) => {
                warn!(socket, %error, "can't use systemd's notification socket: systemd will assume that the daemon never started");
                Self(None)
            }
        }
    }

    /// The daemon answers.
    pub(crate) fn ready(&self) {
        self.send(&format!("READY=1\nMAINPID={}", process::id()));
    }

    /// The daemon reads its configuration again; it is ready again afterwards.
    pub(crate) fn reloading(&self) {
        // Fails on no system that there is. Without its time systemd ignores the message.
        if let Ok(now) = clock_gettime(ClockId::CLOCK_MONOTONIC) {
            let usecs = Duration::from(now).as_micros();
            self.send(&format!("RELOADING=1\nMONOTONIC_USEC={usecs}"));
        }
    }

    /// The daemon has begun to stop.
    pub(crate) fn stopping(&self) {
        self.send("STOPPING=1\nSTATUS=stopping");
    }

    /// What it does, for `systemctl status`.
    pub(crate) fn status(&self, status: &str) {
        self.send(&format!("STATUS={}", status.replace('\n', " ")));
    }

    /// Tells systemd that the daemon lives while it has no queue yet.
    pub(crate) async fn live(&self) -> Infallible {
        let Some(patience) = watchdog() else {
            return pending().await;
        };
        let mut beats = interval(patience / 3);
        loop {
            beats.tick().await;
            self.alive();
        }
    }

    fn alive(&self) {
        self.send("WATCHDOG=1");
    }

    fn send(&self, message: &str) {
        let Some(socket) = &self.0 else { return };
        if let Err(error) = socket.send(message.as_bytes()) {
            debug!(%error, message, "notifying systemd");
        }
    }
}

fn connect(socket: &str) -> io::Result<UnixDatagram> {
    let address = match socket.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(socket)?,
    };
    let datagram = UnixDatagram::unbound()?;
    datagram.connect_addr(&address)?;
    // A systemd that does not listen must not stop the daemon.
    datagram.set_nonblocking(true)?;
    Ok(datagram)
}

/// How soon systemd misses the daemon, if it watches it.
fn watchdog() -> Option<Duration> {
    let number = |name: &str| env::var(name).ok()?.parse::<u64>().ok();
    let is_ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(process::id()));
    let usecs = number("WATCHDOG_USEC").filter(|usecs| *usecs > 0 && is_ours)?;
    Some(Duration::from_micros(usecs))
}

/// Tells systemd that the daemon lives for as long as the queue answers: it owns the jobs, and without it a daemon
/// is as good as dead, whatever else still runs.
pub(crate) async fn beat(notify: Notify, queue: QueueHandle) {
    if let Some(patience) = watchdog() {
        beat_while(&notify, patience, || async { queue.counts().await.is_ok() }).await;
    }
}

async fn beat_while<A>(notify: &Notify, patience: Duration, is_alive: impl Fn() -> A)
where
    A: Future<Output = bool>,
{
    let mut beats = interval(patience / 3);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beats.tick().await;
        match timeout(patience / 3, is_alive()).await {
            Ok(true) => notify.alive(),
            Ok(false) => return,
            Err(_) => warn!("the queue does not answer: systemd's watchdog is not notified"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn listener() -> (UnixDatagram, Notify, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let listener = UnixDatagram::bind(&path).unwrap();
        let notify = Notify(Some(Arc::new(connect(path.to_str().unwrap()).unwrap())));
        (listener, notify, folder)
    }

    fn heard(listener: &UnixDatagram) -> String {
        let mut bytes = [0; 256];
        let read = listener.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..read]).into_owned()
    }

    #[test]
    fn a_status_is_one_line() {
        let (listener, notify, _folder) = listener();
        notify.status("job 1 (cat)\nREADY=0");
        assert_eq!(heard(&listener), "STATUS=job 1 (cat) READY=0");
    }

    #[test]
    fn abstract_sockets_are_understood() {
        let name = format!("framepackd-test-{}", process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let listener = UnixDatagram::bind_addr(&address).unwrap();
        Notify(Some(Arc::new(connect(&format!("@{name}")).unwrap()))).stopping();
        assert_eq!(heard(&listener), "STOPPING=1\nSTATUS=stopping");
    }

    #[tokio::test]
    async fn a_stuck_queue_stops_the_beats() {
        let (listener, notify, _folder) = listener();
        let asked = Cell::new(0);
        let is_alive = || async {
            asked.set(asked.get() + 1);
            match asked.get() {
                1 | 2 => true,
                // Stuck once, which is found out by the next question.
                3 => std::future::pending().await,
                _ => false,
            }
        };
        beat_while(&notify, Duration::from_millis(30), is_alive).await;
        assert_eq!(asked.get(), 4);
        listener.set_nonblocking(true).unwrap();
        let mut beats = 0;
        while listener.recv(&mut [0; 64]).is_ok() {
            beats += 1;
        }
        assert_eq!(beats, 2, "none while it is stuck, none after it has ended");
    }
}
