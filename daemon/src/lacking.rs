//! What the farm's devices can't do of the settings, as their workers told when they became ready.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use framepack_jobs::settings::{Lack, Lacks};

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
