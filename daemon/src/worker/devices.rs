//! Which devices get a worker, and a supervisor for each of them.

use std::collections::BTreeSet;

use framepack_config::Devices;
use framepack_ipc::check::{Check, CheckState};
use tracing::warn;

use super::{
    known::KnownGpus,
    questions::Planners,
    supervisor::{Ends, Supervisor, SupervisorContext},
    switch::Switches,
    warmth::Warmth,
};
use crate::nvidia::Nvidia;

/// Weights of a transformer that a CPU renders with in a day, rather than in weeks.
const LARGEST_ON_CPU: u64 = 4 << 30;

/// What decides which devices there are.
#[derive(Debug)]
pub(crate) struct Circumstances<'a> {
    pub(crate) nvidia: &'a Nvidia,
    /// GPUs that jobs were rendered on before.
    pub(crate) known: BTreeSet<usize>,
    /// The transformer's weights in their files; 0: not known.
    pub(crate) transformer_bytes: u64,
    /// Memory of this machine.
    pub(crate) host_bytes: u64,
}

/// The ways to the workers.
#[derive(Debug)]
pub(crate) struct Ways {
    pub(crate) planners: Planners,
    pub(crate) switches: Switches,
    pub(crate) warmth: Warmth,
}

/// One supervisor for each device, and the ways to their workers.
pub(crate) fn supervisors(
    context: &SupervisorContext<'_>,
    devices: &[String],
    known: &KnownGpus,
) -> (Vec<Supervisor>, Ways) {
    let names = || devices.iter().map(String::as_str);
    let (planners, questions) = Planners::new(names());
    let (switches, sides) = Switches::new(names());
    let (warmth, orders) = Warmth::new(names());
    let ends = questions.into_iter().zip(sides).zip(orders);
    let supervisors = devices.iter().zip(ends);
    let supervisors = supervisors
        .map(|(device, ((questions, switch), orders))| {
            let ends = Ends {
                questions,
                switch,
                orders,
            };
            Supervisor::new(context, device.clone(), ends, known.clone())
        })
        .collect();
    let ways = Ways {
        planners,
        switches,
        warmth,
    };
    (supervisors, ways)
}

/// The devices that get a worker.
pub(crate) fn wanted(configured: &Devices, circumstances: &Circumstances<'_>) -> Vec<String> {
    let devices = match configured {
        Devices::Listed(devices) => return devices.iter().map(ToString::to_string).collect(),
        Devices::Auto => detected(circumstances),
    };
    let missing = circumstances
        .known
        .iter()
        .any(|gpu| *gpu >= circumstances.nvidia.gpus);
    if missing {
        warn!(
            gpus = circumstances.nvidia.gpus,
            ?devices,
            "worker.devices is auto, and GPUs are missing that jobs were rendered on before: they are waited for"
        );
    }
    devices
}

/// Every GPU that the driver has, and those that jobs were rendered on before; the CPU where there is neither, and it can
/// do the work.
fn detected(circumstances: &Circumstances<'_>) -> Vec<String> {
    let gpus: BTreeSet<usize> = (0..circumstances.nvidia.gpus)
        .chain(circumstances.known.iter().copied())
        .collect();
    if gpus.is_empty() {
        return vec![match circumstances.too_large() {
            Some(_) => "cuda:0".to_owned(),
            None => "cpu".to_owned(),
        }];
    }
    gpus.iter().map(|gpu| format!("cuda:{gpu}")).collect()
}

impl Circumstances<'_> {
    /// Why the models are too large for a CPU, if they are: it computes with four bytes a weight, where files have two.
    fn too_large(&self) -> Option<String> {
        let bytes = self.transformer_bytes;
        let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
        if bytes > LARGEST_ON_CPU {
            return Some(format!(
                "the transformer has {:.1} GiB of weights, with which a video would take weeks on the CPU",
                gib(bytes)
            ));
        }
        let needed = bytes.saturating_mul(2);
        (self.host_bytes > 0 && needed > self.host_bytes).then(|| {
            format!(
                "the transformer needs {:.1} GiB of memory on the CPU, and this machine has {:.1}",
                gib(needed),
                gib(self.host_bytes)
            )
        })
    }

    /// Why jobs are not rendered on the CPU where there is no GPU, and nobody has said so in the configuration.
    pub(crate) fn insists(&self, configured: &Devices) -> Option<String> {
        match configured {
            Devices::Listed(_) => None,
            Devices::Auto if self.known.is_empty() => self.too_large(),
            Devices::Auto => Some("jobs were rendered on a GPU before, and wait for it".to_owned()),
        }
    }

    /// What the doctor says of the GPUs.
    pub(crate) fn check(&self, configured: &Devices) -> Check {
        const NAME: &str = "nvidia";
        let wanted: Vec<String> = match configured {
            Devices::Auto => detected(self),
            Devices::Listed(devices) => devices.iter().map(ToString::to_string).collect(),
        };
        let fault = wanted.iter().find_map(|device| self.nvidia.explain(device));
        if let Some(fault) = fault {
            let why = self.insists(configured).map(|why| format!("; {why}"));
            let message = format!("{}{}", fault.message, why.unwrap_or_default());
            let message = fault.code.behind(&message);
            return Check::failed(NAME, message, fault.hint.unwrap_or_default());
        }
        match (self.nvidia.driver_fault(), &self.nvidia.module) {
            (Some(fault), _) => Check::new(
                CheckState::Warning,
                NAME,
                format!("{fault}; jobs are rendered on the CPU"),
                "load the driver, and see `nvidia-smi`, if jobs are to be rendered on the GPU",
            ),
            (None, Some(version)) => {
                Check::ok(NAME, format!("driver {version}, {} GPUs", self.nvidia.gpus))
            }
            (None, None) => Check::ok(NAME, "no driver is loaded: jobs are rendered on the CPU"),
        }
    }
}

#[cfg(test)]
mod tests {
    use framepack_config::Device;

    use super::*;

    const SMALL: u64 = 15 << 20;
    const FULL: u64 = 24 << 30;

    fn with(gpus: usize, known: &[usize], transformer_bytes: u64, host_bytes: u64) -> Vec<String> {
        let nvidia = Nvidia {
            gpus,
            ..Nvidia::default()
        };
        let circumstances = Circumstances {
            nvidia: &nvidia,
            known: known.iter().copied().collect(),
            transformer_bytes,
            host_bytes,
        };
        wanted(&Devices::Auto, &circumstances)
    }

    #[test]
    fn a_farm_that_had_a_gpu_or_needs_one_does_not_slide_to_the_cpu() {
        for (gpus, known, bytes, host_bytes, expected) in [
            (0, &[][..], SMALL, 16 << 30, &["cpu"][..]),
            (0, &[], 0, 16 << 30, &["cpu"]),
            (0, &[], FULL, 512 << 30, &["cuda:0"]),
            (0, &[], 3 << 30, 4 << 30, &["cuda:0"]),
            (0, &[], 3 << 30, 16 << 30, &["cpu"]),
            (0, &[], 3 << 30, 0, &["cpu"]),
            (0, &[0], SMALL, 16 << 30, &["cuda:0"]),
            (0, &[0, 1], SMALL, 16 << 30, &["cuda:0", "cuda:1"]),
            (1, &[0, 1], SMALL, 16 << 30, &["cuda:0", "cuda:1"]),
            (2, &[0], SMALL, 16 << 30, &["cuda:0", "cuda:1"]),
            (2, &[], FULL, 16 << 30, &["cuda:0", "cuda:1"]),
        ] {
            let devices = with(gpus, known, bytes, host_bytes);
            assert_eq!(devices, expected, "{gpus} {known:?} {bytes} {host_bytes}");
        }
    }

    #[test]
    fn devices_that_are_listed_are_taken_as_they_are() {
        let nvidia = Nvidia::default();
        let circumstances = Circumstances {
            nvidia: &nvidia,
            known: [0].into(),
            transformer_bytes: FULL,
            host_bytes: 0,
        };
        let listed = Devices::Listed(vec![Device::Cpu]);
        assert_eq!(wanted(&listed, &circumstances), ["cpu"]);
        assert_eq!(circumstances.check(&listed).state, CheckState::Ok);
        let check = circumstances.check(&Devices::Auto);
        assert_eq!(check.state, CheckState::Failed, "{check:?}");
        assert!(
            check.message.contains("rendered on a GPU before"),
            "{check:?}"
        );
        assert!(!check.fix.is_empty());
    }
}
