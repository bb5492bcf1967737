//! The way to the daemon: a thread that asks it each second, and has changed what the user wants changed. It connects
//! again when the daemon has gone away.

use std::{
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    time::{Duration, Instant},
};

use framepack_ipc::{
    client::{Client, ClientError},
    control::{Request, Response},
    preview::{Preview, PreviewKind, PreviewRequest},
    queue::{Change, ChangeOutcome, ChangeRequest, Changed},
};

use framepack_jobs::JobId;

use super::{
    event::{Event, Events, Remark, View},
    preview::{Shown, Wanted},
};
use crate::daemon::Daemon;

/// Between two questions.
const PAUSE: Duration = Duration::from_secs(1);
/// How long an answer may take before the daemon is said not to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The connection, while there is one.
#[derive(Debug)]
pub(super) struct Link {
    daemon: Daemon,
    client: Option<Client>,
    /// Whose picture is wanted, and the one that was told last.
    wanted: Wanted,
    preview: Option<(JobId, Preview)>,
}

/// What the link is told to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) change: ChangeRequest,
    /// What was changed, for the user: `job 7`.
    pub(super) subject: String,
}

/// Where orders are given.
#[derive(Debug)]
pub(super) struct Orders(Sender<Order>);

impl Orders {
    pub(super) fn give(&self, order: Order) {
        // Its thread has panicked if nobody takes it, which is an event of its own.
        let _ = self.0.send(order);
    }
}

impl Link {
    pub(super) fn new(daemon: Daemon, wanted: Wanted) -> Self {
        Self {
            daemon,
            client: None,
            wanted,
            preview: None,
        }
    }

    /// Asks from now on, and carries out orders.
    pub(super) fn start(self, events: &Events) -> Orders {
        let (orders, inbox) = mpsc::channel();
        events.spawn(move |events| self.run(&inbox, events));
        Orders(orders)
    }

    fn run(mut self, orders: &Receiver<Order>, events: &Sender<Event>) {
        let mut due = Instant::now() + PAUSE;
        loop {
            let left = due.saturating_duration_since(Instant::now());
            let event = match orders.recv_timeout(left) {
                Ok(order) => {
                    // What has come of it is shown at once.
                    due = Instant::now();
                    self.carry_out(order)
                }
                Err(RecvTimeoutError::Timeout) => {
                    due = Instant::now() + PAUSE;
                    self.look().map_or_else(
                        |error| Event::Lost(error.to_string()),
                        |view| Event::View(Box::new(view)),
                    )
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            for event in std::iter::once(event).chain(self.picture()) {
                if events.send(event).is_err() {
                    return;
                }
            }
        }
    }

    /// The farm and the queue as they are now.
    pub(super) fn look(&mut self) -> Result<View, ClientError> {
        let Response::Farm(farm) = self.ask(&Request::Farm)? else {
            return Err(ClientError::Unexpected);
        };
        let Response::Queue(queue) = self.ask(&Request::Queue)? else {
            return Err(ClientError::Unexpected);
        };
        Ok(View { farm: *farm, queue })
    }

    fn carry_out(&mut self, order: Order) -> Event {
        let change = order.change.change;
        let remark = match self.ask(&Request::Change(order.change)) {
            Ok(Response::Changed { jobs, remark }) => {
                of_changed(&jobs, remark, &order.subject, change)
            }
            Ok(_) => Remark::Refused(ClientError::Unexpected.to_string()),
            Err(ClientError::Refused(envelope)) => {
                Remark::Refused(envelope.error.code.behind(&envelope.error.message))
            }
            Err(error) => return Event::Lost(error.to_string()),
        };
        Event::Changed(remark)
    }

    /// The picture that is wanted, if it is another one than before.
    fn picture(&mut self) -> Option<Event> {
        let job = self.wanted.get()?;
        let kind = PreviewKind::Latest;
        let preview = match self.ask(&Request::Preview(PreviewRequest { job, kind })) {
            Ok(Response::Preview(preview)) => Some((job, preview)),
            // There is none yet, or nobody tells: what keeps others from answering is told of them.
            _ => None,
        };
        if preview == self.preview {
            return None;
        }
        self.preview = preview;
        let shown = self.preview.as_ref();
        let shown = shown.and_then(|(job, preview)| Shown::of(*job, preview));
        Some(Event::Preview(shown))
    }

    fn ask(&mut self, request: &Request) -> Result<Response, ClientError> {
        let mut client = match self.client.take() {
            Some(client) => client,
            None => self
                .daemon
                .connect_before(Some(Instant::now() + PATIENCE))?,
        };
        client.set_deadline(Some(Instant::now() + PATIENCE));
        let answer = client.call(request);
        // After a refusal the connection goes on; after anything else there is none.
        if matches!(answer, Ok(_) | Err(ClientError::Refused(_))) {
            self.client = Some(client);
        }
        answer
    }
}

fn of_changed(jobs: &[Changed], remark: Option<String>, subject: &str, change: Change) -> Remark {
    let remarks = jobs.iter().filter_map(|changed| {
        let remark = changed.remark.as_ref()?;
        Some(format!("job {} {remark}", changed.job.id))
    });
    let told: Vec<String> = remarks.chain(remark).collect();
    let is_refused = |changed: &Changed| changed.outcome == ChangeOutcome::Refused;
    if jobs.iter().any(is_refused) {
        return Remark::Refused(told.join("; "));
    }
    if told.is_empty() {
        return Remark::Done(format!("{subject} {}", done(change)));
    }
    Remark::Done(told.join("; "))
}

fn done(change: Change) -> String {
    match change {
        Change::Cancel => "is cancelled".to_owned(),
        Change::CancelKeep => "is cancelled; what it has becomes a video".to_owned(),
        Change::Hold => "is held".to_owned(),
        Change::Release => "is released".to_owned(),
        Change::Pause { .. } => "is paused".to_owned(),
        Change::Resume => "goes on".to_owned(),
        Change::Priority { priority } => format!("has priority {priority}"),
        Change::Retry { .. } => "is queued again".to_owned(),
    }
}
