//! The GPUs as they were when they were last asked for, and when they are asked again.

use std::{
    env,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use framepack_ipc::farm::GpuFigures;
use tokio::sync::{Mutex as AsyncMutex, watch};
use tracing::{debug, info, warn};

use super::{
    report::{Answer, Gpu},
    reporter::Reporter,
};

/// Time between two looks while jobs run.
const PAUSE: Duration = Duration::from_secs(5);
/// What is younger than this is not asked again.
const FRESH: Duration = Duration::from_secs(1);
/// A driver that does not answer is left alone for this long.
const REST: Duration = Duration::from_mins(1);

/// The GPUs; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gpus(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    latest: Mutex<Vec<Gpu>>,
    /// What was told last, and when, also by a driver that does not answer any more.
    told: Mutex<Option<(Vec<Gpu>, Instant)>>,
    /// Held by whoever asks.
    desk: AsyncMutex<Desk>,
    /// Jobs that run.
    runs: watch::Sender<u32>,
}

/// Who is asked.
#[derive(Debug, Default)]
struct Desk {
    source: Source,
    reporter: Option<Reporter>,
    asked: Option<Instant>,
}

/// Where answers come from.
#[derive(Debug, Default)]
enum Source {
    /// Nowhere: nothing is reported.
    #[default]
    None,
    /// A process of this program.
    Reporter,
    /// The same, once a driver that does not answer has had its rest.
    Silent { since: Instant },
}

impl Gpus {
    /// Asks now, and every few seconds while jobs run, if there is anything to ask.
    pub(crate) async fn watch() -> Self {
        let gpus = Self::default();
        gpus.0.desk.lock().await.source = Source::Reporter;
        let watcher = gpus.clone();
        tokio::spawn(async move {
            watcher.refresh().await;
            watcher.follow().await;
        });
        gpus
    }

    /// Keeps the figures fresh while jobs run. The other process ends with the last of them.
    async fn follow(&self) {
        let mut runs = self.0.runs.subscribe();
        while runs.wait_for(|runs| *runs > 0).await.is_ok() {
            self.refresh().await;
            tokio::time::sleep(PAUSE).await;
            if *runs.borrow() == 0 {
                self.0.desk.lock().await.reporter = None;
            }
        }
    }

    /// Asks again, unless that was done a moment ago.
    pub(crate) async fn refresh(&self) {
        let mut desk = self.0.desk.lock().await;
        if desk.asked.is_some_and(|asked| asked.elapsed() < FRESH) {
            return;
        }
        match desk.source {
            Source::None => return,
            Source::Silent { since } if since.elapsed() < REST => return,
            Source::Silent { .. } | Source::Reporter => {}
        }
        let found = desk.ask().await;
        if *self.0.runs.borrow() == 0 {
            desk.reporter = None;
        }
        self.set(found);
    }

    /// Asks again without anybody waiting for it, unless that was done lately.
    pub(crate) fn refresh_later(&self) {
        let is_recent = self.told().is_some_and(|(_, at)| at.elapsed() < PAUSE);
        if !is_recent {
            let gpus = self.clone();
            tokio::spawn(async move { gpus.refresh().await });
        }
    }

    /// A job begins.
    pub(crate) fn run_begins(&self) {
        self.0.runs.send_modify(|runs| *runs += 1);
    }

    /// A job has ended.
    pub(crate) fn run_ends(&self) {
        self.0
            .runs
            .send_modify(|runs| *runs = runs.saturating_sub(1));
    }

    /// As they were when they were last asked for.
    pub(crate) fn latest(&self) -> Vec<Gpu> {
        self.0
            .latest
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The GPU that a worker knows as `cuda:N`.
    pub(crate) fn of_device(&self, device: &str) -> Option<Gpu> {
        find(device, self.latest())
    }

    /// The same as its driver told last, whenever that was.
    pub(crate) fn figures(&self, device: &str) -> Option<GpuFigures> {
        let (gpus, at) = self.told()?;
        let gpu = find(device, gpus)?;
        Some(GpuFigures {
            total_bytes: gpu.total_bytes,
            used_bytes: gpu.used_bytes,
            foreign_bytes: gpu.foreign_bytes,
            temperature_celsius: gpu.temperature_celsius,
            power_watts: gpu.power_watts,
            age_secs: at.elapsed().as_secs_f64(),
        })
    }

    fn told(&self) -> Option<(Vec<Gpu>, Instant)> {
        let told = self.0.told.lock();
        told.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, gpus: Vec<Gpu>) {
        if !gpus.is_empty() {
            let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
            *told = Some((gpus.clone(), Instant::now()));
        }
        *self.0.latest.lock().unwrap_or_else(PoisonError::into_inner) = gpus;
    }
}

impl Desk {
    /// What there is to report. A process that fails is gone; the next question starts another one.
    async fn ask(&mut self) -> Vec<Gpu> {
        let is_first = self.asked.is_none();
        let answer = match self.reporter.take().map_or_else(Reporter::start, Ok) {
            Ok(mut reporter) => {
                let answer = reporter.ask().await;
                self.reporter = answer.is_ok().then_some(reporter);
                answer
            }
            Err(error) => Err(error),
        };
        self.asked = Some(Instant::now());
        match answer {
            Ok(Answer::Gpus(gpus)) => {
                if is_first {
                    info!(gpus = gpus.len(), "found NVIDIA's management library");
                }
                self.source = Source::Reporter;
                gpus
            }
            Ok(Answer::NoLibrary(reason)) => {
                debug!(reason, "no NVIDIA GPUs to report on");
                self.reporter = None;
                self.source = Source::None;
                Vec::new()
            }
            Err(error) => {
                if !matches!(self.source, Source::Silent { .. }) {
                    warn!(%error, "asking for the GPUs' figures");
                }
                self.source = Source::Silent {
                    since: Instant::now(),
                };
                Vec::new()
            }
        }
    }
}

fn find(device: &str, gpus: Vec<Gpu>) -> Option<Gpu> {
    let visible = env::var("CUDA_VISIBLE_DEVICES").ok();
    let wanted = named(device, visible.as_deref())?;
    gpus.into_iter().find(|gpu| {
        wanted.parse() == Ok(gpu.index) || (!wanted.is_empty() && gpu.uuid.starts_with(&wanted))
    })
}

/// The driver's number or identifier of `cuda:N`: the N-th that CUDA may see. Workers are told to number GPUs by their
/// place on the bus, as the driver does.
fn named(device: &str, visible: Option<&str>) -> Option<String> {
    let number: usize = device.strip_prefix("cuda:")?.parse().ok()?;
    match visible {
        None => Some(number.to_string()),
        Some(list) => list
            .split(',')
            .nth(number)
            .map(|name| name.trim().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_numbered_as_cuda_sees_them() {
        assert_eq!(named("cuda:1", None).as_deref(), Some("1"));
        assert_eq!(named("cuda:1", Some("3, 2")).as_deref(), Some("2"));
        assert_eq!(
            named("cuda:0", Some("GPU-12ab")).as_deref(),
            Some("GPU-12ab")
        );
        assert_eq!(named("cuda:2", Some("0,1")), None);
        assert_eq!(named("cpu", None), None);
    }

    #[test]
    fn a_device_is_found_by_number_and_by_identifier() {
        let gpus = Gpus::default();
        gpus.set(vec![Gpu {
            index: 0,
            uuid: "GPU-12ab".to_owned(),
            ..Gpu::default()
        }]);
        assert_eq!(gpus.of_device("cpu"), None);
        assert_eq!(gpus.of_device("cuda:0").map(|gpu| gpu.index), Some(0));
        assert_eq!(gpus.of_device("cuda:1"), None);
        // Its driver does not answer any more.
        gpus.set(Vec::new());
        assert_eq!(gpus.of_device("cuda:0"), None);
        assert!(gpus.figures("cuda:0").is_some());
    }

    #[tokio::test]
    async fn where_nobody_is_asked_nothing_is_reported() {
        let gpus = Gpus::default();
        gpus.refresh().await;
        assert_eq!(gpus.latest(), []);
    }
}
