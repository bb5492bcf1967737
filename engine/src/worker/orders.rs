//! What the daemon wants, read on a thread of its own.

use std::{
    collections::VecDeque,
    io::BufRead,
    process,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::Duration,
};

use framepack_ipc::worker::{PauseAt, RenderRequest, Temperature, ToWorker};
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

/// The daemon's orders, in their order; what concerns the job being rendered overtakes, and so may questions.
#[derive(Debug)]
pub(super) struct Orders {
    inbox: mpsc::Receiver<Order>,
    /// What was overtaken.
    waiting: VecDeque<Order>,
    wishes: Arc<Wishes>,
}

impl Orders {
    /// Reads orders from `input` until it ends; then ends the process if it does not end itself.
    pub(super) fn listen(input: impl BufRead + Send + 'static) -> Self {
        let (sender, inbox) = mpsc::channel();
        let wishes = Arc::new(Wishes::default());
        let reader = Arc::clone(&wishes);
        thread::spawn(move || {
            read(input, &sender, &reader);
            drop(sender); // so that an idle worker sees the end and ends by itself
            reader.hear(|wish| wish.has_ended = true);
            thread::sleep(GRACE);
            // A step can take minutes, and running destructors under it would crash: no ordinary exit.
            kill(Pid::this(), Signal::SIGKILL).unwrap_or_else(|_| process::abort());
        });
        Self {
            inbox,
            waiting: VecDeque::new(),
            wishes,
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

    /// What is wanted now.
    pub(super) fn wish(&self) -> Wish {
        *self.wishes.now()
    }

    /// Waits until something was heard after `wish`.
    pub(super) fn wait_beyond(&self, wish: Wish) {
        let same = |now: &mut Wish| now.heard == wish.heard;
        let waited = self.wishes.news.wait_while(self.wishes.now(), same);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

/// What the daemon wants of the job that is being rendered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Wish {
    cancelled: Option<JobId>,
    pause: Option<(JobId, PauseAt)>,
    has_ended: bool,
    /// Counts what was heard, be it a wish or an order.
    heard: u64,
}

impl Wish {
    /// Whether `job` was cancelled, or the daemon has gone.
    pub(super) fn is_to_stop(self, job: JobId) -> bool {
        self.has_ended || self.cancelled == Some(job)
    }

    /// Whether `job` is to pause there.
    pub(super) fn is_to_pause(self, job: JobId, at: PauseAt) -> bool {
        self.pause == Some((job, at))
    }

    /// Forgets what was wanted of an earlier run of `job`: it came too late for that and is not meant for this.
    fn forget(&mut self, job: JobId) {
        self.cancelled.take_if(|cancelled| *cancelled == job);
        self.pause.take_if(|(paused, _)| *paused == job);
    }
}

/// The wish, between the thread that reads and the one that renders.
#[derive(Debug, Default)]
struct Wishes {
    wish: Mutex<Wish>,
    news: Condvar,
}

impl Wishes {
    fn now(&self) -> MutexGuard<'_, Wish> {
        // Plain data, which no panic leaves half written.
        self.wish.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, change: impl FnOnce(&mut Wish)) {
        let mut wish = self.now();
        change(&mut wish);
        wish.heard += 1;
        self.news.notify_all();
    }
}

/// Passes orders on; returns at the end of the input, or at the first line that is not an order.
fn read(input: impl BufRead, orders: &mpsc::Sender<Order>, wishes: &Wishes) {
    for line in input.lines().map_while(Result::ok) {
        let order = match serde_json::from_str(&line) {
            Ok(ToWorker::Render(request)) => {
                wishes.hear(|wish| wish.forget(request.job));
                Some(Order::Render(request))
            }
            Ok(ToWorker::Plan { ask, request }) => Some(Order::Plan(Question { ask, request })),
            Ok(ToWorker::Cool { to }) => Some(Order::Cool { to }),
            Ok(ToWorker::Cancel { job }) => {
                wishes.hear(|wish| wish.cancelled = Some(job));
                None
            }
            Ok(ToWorker::Pause { job, at }) => {
                wishes.hear(|wish| wish.pause = Some((job, at)));
                None
            }
            Ok(ToWorker::Resume { job }) => {
                wishes.hear(|wish| {
                    wish.pause.take_if(|(paused, _)| *paused == job);
                });
                None
            }
            Err(error) => {
                tracing::error!(%error, "not a message for a worker; the daemon seems to be of another version");
                return;
            }
        };
        let Some(order) = order else { continue };
        if orders.send(order).is_err() {
            return;
        }
        wishes.hear(|_| {}); // a job that stands still has a question to answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wished_is_for_its_job_and_not_for_a_later_attempt() {
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
        let after = |lines: &[&str]| {
            let (sender, inbox) = mpsc::channel();
            let mut orders = Orders {
                inbox,
                waiting: VecDeque::new(),
                wishes: Arc::default(),
            };
            read(lines.join("\n").as_bytes(), &sender, &orders.wishes);
            drop(sender);
            let Some(Order::Render(next)) = orders.next() else {
                panic!("no request");
            };
            (next.job, orders.wish())
        };
        let stopped_after = |lines: &[&str]| {
            let (job, wish) = after(lines);
            (job, wish.is_to_stop(JobId(3)))
        };
        let three = request(3);
        assert_eq!(stopped_after(&[&three]), (JobId(3), false));
        assert_eq!(stopped_after(&[&three, cancel]), (JobId(3), true));
        assert_eq!(stopped_after(&[&three, cancel, &three]), (JobId(3), false));
        assert_eq!(
            stopped_after(&[&request(4), &cancel.replace('3', "4")]),
            (JobId(4), false)
        );

        let pause = r#"{"type":"pause","job":3,"at":"step"}"#;
        let resume = r#"{"type":"resume","job":3}"#;
        let pauses_after = |lines: &[&str]| after(lines).1.is_to_pause(JobId(3), PauseAt::Step);
        assert!(pauses_after(&[&three, pause]));
        assert!(!pauses_after(&[&three, pause, resume]));
        assert!(!pauses_after(&[
            &three,
            pause,
            &pause.replace("step", "section")
        ]));
        assert!(!pauses_after(&[&three, pause, &three]));
        assert!(pauses_after(&[&three, pause, &resume.replace('3', "4")]));
    }
}
