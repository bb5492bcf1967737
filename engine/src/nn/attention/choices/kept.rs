//! The choices of one device, in memory and in their file.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tch::Device;

use crate::{
    error::Error,
    findings::{Finding, Findings},
    nn::attention::{
        backend::Backend,
        class::Class,
        measured::Measured,
        mode::AttentionMode,
        resolved::{FUSED, Resolved},
        trial::measure,
    },
    platform::Platform,
};

/// What is used on one device.
#[derive(Debug, Clone)]
pub(crate) struct Choices {
    device: Device,
    found: Findings<Choice>,
}

/// One choice.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Choice {
    class: Class,
    backend: Backend,
    /// By which measurement it was chosen, for the mode that takes the fastest; none of a default that was noted, and
    /// of what people write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    measured: Option<Measured>,
}

impl Finding for Choice {
    const KEY: &'static str = "attention";
    const NAME: &'static str = "attention choices";
}

impl Choices {
    /// No choices yet, and none that outlive the process.
    pub(crate) fn in_memory(platform: &Platform) -> Self {
        Self {
            device: platform.device,
            found: Findings::in_memory(platform),
        }
    }

    /// The choices in the file at `path`, to which new ones are added.
    pub(crate) fn on_disk(path: &Path, platform: &Platform) -> Self {
        Self {
            device: platform.device,
            found: Findings::on_disk(path, platform),
        }
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
        self.found.read_again();
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
        self.found.read_again();
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
        self.found.read_again();
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
    fn entries(&self, class: &Class) -> impl Iterator<Item = &Choice> {
        self.found.holding().filter(|choice| choice.class == *class)
    }

    /// Makes `backend` the choice for `class`. One measurement takes the place of an earlier one.
    fn note(&mut self, class: &Class, backend: Backend, measured: Option<Measured>) {
        let is_measured = measured.is_some();
        let choice = Choice {
            class: *class,
            backend,
            measured,
        };
        self.found.note(choice, |before| {
            is_measured && before.measured.is_some() && before.class == *class
        });
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
