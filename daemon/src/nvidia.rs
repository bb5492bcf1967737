//! NVIDIA's driver and cards, as the system's files tell of them: nothing is loaded, and no driver is asked.

use std::{
    fs,
    path::{Path, PathBuf},
};

use framepack_jobs::{Code, Failure};

/// Folders in which the driver's libraries are installed.
const LIBRARY_FOLDERS: [&str; 7] = [
    "usr/lib/x86_64-linux-gnu",
    "usr/lib/aarch64-linux-gnu",
    "usr/lib64",
    "usr/lib",
    "usr/local/nvidia/lib64",
    "usr/lib/wsl/lib",
    "run/opengl-driver/lib",
];
/// Name of the driver's library for programs, followed by its version.
const LIBRARY: &str = "libcuda.so.";
const VENDOR: &str = "0x10de";
/// Classes of display controllers begin so.
const DISPLAY: &str = "0x03";

/// What there is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Nvidia {
    /// How many cards are on the PCI bus; `None`: the bus can't be looked at.
    pub(crate) cards: Option<usize>,
    /// Version of the driver's kernel module, if it is loaded.
    pub(crate) module: Option<String>,
    /// GPUs that the driver has.
    pub(crate) gpus: usize,
    /// Versions of the driver's libraries.
    pub(crate) libraries: Vec<String>,
    /// A device file that is missing or can't be opened, and why.
    pub(crate) node: Option<(PathBuf, String)>,
}

impl Nvidia {
    /// Looks at this system.
    pub(crate) fn look() -> Self {
        Self::below(Path::new("/"))
    }

    /// Looks at the system whose files are below `root`.
    fn below(root: &Path) -> Self {
        let gpus = fs::read_dir(root.join("proc/driver/nvidia/gpus")).map_or(0, Iterator::count);
        let module = module(root);
        Self {
            cards: cards(&root.join("sys/bus/pci/devices")),
            node: module.as_ref().and_then(|_| node(root)),
            module,
            gpus,
            libraries: libraries(root),
        }
    }

    /// What is wrong with the driver, if anything is: the GPUs that there are can't be used.
    pub(crate) fn driver_fault(&self) -> Option<String> {
        match (&self.module, self.cards) {
            (None, Some(cards @ 1..)) => Some(format!(
                "NVIDIA's driver is not loaded, but {} on the PCI bus{}",
                counted(cards, "NVIDIA card is", "NVIDIA cards are"),
                self.installed()
            )),
            (None, _) => None,
            (Some(module), _) if self.is_mismatched(module) => Some(format!(
                "NVIDIA's driver {module} is loaded, but its libraries are of version {}: the driver was updated and the \
                 old one still runs",
                self.libraries.join(", ")
            )),
            (Some(module), _) => self.node.as_ref().map(|(node, why)| {
                format!(
                    "NVIDIA's driver {module} is loaded, but {} {why}: if this is a container, it has lost the device",
                    node.display()
                )
            }),
        }
    }

    /// Why a device can't be used, for the operator; `None`: the system's files do not tell.
    pub(crate) fn explain(&self, device: &str) -> Option<Failure> {
        let index: usize = device.strip_prefix("cuda:")?.parse().ok()?;
        if let Some(fault) = self.driver_fault() {
            return Some(Failure::new(Code::GPU_DRIVER, fault));
        }
        if index < self.gpus {
            return None;
        }
        let there = match (&self.module, self.gpus) {
            (None, _) => "no NVIDIA driver is loaded, and no NVIDIA card is there".to_owned(),
            (Some(_), 0) => "NVIDIA's driver is loaded and has no GPU".to_owned(),
            (Some(_), gpus) => format!("NVIDIA's driver has {} only", counted(gpus, "GPU", "GPUs")),
        };
        Some(Failure::new(
            Code::GPU_GONE,
            format!("no {device}: {there}"),
        ))
    }

    fn is_mismatched(&self, module: &str) -> bool {
        !self.libraries.is_empty() && !self.libraries.iter().any(|library| library == module)
    }

    fn installed(&self) -> String {
        match self.libraries.as_slice() {
            [] => String::new(),
            libraries => format!(
                "; its libraries are installed, version {}",
                libraries.join(", ")
            ),
        }
    }
}

fn counted(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

/// Version of the loaded module; `unknown` if it does not tell.
fn module(root: &Path) -> Option<String> {
    let introduction = fs::read_to_string(root.join("proc/driver/nvidia/version")).ok();
    if let Ok(version) = fs::read_to_string(root.join("sys/module/nvidia/version")) {
        return Some(version.trim().to_owned());
    }
    let introduction = introduction?;
    let is_version =
        |word: &&str| word.contains('.') && word.bytes().all(|b| b == b'.' || b.is_ascii_digit());
    let version = introduction.split_whitespace().find(is_version);
    Some(version.unwrap_or("unknown").to_owned())
}

fn cards(devices: &Path) -> Option<usize> {
    let is = |device: &Path, file: &str, begins: &str| {
        fs::read_to_string(device.join(file)).is_ok_and(|text| text.starts_with(begins))
    };
    let devices = fs::read_dir(devices)
        .ok()?
        .flatten()
        .map(|entry| entry.path());
    let is_card = |device: &PathBuf| is(device, "vendor", VENDOR) && is(device, "class", DISPLAY);
    Some(devices.filter(is_card).count())
}

/// A device file that can't be used though the driver is loaded.
fn node(root: &Path) -> Option<(PathBuf, String)> {
    let path = root.join("dev/nvidiactl");
    let opened = fs::File::options().read(true).write(true).open(&path);
    let error = opened.err()?;
    Some((
        Path::new("/").join(path.strip_prefix(root).ok()?),
        match error.kind() {
            std::io::ErrorKind::NotFound => "is missing".to_owned(),
            _ => format!("can't be opened ({error})"),
        },
    ))
}

/// The folders that the driver's libraries may be in on this machine.
pub(crate) fn library_folders() -> impl Iterator<Item = PathBuf> {
    LIBRARY_FOLDERS
        .iter()
        .map(|folder| Path::new("/").join(folder))
}

/// Versions that the names of the driver's libraries tell.
fn libraries(root: &Path) -> Vec<String> {
    let folders = LIBRARY_FOLDERS.iter().map(|folder| root.join(folder));
    let names = folders
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flat_map(Iterator::flatten)
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut versions: Vec<String> = names
        .filter_map(|name| Some(name.strip_prefix(LIBRARY)?.to_owned()))
        .filter(|version| version.contains('.'))
        .collect();
    versions.sort();
    versions.dedup();
    versions
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A system with these files.
    fn system(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    const CARD: [(&str, &str); 4] = [
        ("sys/bus/pci/devices/0000:01:00.0/vendor", "0x10de\n"),
        ("sys/bus/pci/devices/0000:01:00.0/class", "0x030200\n"),
        // Its audio function, and another maker's display.
        ("sys/bus/pci/devices/0000:01:00.1/vendor", "0x10de\n"),
        ("sys/bus/pci/devices/0000:01:00.1/class", "0x040300\n"),
    ];
    const DRIVER: [(&str, &str); 4] = [
        ("sys/module/nvidia/version", "570.133.20\n"),
        (
            "proc/driver/nvidia/version",
            "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.133.20\n",
        ),
        (
            "proc/driver/nvidia/gpus/0000:01:00.0/information",
            "Model: \t\t A fake\n",
        ),
        ("dev/nvidiactl", ""),
    ];
    const SAME: (&str, &str) = ("usr/lib/x86_64-linux-gnu/libcuda.so.570.133.20", "");
    const OTHER: (&str, &str) = ("usr/lib64/libcuda.so.580.65.06", "");

    #[test]
    fn what_keeps_a_gpu_from_working_is_told_apart() {
        let with_driver = [&CARD[..], &DRIVER].concat();
        for (what, files, device, expected) in [
            (
                "all is well",
                [&with_driver[..], &[SAME]].concat(),
                "cuda:0",
                None,
            ),
            (
                "both versions are installed",
                [&with_driver[..], &[SAME, OTHER]].concat(),
                "cuda:0",
                None,
            ),
            ("no library is found", with_driver.clone(), "cuda:0", None),
            (
                "updated, not rebooted",
                [&with_driver[..], &[OTHER]].concat(),
                "cuda:0",
                Some((
                    Code::GPU_DRIVER,
                    "570.133.20 is loaded, but its libraries are of version 580.65.06",
                )),
            ),
            (
                "updated, module not built",
                [&CARD[..], &[OTHER]].concat(),
                "cuda:0",
                Some((
                    Code::GPU_DRIVER,
                    "not loaded, but 1 NVIDIA card is on the PCI bus; its libraries are installed, version 580.65.06",
                )),
            ),
            (
                "the container has lost it",
                [&CARD[..], &DRIVER[..3], &[SAME]].concat(),
                "cuda:0",
                Some((
                    Code::GPU_DRIVER,
                    "/dev/nvidiactl is missing: if this is a container",
                )),
            ),
            (
                "no card any more",
                vec![("sys/bus/pci/devices/0000:00:00.0/vendor", "0x8086\n")],
                "cuda:0",
                Some((
                    Code::GPU_GONE,
                    "no cuda:0: no NVIDIA driver is loaded, and no NVIDIA card is there",
                )),
            ),
            (
                "one of two has fallen off the bus",
                [&with_driver[..], &[SAME]].concat(),
                "cuda:1",
                Some((Code::GPU_GONE, "no cuda:1: NVIDIA's driver has 1 GPU only")),
            ),
            ("the CPU needs none of it", vec![], "cpu", None),
        ] {
            let root = system(&files);
            let explained = Nvidia::below(root.path()).explain(device);
            match (explained, expected) {
                (None, None) => {}
                (Some(failure), Some((code, says))) => {
                    assert_eq!(failure.code, code, "{what}: {}", failure.message);
                    assert!(
                        failure.message.contains(says),
                        "{what}: {}",
                        failure.message
                    );
                }
                (found, expected) => panic!("{what}: {found:?}, expected {expected:?}"),
            }
        }
    }
}
