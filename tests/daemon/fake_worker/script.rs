//! What a prompt makes the fake worker do.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

/// A job's script.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Script {
    pub(crate) sections: u32,
    pub(crate) steps: u32,
    pub(crate) step_ms: u64,
    /// Steps are made until this file exists.
    pub(crate) gate: Option<PathBuf>,
    /// Neither `Cancel` nor `Pause` nor `Resume` is heard.
    pub(crate) is_deaf: bool,
    /// The video is told of and not written.
    pub(crate) is_lie: bool,
    faults: Vec<Fault>,
}

/// What happens before a step, a number of times.
#[derive(Debug, Clone, PartialEq)]
struct Fault {
    kind: FaultKind,
    section: u32,
    step: u32,
    times: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaultKind {
    Crash,
    Corrupt,
    Hang,
    Stop,
    Oom,
    Nan,
    Gpu,
    Rung,
    Full,
}

impl FaultKind {
    const NAMES: [(&str, Self); 9] = [
        ("crash", Self::Crash),
        ("corrupt", Self::Corrupt),
        ("hang", Self::Hang),
        ("stop", Self::Stop),
        ("oom", Self::Oom),
        ("nan", Self::Nan),
        ("gpu", Self::Gpu),
        ("rung", Self::Rung),
        ("full", Self::Full),
    ];

    fn named(name: &str) -> Option<Self> {
        let (_, kind) = Self::NAMES.into_iter().find(|(known, _)| *known == name)?;
        Some(kind)
    }
}

impl Script {
    /// What a job does that is told nothing.
    fn plain() -> Self {
        Self {
            sections: 2,
            steps: 3,
            step_ms: 0,
            gate: None,
            is_deaf: false,
            is_lie: false,
            faults: Vec::new(),
        }
    }

    /// The script in a prompt; one that makes no sense is a mistake in a test, and ends the worker.
    pub(crate) fn of(prompt: &str) -> Self {
        let mut script = Self::plain();
        let (word, rest) = prompt.split_once(' ').unwrap_or((prompt, ""));
        match (word, FaultKind::named(word)) {
            ("script", _) => rest.split_whitespace().for_each(|word| script.take(word)),
            ("wait", _) => script.gate = Some(rest.into()),
            ("lie", _) => script.is_lie = true,
            (_, Some(kind)) => {
                let times = rest.parse().unwrap_or(u64::MAX);
                script.faults.push(Fault {
                    kind,
                    section: 0,
                    step: 1,
                    times,
                });
            }
            _ => {}
        }
        script
    }

    /// One word of a script.
    fn take(&mut self, word: &str) {
        match word.split_once(['=', '@']) {
            None if word == "deaf" => self.is_deaf = true,
            None if word == "lie" => self.is_lie = true,
            None if word.starts_with('#') => {}
            Some(("sections", n)) => self.sections = n.parse().expect("sections=N"),
            Some(("steps", n)) => self.steps = n.parse().expect("steps=N"),
            Some(("step_ms", n)) => self.step_ms = n.parse().expect("step_ms=N"),
            Some(("wait", file)) => self.gate = Some(file.into()),
            Some((kind, place)) => self.faults.push(Fault::at(kind, place)),
            None => panic!("{word:?} is not in a script's language"),
        }
    }

    /// The fault that is due before this step, and for which time.
    pub(crate) fn fault(&self, moment: Moment<'_>) -> Option<(FaultKind, u64)> {
        let here = (moment.section, moment.step);
        let mut here = self
            .faults
            .iter()
            .filter(|fault| (fault.section, fault.step) == here);
        here.find_map(|fault| {
            let time = moment.count(fault);
            (time <= fault.times).then_some((fault.kind, time))
        })
    }
}

impl Fault {
    /// `SECTION`, `SECTION.STEP` or either with `*TIMES`.
    fn at(kind: &str, place: &str) -> Self {
        let (place, times) = place.split_once('*').unwrap_or((place, "1"));
        let (section, step) = place.split_once('.').unwrap_or((place, "1"));
        Self {
            kind: FaultKind::named(kind).unwrap_or_else(|| panic!("{kind:?} is no fault")),
            section: section.parse().expect("KIND@SECTION"),
            step: step.parse().expect("KIND@SECTION.STEP"),
            times: times.parse().expect("KIND@SECTION*TIMES"),
        }
    }
}

/// Where a job is, and where it is counted how often it was there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) state_dir: &'a Path,
    pub(crate) job: u64,
    pub(crate) section: u32,
    pub(crate) step: u32,
}

impl Moment<'_> {
    /// How often this fault has come due, this time included: bytes of a file, so that it outlives every crash.
    fn count(&self, fault: &Fault) -> u64 {
        let folder = self.state_dir.join("fake-faults");
        fs::create_dir_all(&folder).expect("the state directory can be written");
        let name = format!(
            "job{}-{:?}-{}.{}",
            self.job, fault.kind, fault.section, fault.step
        );
        let path = folder.join(name);
        File::options()
            .create(true)
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(b"x"))
            .expect("a fault can be counted");
        fs::metadata(path).expect("it was just written").len()
    }
}
