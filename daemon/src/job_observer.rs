//! Observes all jobs, and reports their progress to the log, to systemd and to [`crate::metrics`].

use std::{collections::HashMap, time::Duration};

use framepack_jobs::{Job, JobId, JobState, Phase, Progress};
use tokio::{
    select,
    sync::broadcast::error::RecvError,
    time::{Instant, sleep_until},
};
use tracing::{debug, info, warn};

use crate::{gpu::Gpus, metrics::Totals, notify::Notify, queue::QueueHandle};

/// Least time between two lines for `systemctl status`.
const STATUS_PAUSE: Duration = Duration::from_secs(1);

/// Follows all jobs until the queue ends.
#[derive(Debug)]
pub(crate) struct JobObserver {
    pub(crate) queue: QueueHandle,
    pub(crate) notify: Notify,
    pub(crate) totals: Totals,
    pub(crate) gpus: Gpus,
}

/// Where running jobs were last seen.
#[derive(Debug, Default)]
struct LastSeen {
    places: HashMap<JobId, (Phase, u32)>,
    /// What the latest running job does, for `systemctl status`.
    running: Option<(JobId, String)>,
}

impl JobObserver {
    pub(crate) async fn run(self) {
        let mut changes = self.queue.subscribe();
        let mut seen = LastSeen::default();
        let mut status_due = Some(Instant::now());
        loop {
            select! {
                change = changes.recv() => match change {
                    Ok(job) => {
                        self.totals.count(&job);
                        seen.note(&job, &self.gpus);
                        status_due = status_due.or(Some(Instant::now() + STATUS_PAUSE));
                    }
                    Err(RecvError::Lagged(missed)) => warn!(missed, "too many changes at once: the log skips some"),
                    Err(RecvError::Closed) => return,
                },
                () = sleep_until(status_due.unwrap_or_else(Instant::now)), if status_due.is_some() => {
                    status_due = None;
                    if self.tell_status(&seen).await.is_none() {
                        return;
                    }
                }
            }
        }
    }

    /// `None`: the queue has ended.
    async fn tell_status(&self, seen: &LastSeen) -> Option<()> {
        let summary = self.queue.summary().await.ok()?;
        let doing = seen.running.as_ref().map_or("idle", |(_, doing)| doing);
        let paused = summary
            .paused
            .map_or(String::new(), |why| format!("no job starts: {why}; "));
        self.notify
            .status(&format!("{paused}{doing}; {} queued", summary.queued));
        Some(())
    }
}

impl LastSeen {
    fn note(&mut self, job: &Job, gpus: &Gpus) {
        let JobState::Running {
            progress, device, ..
        } = &job.state
        else {
            self.places.remove(&job.id);
            self.running.take_if(|(id, _)| *id == job.id);
            return;
        };
        let Some(progress) = progress else { return };
        self.running = Some((job.id, in_words(job, progress)));
        let Progress {
            phase,
            section,
            sections,
            step,
            steps,
            ..
        } = *progress;
        let place = (phase, section);
        if self.places.insert(job.id, place) == Some(place) {
            debug!(job = %job.id, phase = phase.as_str(), section, step, "step {step} of {steps}");
        } else {
            let gpu = gpus.of_device(device);
            let vram_free_mib = gpu.map(|gpu| (gpu.total_bytes - gpu.used_bytes) >> 20);
            info!(job = %job.id, vram_free_mib, phase = phase.as_str(), section, step, "{}, {section} of {sections} sections done", phase.as_str());
        }
    }
}

fn in_words(job: &Job, progress: &Progress) -> String {
    let Progress {
        phase,
        section,
        sections,
        step,
        steps,
        timeline,
    } = progress;
    let reused = match timeline.reused() {
        0 => String::new(),
        reused => format!(" ({reused} reused)"),
    };
    format!(
        "job {} ({}): {}, {section} of {sections} sections done, step {step} of {steps}{reused}",
        job.id,
        job.name,
        phase.as_str()
    )
}
