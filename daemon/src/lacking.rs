//! What the farm's devices can't do of the settings, as their workers told when they became ready.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use framepack_jobs::{
    Row,
    settings::{
        ATTENTION, BACKEND, CUDA_ALLOC_CONF, FLASH_SDP, HOST_BUDGET_GB, LOAD_CHUNK_MB, Lack, Lacks,
        MEM_EFFICIENT_SDP, OFFLOAD, Origin, PRESERVE_GB, Setting,
    },
};

/// What a device may lack.
static OF_DEVICES: [&Row; 9] = [
    &ATTENTION,
    &PRESERVE_GB,
    &HOST_BUDGET_GB,
    &LOAD_CHUNK_MB,
    &OFFLOAD,
    &BACKEND,
    &FLASH_SDP,
    &MEM_EFFICIENT_SDP,
    &CUDA_ALLOC_CONF,
];

/// That it depends on the devices whether some of these settings do anything, where no worker has told yet.
pub fn unknown_lacks(settings: &[Setting]) -> Option<String> {
    let depends = |setting: &&Setting| {
        let is_said = setting.origin != Origin::Default && setting.inactive.is_none();
        is_said && OF_DEVICES.iter().any(|row| row.key == setting.key)
    };
    let keys = settings.iter().filter(depends);
    let keys: Vec<&str> = keys.map(|setting| setting.key.as_str()).collect();
    (!keys.is_empty()).then(|| {
        format!(
            "it depends on the devices whether these do anything: {}; `framepackctl config show` says it of the running daemon",
            keys.join(", ")
        )
    })
}

/// By device, kept while a worker is replaced; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct DeviceLacks(Arc<Mutex<BTreeMap<String, Option<Lacks>>>>);

impl DeviceLacks {
    /// A device of the farm, of which nothing is known yet.
    pub(crate) fn expect(&self, device: &str) {
        self.lock().entry(device.to_owned()).or_default();
    }

    /// What a device's worker tells.
    pub(crate) fn note(&self, device: &str, lacks: &[Lack]) {
        let lacks = Lacks::from(lacks.to_vec());
        self.lock().insert(device.to_owned(), Some(lacks));
    }

    /// What this device can't do.
    pub(crate) fn of(&self, device: &str) -> Lacks {
        self.lock()
            .get(device)
            .cloned()
            .flatten()
            .unwrap_or_default()
    }

    /// What none of the farm's devices can do. As long as one has not told, it may do everything.
    pub(crate) fn of_all(&self) -> Lacks {
        let all = self.lock();
        let mut all = all.values().map(|lacks| lacks.clone().unwrap_or_default());
        let first = all.next().unwrap_or_default();
        all.fold(first, |common, lacks| common.and(&lacks))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Option<Lacks>>> {
        // Each change is one insertion, so that nothing is half done behind a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use framepack_jobs::settings::Consequence;

    use super::*;

    #[test]
    fn a_farm_lacks_what_all_its_devices_say_that_they_lack() {
        let lack = Lack {
            key: "attention".into(),
            value: Some("standard".into()),
            reason: "no kernel".into(),
            consequence: Consequence::Refused,
        };
        let lacking = Lacks::from(vec![lack.clone()]);
        let devices = DeviceLacks::default();
        assert_eq!(devices.of_all(), Lacks::default());
        devices.expect("cuda:0");
        devices.expect("cuda:1");
        devices.note("cuda:0", std::slice::from_ref(&lack));
        assert_eq!(devices.of("cuda:0"), lacking);
        assert_eq!(devices.of("cuda:1"), Lacks::default());
        assert_eq!(devices.of_all(), Lacks::default());
        devices.note("cuda:1", &[lack]);
        // Its worker is replaced.
        devices.expect("cuda:1");
        assert_eq!(devices.of_all(), lacking);
        devices.note("cuda:1", &[]);
        assert_eq!(devices.of_all(), Lacks::default());
    }
}
