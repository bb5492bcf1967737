//! The daemon's messages, read on a thread of their own.

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

/// What the daemon asks for, one after the other.
#[derive(Debug)]
pub(super) enum Task {
    Render(Box<RenderRequest>),
    Plan(Question),
    /// Load the models of a job as those that will come, and answer with this number.
    Warm(Question),
    /// Give up memory, and answer with the number, if there is one.
    Cool {
        to: Temperature,
        ask: Option<u64>,
    },
}

/// A question about a job that is not to be rendered.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) ask: u64,
    pub(super) request: Box<RenderRequest>,
}

/// The daemon's tasks, in their order. What concerns the running job overtakes them, and questions may, too.
#[derive(Debug)]
pub(super) struct Inbox {
    receiver: mpsc::Receiver<Task>,
    /// What was overtaken.
    waiting: VecDeque<Task>,
    control: Arc<SharedControl>,
}

impl Inbox {
    /// Reads messages from `input` until it ends; then ends the process if it does not end itself.
    pub(super) fn listen(input: impl BufRead + Send + 'static) -> Self {
        let (sender, receiver) = mpsc::channel();
        let control = Arc::new(SharedControl::default());
        let reader = Arc::clone(&control);
        thread::spawn(move || {
            read(input, &sender, &reader);
            drop(sender); // so that an idle worker sees the end and ends by itself
            reader.update(|control| control.has_ended = true);
            thread::sleep(GRACE);
            // A step can take minutes, and running destructors under it would crash: no ordinary exit.
            kill(Pid::this(), Signal::SIGKILL).unwrap_or_else(|_| process::abort());
        });
        Self {
            receiver,
            waiting: VecDeque::new(),
            control,
        }
    }

    /// The next task, once there is one; `None` when the daemon has gone.
    pub(super) fn next(&mut self) -> Option<Task> {
        self.waiting
            .pop_front()
            .or_else(|| self.receiver.recv().ok())
    }

    /// The questions that have come; everything else keeps its place.
    pub(super) fn take_questions(&mut self) -> Vec<Question> {
        self.waiting.extend(self.receiver.try_iter());
        let mut questions = Vec::new();
        for task in std::mem::take(&mut self.waiting) {
            match task {
                Task::Plan(question) => questions.push(question),
                other => self.waiting.push_back(other),
            }
        }
        questions
    }

    /// The state that the running job should be in.
    pub(super) fn control(&self) -> JobControl {
        *self.control.now()
    }

    /// Waits until it has changed from `control`, or a task has come.
    pub(super) fn wait_for_change(&self, control: JobControl) {
        let same = |now: &mut JobControl| now.version == control.version;
        let waited = self.control.changed.wait_while(self.control.now(), same);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

/// What the daemon wants of the running job.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct JobControl {
    cancelled: Option<JobId>,
    pause: Option<(JobId, PauseAt)>,
    has_ended: bool,
    /// Counts messages of all kinds.
    version: u64,
}

impl JobControl {
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

/// Shared by the thread that reads and the one that renders.
#[derive(Debug, Default)]
struct SharedControl {
    control: Mutex<JobControl>,
    changed: Condvar,
}

impl SharedControl {
    fn now(&self) -> MutexGuard<'_, JobControl> {
        // Plain data, which no panic leaves half written.
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, change: impl FnOnce(&mut JobControl)) {
        let mut control = self.now();
        change(&mut control);
        control.version += 1;
        self.changed.notify_all();
    }
}

/// Passes messages on; returns at the end of the input, or at the first line that is not a message.
fn read(input: impl BufRead, inbox: &mpsc::Sender<Task>, control: &SharedControl) {
    for line in input.lines().map_while(Result::ok) {
        let task = match serde_json::from_str(&line) {
            Ok(ToWorker::Render(request)) => {
                control.update(|control| control.forget(request.job));
                Some(Task::Render(request))
            }
            Ok(ToWorker::Plan { ask, request }) => Some(Task::Plan(Question { ask, request })),
            Ok(ToWorker::Warm { ask, request }) => Some(Task::Warm(Question { ask, request })),
            Ok(ToWorker::Cool { to, ask }) => Some(Task::Cool { to, ask }),
            Ok(ToWorker::Cancel { job }) => {
                control.update(|control| control.cancelled = Some(job));
                None
            }
            Ok(ToWorker::Pause { job, at }) => {
                control.update(|control| control.pause = Some((job, at)));
                None
            }
            Ok(ToWorker::Resume { job }) => {
                control.update(|control| {
                    control.pause.take_if(|(paused, _)| *paused == job);
                });
                None
            }
            Err(error) => {
                tracing::error!(%error, "not a message for a worker; the daemon seems to be of another version");
                return;
            }
        };
        let Some(task) = task else { continue };
        if inbox.send(task).is_err() {
            return;
        }
        control.update(|_| {}); // a job that stands still has a question to answer
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
        let after = |lines: &[&str]| {
            let (sender, receiver) = mpsc::channel();
            let mut inbox = Inbox {
                receiver,
                waiting: VecDeque::new(),
                control: Arc::default(),
            };
            read(lines.join("\n").as_bytes(), &sender, &inbox.control);
            drop(sender);
            let Some(Task::Render(next)) = inbox.next() else {
                panic!("no request");
            };
            (next.job, inbox.control())
        };
        let stopped_after = |lines: &[&str]| {
            let (job, control) = after(lines);
            (job, control.is_to_stop(JobId(3)))
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
