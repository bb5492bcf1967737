//! Questions to workers that are no jobs: what memory a job would take.
//!
//! A worker answers between two steps; until then its supervisor keeps the question open.

use std::{
    collections::{BTreeMap, HashMap},
    future,
    sync::Arc,
    time::Duration,
};

use framepack_ipc::worker::{PlanOutcome, RenderRequest, ToWorker};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

/// Questions that may wait for one worker, and that it may have to answer.
const BACKLOG: usize = 16;

/// A question, and where its answer goes.
#[derive(Debug)]
struct Question {
    request: Box<RenderRequest>,
    reply: oneshot::Sender<PlanOutcome>,
}

/// The way to the workers, by device; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Planners(Arc<BTreeMap<String, mpsc::Sender<Question>>>);

/// The worker died, or did not answer in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoAnswer;

impl Planners {
    /// The way to the workers of these devices, and for each of them its supervisor's end.
    pub(crate) fn new<'a>(devices: impl Iterator<Item = &'a str>) -> (Self, Vec<Questions>) {
        let (ways, ends) = devices
            .map(|device| {
                let (sender, inbox) = mpsc::channel(BACKLOG);
                ((device.to_owned(), sender), Questions::new(inbox))
            })
            .unzip();
        (Self(Arc::new(ways)), ends)
    }

    /// Has the worker of `device` plan a job.
    pub(crate) async fn plan(
        &self,
        device: &str,
        request: RenderRequest,
        patience: Duration,
    ) -> Result<PlanOutcome, NoAnswer> {
        let (reply, answer) = oneshot::channel();
        let ask = Question {
            request: Box::new(request),
            reply,
        };
        let way = self.0.get(device).ok_or(NoAnswer)?;
        let answered = async {
            way.send(ask).await.map_err(|_| NoAnswer)?;
            answer.await.map_err(|_| NoAnswer)
        };
        timeout(patience, answered).await.unwrap_or(Err(NoAnswer))
    }
}

/// A supervisor's end: questions that came, and those that its worker has not answered.
#[derive(Debug)]
pub(crate) struct Questions {
    inbox: mpsc::Receiver<Question>,
    open: HashMap<u64, oneshot::Sender<PlanOutcome>>,
    last: u64,
}

impl Questions {
    fn new(inbox: mpsc::Receiver<Question>) -> Self {
        Self {
            inbox,
            open: HashMap::new(),
            last: 0,
        }
    }

    /// The next question, as the worker is to hear it. Safe to use in `select!`: no question is lost.
    pub(super) async fn next(&mut self) -> ToWorker {
        self.open.retain(|_, reply| !reply.is_closed());
        if self.open.len() >= BACKLOG {
            // Asked again after each message of the worker: one that stands still has questions enough.
            return future::pending().await;
        }
        while let Some(Question { request, reply }) = self.inbox.recv().await {
            if !reply.is_closed() {
                self.last += 1;
                self.open.insert(self.last, reply);
                return ToWorker::Plan {
                    ask: self.last,
                    request,
                };
            }
        }
        // Nobody is left who could ask.
        future::pending().await
    }

    /// Passes the worker's answer on.
    pub(super) fn answer(&mut self, ask: u64, outcome: PlanOutcome) {
        if let Some(reply) = self.open.remove(&ask) {
            // The client may have given up.
            let _ = reply.send(outcome);
        }
    }

    /// The worker is gone: nothing that is open will be answered.
    pub(super) fn give_up(&mut self) {
        self.open.clear();
    }
}

#[cfg(test)]
mod tests {
    use framepack_jobs::{Code, Failure};

    use super::*;

    fn request() -> RenderRequest {
        let json = r#"{"job":0,"name":"a","bundle":"/b","f1_bundle":null,"model":"original","image":"/i",
            "image_name":"/i","prompt":"","negative_prompt":"","seed":1,"length_secs":1.0,"steps":null,
            "guidance":{"distilled":10.0,"cfg":1.0,"rescale":0.0},"bucket":null,"latent_window":null,
            "crf":16,"output":"/o","work_dir":"/w"}"#;
        serde_json::from_str(json).unwrap()
    }

    fn refused(message: &str) -> PlanOutcome {
        PlanOutcome::Refused(Failure::new(Code::DOES_NOT_FIT, message))
    }

    async fn asked(questions: &mut Questions) -> u64 {
        match questions.next().await {
            ToWorker::Plan { ask, .. } => ask,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn answers_go_to_those_who_asked() {
        let (planners, mut ends) = Planners::new(["cpu"].into_iter());
        let questions = &mut ends[0];
        let patience = Duration::from_mins(5);
        let worker = async {
            let (first, second) = (asked(questions).await, asked(questions).await);
            questions.answer(second, refused("second"));
            questions.answer(first, refused("first"));
        };
        let (first, second, ()) = tokio::join!(
            planners.plan("cpu", request(), patience),
            planners.plan("cpu", request(), patience),
            worker,
        );
        assert_eq!(first, Ok(refused("first")));
        assert_eq!(second, Ok(refused("second")));
    }

    #[tokio::test]
    async fn a_dead_worker_and_a_slow_one_are_silent() {
        let (planners, mut ends) = Planners::new(["cpu"].into_iter());
        let questions = &mut ends[0];
        let worker = async {
            asked(questions).await;
            questions.give_up();
        };
        let patience = Duration::from_mins(5);
        let (dead, ()) = tokio::join!(planners.plan("cpu", request(), patience), worker);
        assert_eq!(dead, Err(NoAnswer));
        let slow = planners.plan("cpu", request(), Duration::ZERO).await;
        assert_eq!(slow, Err(NoAnswer));
        let none = planners.plan("cuda:7", request(), patience).await;
        assert_eq!(none, Err(NoAnswer));
    }
}
