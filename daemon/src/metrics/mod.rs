//! The daemon's metrics as OpenMetrics text, for `framepackctl metrics` and the node exporter's textfile collector.

mod folder;
mod text;
mod totals;

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use framepack_config::Paths;
use framepack_ipc::control::WorkerState;
use framepack_jobs::{StateName, Timestamp};
use tokio::{select, sync::watch as latest, time::sleep};
use tracing::warn;

pub(crate) use totals::Totals;

use self::text::{Family, Text};
use crate::{
    disk::Disk,
    file::free_bytes,
    folder::View,
    gpu::Gpus,
    queue::{QueueHandle, Stopping},
    running::RunningConfig,
};

/// Time between two versions of the text file.
const TEXTFILE_PAUSE: Duration = Duration::from_secs(15);

/// Where the metrics come from; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    pub(crate) queue: QueueHandle,
    pub(crate) disk: Disk,
    pub(crate) totals: Totals,
    pub(crate) gpus: Gpus,
    /// Folders whose free space is reported, with their names.
    pub(crate) folders: [(&'static str, PathBuf); 3],
    /// What the folder's thread tells.
    pub(crate) folder: latest::Receiver<View>,
    pub(crate) started: Instant,
}

/// The folders of the configuration whose file systems may fill up.
pub(crate) fn folders(paths: &Paths) -> [(&'static str, PathBuf); 3] {
    [
        ("jobs", paths.jobs.clone()),
        ("state", paths.state.clone()),
        ("outputs", paths.outputs.clone()),
    ]
}

impl Metrics {
    /// All metrics as they are now.
    pub(crate) async fn text(&self) -> Result<String, Stopping> {
        let mut text = Text::default();
        text.family(Family::gauge(
            "framepackd_up_seconds",
            "Time since the daemon started.",
        ))
        .value(&[], self.started.elapsed().as_secs_f64());
        let counts = self.queue.counts().await?;
        let jobs = text.family(Family::gauge("framepackd_jobs", "Jobs by state."));
        for state in StateName::ALL {
            let count = counts.get(&state).copied().unwrap_or_default();
            jobs.value(&[("state", state.as_str())], count as f64);
        }
        let workers = text.family(Family::gauge(
            "framepackd_worker",
            "State of each worker: 1 for the current state, 0 for the others.",
        ));
        for worker in self.queue.workers().await? {
            for (state, name) in WORKER_STATES {
                let is = f64::from(u8::from(worker.state == state));
                workers.value(&[("device", &worker.device), ("state", name)], is);
            }
        }
        self.outages(&mut text).await?;
        self.totals.write(&mut text);
        folder::write(&self.folder.borrow().metrics, &mut text);
        self.space(&mut text).await;
        self.gpus.refresh().await;
        self.devices(&mut text);
        Ok(text.finish())
    }

    async fn outages(&self, text: &mut Text) -> Result<(), Stopping> {
        let outages = self.queue.summary().await?.outages;
        let family = text.family(Family::gauge(
            "framepackd_outage_seconds",
            "How long jobs have waited for the farm to be mended, by error code, device and model.",
        ));
        for outage in outages {
            let models: Vec<&str> = outage.models.iter().map(|model| model.as_str()).collect();
            let labels = [
                ("code", outage.code.as_str()),
                ("device", &outage.devices.join(",")),
                ("model", &models.join(",")),
            ];
            family.value(&labels, Timestamp::now().secs_since(outage.since));
        }
        Ok(())
    }

    async fn space(&self, text: &mut Text) {
        let mut free = Vec::new();
        for (name, path) in &self.folders {
            let folder = path.clone();
            // What a share does not tell is left out.
            if let Ok(Ok(bytes)) = self.disk.at(path, move || free_bytes(&folder)).await {
                free.push((*name, bytes));
            }
        }
        let family = text.family(Family::gauge(
            "framepackd_free_bytes",
            "Free space for each of the daemon's folders.",
        ));
        for (name, bytes) in free {
            family.value(&[("folder", name)], bytes as f64);
        }
    }

    fn devices(&self, text: &mut Text) {
        let gpus = self.gpus.latest();
        let mut figure = |name, help, of: &dyn Fn(&crate::gpu::Gpu) -> Option<f64>| {
            let family = text.family(Family::gauge(name, help));
            for gpu in &gpus {
                if let Some(value) = of(gpu) {
                    let index = gpu.index.to_string();
                    family.value(&[("gpu", &index), ("name", &gpu.name)], value);
                }
            }
        };
        figure(
            "framepackd_gpu_memory_bytes",
            "Memory of the GPU.",
            &|gpu| Some(gpu.total_bytes as f64),
        );
        figure(
            "framepackd_gpu_memory_used_bytes",
            "Memory in use.",
            &|gpu| Some(gpu.used_bytes as f64),
        );
        figure(
            "framepackd_gpu_memory_foreign_bytes",
            "Memory used by programs other than the workers.",
            &|gpu| gpu.foreign_bytes.map(|bytes| bytes as f64),
        );
        figure(
            "framepackd_gpu_temperature_celsius",
            "Temperature.",
            &|gpu| gpu.temperature_celsius,
        );
        figure("framepackd_gpu_power_watts", "Power.", &|gpu| {
            gpu.power_watts
        });
        figure(
            "framepackd_gpu_energy_joules",
            "Energy since the driver was loaded.",
            &|gpu| gpu.energy_joules,
        );
    }

    /// Keeps the file that the configuration names up to date until the queue ends.
    pub(crate) async fn keep(self, mut running: RunningConfig) {
        let mut is_logged = false;
        loop {
            let named = running.now().config.metrics.textfile.clone();
            let Some(path) = named else {
                running.changed().await;
                continue;
            };
            let Ok(text) = self.text().await else { return };
            let file = path.clone();
            let written = self.disk.at(&path, move || replace(&file, &text)).await;
            match written.map_err(io::Error::other).flatten() {
                Ok(()) => is_logged = false,
                // Once, until it works again.
                Err(error) if !is_logged => {
                    warn!(path = %path.display(), %error, "writing metrics");
                    is_logged = true;
                }
                Err(_) => {}
            }
            select! {
                () = sleep(TEXTFILE_PAUSE) => {}
                () = running.changed() => is_logged = false,
            }
        }
    }
}

const WORKER_STATES: [(WorkerState, &str); 5] = [
    (WorkerState::Starting, "starting"),
    (WorkerState::Idle, "idle"),
    (WorkerState::Busy, "busy"),
    (WorkerState::Down, "down"),
    (WorkerState::Faulty, "faulty"),
];

/// A reader sees the old text or the new one, never a part.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    // The collector reads *.prom only.
    temporary.push(".new");
    fs::write(&temporary, text)?;
    fs::rename(&temporary, path)
}
