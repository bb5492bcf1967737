//! The GPUs that jobs were rendered on, in `state/gpus.json`: a farm that has had one waits for it.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use framepack_config::Devices;
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::file::replace;

/// Name of the file in the state directory.
const FILE: &str = "gpus.json";

/// The file, and what is in it; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct KnownGpus {
    path: PathBuf,
    known: Arc<Mutex<BTreeSet<usize>>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Content {
    /// N of each `cuda:N`.
    rendered_on: BTreeSet<usize>,
}

impl KnownGpus {
    /// What earlier daemons have noted. Where devices are listed in the configuration, those that it lacks are forgotten.
    pub(crate) fn open(state_dir: &Path, configured: &Devices) -> Self {
        let gpus = Self {
            path: state_dir.join(FILE),
            known: Arc::new(Mutex::new(Self::read(state_dir))),
        };
        if let Devices::Listed(devices) = configured {
            let listed: BTreeSet<usize> = devices
                .iter()
                .filter_map(|device| number(&device.to_string()))
                .collect();
            let mut known = gpus.lock();
            let left: BTreeSet<usize> = known.intersection(&listed).copied().collect();
            if *known != left {
                *known = left;
                gpus.write(&known);
            }
        }
        gpus
    }

    /// What the file in a state directory says. One that can't be read says nothing.
    pub(crate) fn read(state_dir: &Path) -> BTreeSet<usize> {
        let path = state_dir.join(FILE);
        let content = fs::read(&path)
            .and_then(|text| serde_json::from_slice::<Content>(&text).map_err(io::Error::from));
        match content {
            Ok(content) => content.rendered_on,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    warn!(path = %path.display(), %error, "which GPUs were used before can't be read");
                }
                BTreeSet::new()
            }
        }
    }

    /// The GPUs that are known.
    pub(crate) fn numbers(&self) -> BTreeSet<usize> {
        self.lock().clone()
    }

    /// A job was rendered on a device.
    pub(super) fn rendered_on(&self, device: &str) {
        let Some(number) = number(device) else { return };
        let mut known = self.lock();
        if known.insert(number) {
            self.write(&known);
        }
    }

    fn write(&self, known: &BTreeSet<usize>) {
        let content = Content {
            rendered_on: known.clone(),
        };
        let text = serde_json::to_vec(&content).expect("a set of numbers is JSON");
        if let Err(error) = replace(&self.path, &text) {
            warn!(path = %self.path.display(), %error, "noting which GPUs are used");
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<usize>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// N of `cuda:N`.
fn number(device: &str) -> Option<usize> {
    device.strip_prefix("cuda:")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use framepack_config::Device;

    use super::*;

    #[test]
    fn what_was_rendered_on_is_known_until_the_configuration_lists_other_devices() {
        let state = tempfile::tempdir().unwrap();
        let open = |devices: &Devices| KnownGpus::open(state.path(), devices);
        let gpus = open(&Devices::Auto);
        for device in ["cpu", "cuda:1", "cuda:0", "cuda:1"] {
            gpus.rendered_on(device);
        }
        assert_eq!(open(&Devices::Auto).numbers(), [0, 1].into());
        let one = Devices::Listed(vec![Device::Cuda(0)]);
        assert_eq!(open(&one).numbers(), [0].into());
        assert_eq!(open(&Devices::Auto).numbers(), [0].into());
        let cpu = Devices::Listed(vec![Device::Cpu]);
        assert_eq!(open(&cpu).numbers(), BTreeSet::new());
        fs::write(state.path().join(FILE), "no JSON").unwrap();
        assert_eq!(open(&Devices::Auto).numbers(), BTreeSet::new());
    }
}
