//! Orders of users for what a worker without a job holds in memory: models are loaded before the first job needs them, or
//! memory is given up at once.

use std::{collections::BTreeMap, future, sync::Arc, time::Duration};

use framepack_ipc::worker::{HeldMemory, RenderRequest, Temperature};
use framepack_jobs::{Failure, Model};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

/// Orders that may wait for one worker.
const BACKLOG: usize = 4;

/// What a user wants of a worker.
#[derive(Debug)]
pub(crate) enum Wish {
    /// What this job would need is loaded.
    Load(Box<RenderRequest>),
    /// No more is kept than this.
    Keep(Temperature),
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Warm {
    pub(crate) temperature: Temperature,
    /// `None`: the worker does not tell.
    pub(crate) memory: Option<HeldMemory>,
}

/// Why nothing came of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum NotDone {
    /// The worker has got a job meanwhile.
    Busy,
    /// The worker has died.
    Gone,
    /// The worker's program is of an earlier version.
    Unable,
    /// The models can't be loaded.
    Failed(Box<Failure>),
}

#[derive(Debug)]
struct Order {
    wish: Wish,
    reply: oneshot::Sender<Result<Warm, NotDone>>,
}

/// The way to the workers, by device; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Warmth(Arc<BTreeMap<String, mpsc::Sender<Order>>>);

impl Warmth {
    /// The way to the workers of these devices, and for each of them its supervisor's end.
    pub(super) fn new<'a>(devices: impl Iterator<Item = &'a str>) -> (Self, Vec<Orders>) {
        let (ways, ends) = devices
            .map(|device| {
                let (sender, inbox) = mpsc::channel(BACKLOG);
                ((device.to_owned(), sender), Orders::new(inbox))
            })
            .unzip();
        (Self(Arc::new(ways)), ends)
    }

    /// Has an idle worker do this, however long that takes.
    pub(crate) async fn order(&self, device: &str, wish: Wish) -> Result<Warm, NotDone> {
        let (reply, answer) = oneshot::channel();
        let way = self.0.get(device).ok_or(NotDone::Gone)?;
        let sent = way.send(Order { wish, reply }).await;
        sent.map_err(|_| NotDone::Gone)?;
        answer.await.unwrap_or(Err(NotDone::Gone))
    }
}

/// A supervisor's end: orders that came, and the one that its worker carries out.
#[derive(Debug)]
pub(super) struct Orders {
    inbox: mpsc::Receiver<Order>,
    open: Option<OpenOrder>,
    last: u64,
}

/// An order that a worker carries out.
#[derive(Debug)]
struct OpenOrder {
    ask: u64,
    /// The model that is loaded, if any is.
    model: Option<Model>,
    since: Instant,
    reply: oneshot::Sender<Result<Warm, NotDone>>,
}

impl Orders {
    fn new(inbox: mpsc::Receiver<Order>) -> Self {
        Self {
            inbox,
            open: None,
            last: 0,
        }
    }

    /// The next order and its number; one at a time. Safe to use in `select!`: no order is lost.
    pub(super) async fn next(&mut self) -> (u64, Wish) {
        if self.open.is_some() {
            return future::pending().await;
        }
        while let Some(Order { wish, reply }) = self.inbox.recv().await {
            if !reply.is_closed() {
                self.last += 1;
                self.open = Some(OpenOrder {
                    ask: self.last,
                    model: match &wish {
                        Wish::Load(request) => Some(request.model),
                        Wish::Keep(_) => None,
                    },
                    since: Instant::now(),
                    reply,
                });
                return (self.last, wish);
            }
        }
        // Nobody is left who could order anything.
        future::pending().await
    }

    /// Whether the worker is carrying out an order.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// The model that the order with this number has loaded; `None`: it is another one, or loads none.
    pub(super) fn model(&self, ask: u64) -> Option<Model> {
        let open = self.open.as_ref().filter(|open| open.ask == ask);
        open.and_then(|open| open.model)
    }

    /// When the worker counts as hung that may take so long.
    pub(super) fn due(&self, patience: Duration) -> Option<Instant> {
        self.open.as_ref().map(|open| open.since + patience)
    }

    /// Passes on what the worker holds now, or why it could not do what was wanted.
    pub(super) fn held(
        &mut self,
        temperature: Temperature,
        memory: Option<HeldMemory>,
        failure: Option<Failure>,
    ) {
        self.answer(match failure {
            None => Ok(Warm {
                temperature,
                memory,
            }),
            Some(failure) => Err(NotDone::Failed(Box::new(failure))),
        });
    }

    /// Passes on what came of the order.
    pub(super) fn answer(&mut self, outcome: Result<Warm, NotDone>) {
        if let Some(open) = self.open.take() {
            // The client may have given up.
            let _ = open.reply.send(outcome);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLD: Warm = Warm {
        temperature: Temperature::Cold,
        memory: None,
    };

    #[tokio::test]
    async fn orders_are_carried_out_one_after_the_other() {
        let (warmth, mut ends) = Warmth::new(["cpu"].into_iter());
        let orders = &mut ends[0];
        let worker = async {
            let (first, _) = orders.next().await;
            assert!(orders.is_open() && orders.model(first).is_none());
            let second = tokio::time::timeout(Duration::ZERO, orders.next()).await;
            assert!(second.is_err(), "the first is not answered");
            orders.answer(Ok(COLD));
            let (second, _) = orders.next().await;
            assert!(second > first);
            orders.answer(Err(NotDone::Busy));
        };
        let cool = || warmth.order("cpu", Wish::Keep(Temperature::Cold));
        let (first, second, ()) = tokio::join!(cool(), cool(), worker);
        assert_eq!((first, second), (Ok(COLD), Err(NotDone::Busy)));
    }

    #[tokio::test]
    async fn a_device_without_a_worker_is_gone() {
        let (warmth, ends) = Warmth::new(["cpu"].into_iter());
        let order = |device| warmth.order(device, Wish::Keep(Temperature::Cold));
        assert_eq!(order("cuda:7").await, Err(NotDone::Gone));
        drop(ends);
        assert_eq!(order("cpu").await, Err(NotDone::Gone));
    }
}
