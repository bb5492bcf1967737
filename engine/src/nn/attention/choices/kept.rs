//! The choices of one device, in memory and in their file.

use std::path::{Path, PathBuf};

use tch::Device;

use super::format::{self, Entry, Line};
use crate::{
    error::Error,
    file,
    nn::attention::{
        backend::Backend,
        class::Class,
        measured::Measured,
        mode::AttentionMode,
        resolved::{FUSED, Resolved},
        trial::measure,
    },
    platform::{Circumstances, Platform},
};

/// Choices that are kept, those of other circumstances included: they hold again after a return to them.
const MAX_LINES: usize = 64;

/// What is used on one device.
#[derive(Debug, Clone)]
pub(crate) struct Choices {
    device: Device,
    now: Circumstances,
    /// The newest is the last.
    lines: Vec<Line>,
    /// Where they outlive the process.
    path: Option<PathBuf>,
}

impl Choices {
    /// No choices yet, and none that outlive the process.
    pub(crate) fn in_memory(platform: &Platform) -> Self {
        Self {
            device: platform.device,
            now: Circumstances::of(platform),
            lines: vec![],
            path: None,
        }
    }

    /// The choices in the file at `path`, to which new ones are added. People may change it at any time; no other
    /// process may add to it.
    pub(crate) fn on_disk(path: &Path, platform: &Platform) -> Self {
        let mut choices = Self {
            path: Some(path.into()),
            ..Self::in_memory(platform)
        };
        choices.read_again();
        choices
    }

    /// What `mode` comes to for `class`.
    pub(crate) fn choose(&mut self, mode: AttentionMode, class: &Class) -> Result<Resolved, Error> {
        let device = self.device;
        match mode {
            AttentionMode::Auto => self.kept(class),
            _ if !device.is_cuda() => Ok(Resolved::on_a_processor()),
            AttentionMode::Off => Ok(Backend::Math.into()),
            AttentionMode::Standard => Resolved::standard(|backend| backend.missing(device, class)),
            AttentionMode::Aggressive => {
                self.fastest(class, |candidates| measure(device, class, candidates))
            }
        }
    }

    /// What `mode` will come to for `class`, as far as that can be told before anything is measured. Notes nothing.
    pub(crate) fn foresee(
        &mut self,
        mode: AttentionMode,
        class: &Class,
    ) -> Result<Resolved, Error> {
        self.read_again();
        let device = self.device;
        let missing = |backend: Backend| backend.missing(device, class);
        match mode {
            AttentionMode::Auto => match self.find(class) {
                Some(chosen) => Ok(Resolved::kept(chosen, missing(chosen)?.as_deref())),
                None => Ok(Backend::default().into()),
            },
            AttentionMode::Aggressive if device.is_cuda() => {
                let candidates = permitted();
                match self.find_measured(class) {
                    Some(measured) if measured.covers(&candidates) => {
                        Resolved::fastest(measured, missing)
                    }
                    _ => Resolved::unmeasured(candidates, missing),
                }
            }
            _ => self.choose(mode, class),
        }
    }

    /// The backend that is chosen, if the device has it. Where nothing is, torch's own choice, which is then noted.
    fn kept(&mut self, class: &Class) -> Result<Resolved, Error> {
        self.read_again();
        let default = Backend::default();
        let Some(chosen) = self.find(class) else {
            self.note(class, default, None);
            return Ok(default.into());
        };
        let missing = chosen.missing(self.device, class)?;
        if missing.is_some() {
            tracing::warn!(backend = %chosen, ?class, "the chosen attention backend is not available");
        }
        Ok(Resolved::kept(chosen, missing.as_deref()))
    }

    /// The fastest backend by the newest measurement, or by one that is made now and then kept: of all that are not
    /// switched off.
    fn fastest(
        &mut self,
        class: &Class,
        measure: impl FnOnce(&[Backend]) -> Result<Measured, Error>,
    ) -> Result<Resolved, Error> {
        self.read_again();
        let device = self.device;
        let missing = |backend: Backend| backend.missing(device, class);
        let candidates = permitted();
        if let Some(measured) = self.find_measured(class)
            && measured.covers(&candidates)
        {
            return Resolved::fastest(measured, missing);
        }
        match measure(&candidates) {
            Ok(measured) => {
                let fastest = measured.passed().first().copied().unwrap_or_default();
                self.note(class, fastest, Some(measured.clone()));
                Resolved::fastest(&measured, missing)
            }
            Err(error) if error.is_out_of_memory() => {
                let reason = format!("no room to measure attention backends ({error})");
                Ok(Resolved::by_default(&reason))
            }
            Err(error) => Err(error),
        }
    }

    /// Takes over what the file says now.
    fn read_again(&mut self) {
        if let Some(path) = &self.path {
            match file::read_lines(path, "attention choices", format::read) {
                Ok(lines) => self.lines = lines,
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "can't read attention choices");
                }
            }
        }
    }

    /// What is noted or written for `class`.
    fn find(&self, class: &Class) -> Option<Backend> {
        let mut entries = self.entries(class);
        let entry = entries.find(|entry| entry.measured.is_none())?;
        Some(entry.backend)
    }

    /// What was measured for `class`.
    fn find_measured(&self, class: &Class) -> Option<&Measured> {
        self.entries(class)
            .find_map(|entry| entry.measured.as_ref())
    }

    /// Those for `class` that hold now, the newest first.
    fn entries(&self, class: &Class) -> impl Iterator<Item = &Entry> {
        self.lines.iter().rev().filter_map(|line| match line {
            Line::Known(entry) if self.holds(line) && entry.class == *class => Some(entry),
            _ => None,
        })
    }

    /// Makes `backend` the choice for `class` under the present circumstances, from now on and in the file. One
    /// measurement takes the place of an earlier one.
    fn note(&mut self, class: &Class, backend: Backend, measured: Option<Measured>) {
        if measured.is_some() {
            let now = &self.now;
            self.lines.retain(|line| {
                !matches!(line, Line::Known(entry)
                    if entry.measured.is_some() && entry.class == *class && entry.circumstances == *now)
            });
        }
        self.lines.push(Line::Known(Entry {
            circumstances: self.now.clone(),
            class: *class,
            backend,
            measured,
        }));
        self.prune();
        if let Some(path) = &self.path
            && let Err(error) = file::write(path, &format::write(&self.lines))
        {
            tracing::warn!(path = %path.display(), %error, "attention choices are not kept");
        }
    }

    /// Removes what is too much, first of what does not hold now, the oldest first.
    fn prune(&mut self) {
        while self.lines.len() > MAX_LINES {
            let stale = self.lines.iter().position(|line| !self.holds(line));
            self.lines.remove(stale.unwrap_or(0));
        }
    }

    fn holds(&self, line: &Line) -> bool {
        matches!(line, Line::Known(entry) if entry.circumstances == self.now)
    }
}

/// Kernels that are not switched off.
fn permitted() -> Vec<Backend> {
    let is_permitted = |backend: &Backend| backend.switched_off().is_none();
    FUSED.into_iter().filter(is_permitted).collect()
}

/// What `mode` comes to on `device` for attention of `class`, without a file of choices.
pub fn by_hand(mode: AttentionMode, device: Device, class: &Class) -> Result<Resolved, Error> {
    Choices::in_memory(&Platform::of(device)).choose(mode, class)
}

/// Why `device` has no kernel of those that `mode` asks for, for attention of `class`.
pub(crate) fn lacking(
    mode: AttentionMode,
    device: Device,
    class: &Class,
) -> Result<Option<String>, Error> {
    let missing = |backend: Backend| backend.missing(device, class);
    let resolved = match mode {
        AttentionMode::Auto | AttentionMode::Off => return Ok(None),
        AttentionMode::Standard => Resolved::standard(missing),
        AttentionMode::Aggressive => Resolved::unmeasured(FUSED, missing),
    };
    Ok(resolved?.lack)
}

#[cfg(test)]
mod tests;
