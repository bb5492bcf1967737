//! What the daemon wants, read on a thread of its own.

use std::{
    collections::VecDeque,
    io::BufRead,
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use framepack_ipc::worker::{RenderRequest, Temperature, ToWorker};
use framepack_jobs::JobId;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// How long a job may take to reach its next step after the input ended.
const GRACE: Duration = Duration::from_millis(500);

/// What the daemon wants done.
#[derive(Debug)]
pub(super) enum Order {
    Render(Box<RenderRequest>),
    Plan(Question),
    Cool { to: Temperature },
}

/// A question for the memory that a job would take.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) ask: u64,
    pub(super) request: Box<RenderRequest>,
}

/// The daemon's orders, in their order; cancellations overtake, and so may questions.
#[derive(Debug)]
pub(super) struct Orders {
    inbox: mpsc::Receiver<Order>,
    /// What was overtaken.
    waiting: VecDeque<Order>,
    stop: Arc<Stop>,
}

impl Orders {
    /// Reads orders from `input` until it ends; then ends the process if it does not end itself.
    pub(super) fn listen(input: impl BufRead + Send + 'static) -> Self {
        let (sender, inbox) = mpsc::channel();
        let stop = Arc::new(Stop::default());
        let reader = Arc::clone(&stop);
        thread::spawn(move || {
            read(input, &sender, &reader);
            drop(sender); // so that an idle worker sees the end and ends by itself
            reader.stop(Stop::ALL);
            thread::sleep(GRACE);
            // A step can take minutes, and running destructors under it would crash: no ordinary exit.
            kill(Pid::this(), Signal::SIGKILL).unwrap_or_else(|_| process::abort());
        });
        Self {
            inbox,
            waiting: VecDeque::new(),
            stop,
        }
    }

    /// The next order, once there is one; `None` when the daemon has gone.
    pub(super) fn next(&mut self) -> Option<Order> {
        self.waiting.pop_front().or_else(|| self.inbox.recv().ok())
    }

    /// The questions that have come; everything else keeps its place.
    pub(super) fn take_questions(&mut self) -> Vec<Question> {
        self.waiting.extend(self.inbox.try_iter());
        let mut questions = Vec::new();
        for order in std::mem::take(&mut self.waiting) {
            match order {
                Order::Plan(question) => questions.push(question),
                other => self.waiting.push_back(other),
            }
        }
        questions
    }

    /// Whether `job` was cancelled, or the daemon has gone.
    pub(super) fn are_to_stop(&self, job: JobId) -> bool {
        let stopped = self.stop.0.load(Ordering::Relaxed);
        stopped == job.0 || stopped == Stop::ALL
    }
}

/// The job to stop.
#[derive(Debug)]
struct Stop(AtomicU64);

impl Default for Stop {
    fn default() -> Self {
        Self(AtomicU64::new(Self::NONE))
    }
}

impl Stop {
    /// Jobs are counted from 1.
    const NONE: u64 = 0;
    const ALL: u64 = u64::MAX;

    fn stop(&self, job: u64) {
        self.0.store(job, Ordering::Relaxed);
    }

    /// Forgets a cancellation of `job`, but no other.
    fn forget(&self, job: u64) {
        let _ = self
            .0
            .compare_exchange(job, Self::NONE, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// Passes orders on; returns at the end of the input, or at the first line that is not an order.
fn read(input: impl BufRead, orders: &mpsc::Sender<Order>, stop: &Stop) {
    for line in input.lines().map_while(Result::ok) {
        let order = match serde_json::from_str(&line) {
            Ok(ToWorker::Render(request)) => {
                // A cancellation that came too late for the job's last attempt is not meant for this one.
                stop.forget(request.job.0);
                Order::Render(request)
            }
            Ok(ToWorker::Plan { ask, request }) => Order::Plan(Question { ask, request }),
            Ok(ToWorker::Cool { to }) => Order::Cool { to },
            Ok(ToWorker::Cancel { job }) => {
                stop.stop(job.0);
                continue;
            }
            // The daemon does not ask for it yet.
            Ok(ToWorker::Pause { .. } | ToWorker::Resume { .. }) => continue,
            Err(error) => {
                tracing::error!(%error, "not a message for a worker; the daemon must be of another version");
                return;
            }
        };
        if orders.send(order).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancellation_is_for_its_job_and_not_for_a_later_attempt() {
        let request = |job: u64| {
            format!(
                r#"{{"type":"render","job":{job},"name":"a","bundle":"/b","f1_bundle":null,"model":"original",
                "image":"/i","image_name":"/i","prompt":"","negative_prompt":"","seed":1,"length_secs":1.0,"steps":null,
                "guidance":{{"distilled":10.0,"cfg":1.0,"rescale":0.0}},"bucket":null,"latent_window":null,
                "crf":16,"output":"/o","work_dir":"/w"}}"#
            )
            .replace('\n', " ")
        };
        let cancel = r#"{"type":"cancel","job":3}"#;
        let stopped_after = |lines: &[&str]| {
            let (sender, inbox) = mpsc::channel();
            let mut orders = Orders {
                inbox,
                waiting: VecDeque::new(),
                stop: Arc::default(),
            };
            read(lines.join("\n").as_bytes(), &sender, &orders.stop);
            drop(sender);
            let Some(Order::Render(next)) = orders.next() else {
                panic!("no request");
            };
            (next.job, orders.are_to_stop(JobId(3)))
        };
        let three = request(3);
        assert_eq!(stopped_after(&[&three]), (JobId(3), false));
        assert_eq!(stopped_after(&[&three, cancel]), (JobId(3), true));
        assert_eq!(stopped_after(&[&three, cancel, &three]), (JobId(3), false));
        assert_eq!(
            stopped_after(&[&request(4), &cancel.replace('3', "4")]),
            (JobId(4), false)
        );
    }
}
