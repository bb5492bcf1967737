//! Which backend computes a job's attention, and who chose it.
//!
//! Decided once, before the first step: no two backends round alike, so that a job that goes on uses its checkpoints'
//! backend, and what was chosen since is for jobs that begin. Only another mode of the job's own counts at once.

use std::collections::BTreeMap;

use framepack_ipc::worker::{Attention, ChosenBy, Precaution};
use framepack_jobs::settings::{ATTENTION, FLASH_SDP, MEM_EFFICIENT_SDP, Row};
use tch::Device;

use crate::{
    checkpoint::Provenance,
    error::Error,
    nn::attention::{AttentionMemory, AttentionMode, Backend, Resolved, TorchKernels, asks_for},
};

/// What there is to decide by, besides what the device has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wishes<'a> {
    pub(super) precaution: Precaution,
    /// How the newest checkpoint was made.
    pub(super) checkpoint: Option<&'a Provenance>,
    /// Of the worker's command line.
    pub(super) flag: Option<Backend>,
    /// What the job asks for.
    pub(super) mode: AttentionMode,
}

/// What was decided.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) backend: Backend,
    /// Of them torch chooses, for the transformer and for all other models.
    pub(super) torch_kernels: TorchKernels,
    pub(super) chosen_by: ChosenBy,
    /// What the job asked for.
    pub(super) mode: AttentionMode,
    /// Why the mode has no effect, or what could not be had.
    pub(super) reason: Option<String>,
    /// Why it is not the checkpoints' backend.
    pub(super) warning: Option<String>,
}

impl Decision {
    /// By what is wished for, else by what the mode comes to on the device. A backend of the checkpoints' counts if it
    /// `is_available` and the job asks for what it asked for then. With the precaution it is another than that:
    /// torch's, by other kernels.
    pub(super) fn new(
        wishes: Wishes<'_>,
        is_available: impl FnOnce(Backend) -> Result<bool, Error>,
        by_mode: impl FnOnce(AttentionMode) -> Result<Resolved, Error>,
    ) -> Result<Self, Error> {
        let usual = Self::without_precaution(wishes, is_available, by_mode)?;
        Ok(match wishes.precaution {
            Precaution::None => usual,
            Precaution::Numerics => usual.careful(wishes.checkpoint),
        })
    }

    fn without_precaution(
        wishes: Wishes<'_>,
        is_available: impl FnOnce(Backend) -> Result<bool, Error>,
        by_mode: impl FnOnce(AttentionMode) -> Result<Resolved, Error>,
    ) -> Result<Self, Error> {
        let mode = wishes.mode;
        let then = wishes.checkpoint.map(Begun::of);
        if let Some(then) = then
            && then.mode == mode.as_str()
            && let Ok(backend) = then.backend.parse()
            && is_available(backend)?
        {
            return Ok(Self::by(ChosenBy::Checkpoint, mode, backend.into()));
        }
        let own = match wishes.flag {
            Some(backend) => {
                let asked = mode != AttentionMode::Auto;
                let reason = asked.then(|| {
                    format!("the worker's --attention-backend {backend} goes before the job's mode")
                });
                let resolved = Resolved {
                    reason,
                    ..backend.into()
                };
                Self::by(ChosenBy::Flag, mode, resolved)
            }
            None if mode == AttentionMode::Auto => Self::by(ChosenBy::Device, mode, by_mode(mode)?),
            None => Self::by(ChosenBy::Setting, mode, by_mode(mode)?),
        };
        let warning = then.and_then(|then| then.left_for(&own));
        Ok(Self { warning, ..own })
    }

    fn by(
        chosen_by: ChosenBy,
        mode: AttentionMode,
        Resolved {
            backend, reason, ..
        }: Resolved,
    ) -> Self {
        Self {
            backend,
            torch_kernels: TorchKernels::Any,
            chosen_by,
            mode,
            reason,
            warning: None,
        }
    }

    /// Otherwise than this, which produced NaN. What was done otherwise already goes on so.
    fn careful(self, checkpoint: Option<&Provenance>) -> Self {
        let again = TorchKernels::PreferredAgain;
        let goes_on = checkpoint.is_some_and(|made| made.torch_kernels == again.as_str());
        let asked = self.mode != AttentionMode::Auto;
        Self {
            backend: Backend::Torch,
            torch_kernels: if goes_on {
                again
            } else {
                self.backend.unlike()
            },
            chosen_by: ChosenBy::Precaution,
            mode: self.mode,
            reason: asked.then(|| {
                format!(
                    "{}, as the mode has it, may have produced NaN in the last attempt",
                    self.backend
                )
            }),
            warning: None,
        }
    }

    /// Of a job that asks for `mode`, on `device`: where nothing is left to be sampled, it may have begun with another.
    #[must_use]
    pub(super) fn of_mode(self, mode: AttentionMode, device: Device) -> Self {
        let is_moot = mode != AttentionMode::Auto
            && self.chosen_by == ChosenBy::Checkpoint
            && !device.is_cuda();
        let reason = is_moot
            .then(Resolved::on_a_processor)
            .and_then(|own| own.reason);
        Self { mode, ..self }.because(reason)
    }

    /// With one more reason.
    #[must_use]
    pub(super) fn because(mut self, reason: Option<String>) -> Self {
        let reasons: Vec<String> = self.reason.into_iter().chain(reason).collect();
        self.reason = (!reasons.is_empty()).then(|| reasons.join("; "));
        self
    }

    /// Why torch's own choice is not fused, if the farm's settings are the reason.
    pub(super) fn without_fused(&self, memory: AttentionMemory) -> Option<String> {
        let is_math = self.backend == Backend::Torch && memory == AttentionMemory::Chunks;
        let off = Backend::ALL
            .iter()
            .filter(|backend| backend.switched_off().is_some());
        let off: Vec<String> = off
            .filter_map(|backend| Some(format!("`{}: off`", switch(*backend)?.key)))
            .collect();
        (is_math && !off.is_empty())
            .then(|| format!("with {} torch computes by math here", off.join(" and ")))
    }

    /// What the precaution changed, if it was taken.
    pub(super) fn careful_warning(&self) -> Option<String> {
        let kernels = match self.torch_kernels {
            TorchKernels::Any => return None,
            TorchKernels::NotPreferred => "attention avoided torch's preferred kernels",
            TorchKernels::PreferredAgain => "attention was left to torch's preferred kernels",
        };
        Some(format!(
            "the last attempt produced NaN: in this one the VAE computed in f32, and {kernels}"
        ))
    }

    /// What of the job's settings did nothing, and why: by its key.
    pub(super) fn inactive(&self) -> BTreeMap<String, String> {
        let does_nothing = !asks_for(self.mode, self.backend);
        let reason = does_nothing.then(|| {
            let as_before = || format!("the run goes on with {}, as it began", self.backend);
            (
                ATTENTION.key.to_owned(),
                self.reason.clone().unwrap_or_else(as_before),
            )
        });
        reason.into_iter().collect()
    }

    /// As the report has it.
    pub(super) fn report(&self) -> Attention {
        Attention {
            backend: self.backend.to_string(),
            chosen_by: self.chosen_by.clone(),
            mode: Some(self.mode.to_string()),
            reason: self.reason.clone(),
        }
    }
}

/// How the run that is continued computed its attention.
#[derive(Debug, Clone, Copy)]
struct Begun<'a> {
    backend: &'a str,
    mode: &'a str,
}

impl<'a> Begun<'a> {
    fn of(made: &'a Provenance) -> Self {
        Self {
            backend: &made.attention_backend,
            mode: &made.attention_mode,
        }
    }

    /// Why the run does not go on as it began, if it does not.
    fn left_for(self, own: &Decision) -> Option<String> {
        let Self { backend, mode } = self;
        let now = own.backend.as_str();
        if mode != own.mode.as_str() {
            let is_other = backend != now;
            return is_other.then(|| {
                format!(
                    "attention was {mode} in the earlier run and is {}: this run used {now} after {backend}",
                    own.mode
                )
            });
        }
        Some(format!(
            "the attention backend of the earlier run, {backend}, is not available here: this run used {now}"
        ))
    }
}

/// The setting that switches a backend off.
fn switch(backend: Backend) -> Option<&'static Row> {
    match backend {
        Backend::Flash => Some(&FLASH_SDP),
        Backend::MemoryEfficient => Some(&MEM_EFFICIENT_SDP),
        Backend::Torch | Backend::Cudnn | Backend::Math => None,
    }
}

#[cfg(test)]
mod tests;
