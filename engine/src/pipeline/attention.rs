//! Which backend computes a job's attention, and who chose it.
//!
//! Decided once, before the first step: no two backends round alike, so that a job that goes on uses its checkpoints'
//! backend, and what was chosen since is for jobs that begin.

use framepack_ipc::worker::{Attention, ChosenBy, Precaution};

use crate::{
    checkpoint::Provenance,
    error::Error,
    nn::attention::{Backend, TorchKernels},
};

/// What there is to decide by, besides the choices kept for the device.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wishes<'a> {
    pub(super) precaution: Precaution,
    /// How the newest checkpoint was made.
    pub(super) checkpoint: Option<&'a Provenance>,
    /// Of the worker's command line.
    pub(super) flag: Option<Backend>,
}

/// What was decided.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) backend: Backend,
    /// Of them torch chooses, for the transformer and for all other models.
    pub(super) torch_kernels: TorchKernels,
    pub(super) chosen_by: ChosenBy,
    /// Why it is not the checkpoints' backend.
    pub(super) warning: Option<String>,
}

impl Decision {
    /// By what is wished for, else by `kept`, the choice for the device. A backend of the checkpoints' counts if it
    /// `is_available`. With the precaution it is another than that: torch's, by other kernels.
    pub(super) fn new(
        wishes: Wishes<'_>,
        is_available: impl FnOnce(Backend) -> Result<bool, Error>,
        kept: impl FnOnce() -> Result<Backend, Error>,
    ) -> Result<Self, Error> {
        let usual = Self::without_precaution(wishes, is_available, kept)?;
        Ok(match wishes.precaution {
            Precaution::None => usual,
            Precaution::Numerics => usual.careful(wishes.checkpoint),
        })
    }

    fn without_precaution(
        wishes: Wishes<'_>,
        is_available: impl FnOnce(Backend) -> Result<bool, Error>,
        kept: impl FnOnce() -> Result<Backend, Error>,
    ) -> Result<Self, Error> {
        let decided = |backend, chosen_by| Self {
            backend,
            torch_kernels: TorchKernels::Any,
            chosen_by,
            warning: None,
        };
        let checkpoint = wishes
            .checkpoint
            .map(|made| made.attention_backend.as_str());
        let known = checkpoint.and_then(|name| name.parse().ok());
        if let Some(backend) = known
            && is_available(backend)?
        {
            return Ok(decided(backend, ChosenBy::Checkpoint));
        }
        let own = match wishes.flag {
            Some(backend) => decided(backend, ChosenBy::Flag),
            None => decided(kept()?, ChosenBy::Device),
        };
        let warning = checkpoint.map(|name| {
            format!(
                "the attention backend of the earlier run, {name}, is not available here: this run used {}",
                own.backend
            )
        });
        Ok(Self { warning, ..own })
    }

    /// Otherwise than this, which produced NaN. What was done otherwise already goes on so.
    fn careful(self, checkpoint: Option<&Provenance>) -> Self {
        let again = TorchKernels::PreferredAgain;
        let goes_on = checkpoint.is_some_and(|made| made.torch_kernels == again.as_str());
        Self {
            backend: Backend::Torch,
            torch_kernels: if goes_on {
                again
            } else {
                self.backend.unlike()
            },
            chosen_by: ChosenBy::Precaution,
            warning: None,
        }
    }

    /// As the report has it.
    pub(super) fn report(&self) -> Attention {
        Attention {
            backend: self.backend.to_string(),
            chosen_by: self.chosen_by.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;
    use crate::{checkpoint::RunSettings, platform::Platform, vae::Tiling};

    const NONE: Precaution = Precaution::None;
    const NUMERICS: Precaution = Precaution::Numerics;

    /// Of a section that was made with the backend of this name.
    fn made_with(backend: &str, torch_kernels: TorchKernels) -> Provenance {
        let platform = Platform {
            device: Device::Cpu,
            name: "cpu".into(),
            driver: None,
            build: None,
        };
        let settled = RunSettings {
            dtype: Kind::Float,
            vae_dtype: Kind::Float,
            torch_kernels,
            attention_backend: Backend::Torch,
            rung: 0,
            tiling: Tiling::Time,
        };
        Provenance {
            attention_backend: backend.into(),
            ..Provenance::now(&platform, settled)
        }
    }

    /// On a device with torch's choice, flash and math, for which flash is kept.
    fn decide(wishes: Wishes<'_>) -> Decision {
        let is_available = |backend| {
            Ok(!matches!(
                backend,
                Backend::Cudnn | Backend::MemoryEfficient
            ))
        };
        Decision::new(wishes, is_available, || Ok(Backend::Flash)).unwrap()
    }

    #[test]
    fn checkpoints_go_before_the_flag_and_that_before_what_is_kept() {
        let math = Some(Backend::Math);
        for (checkpoint, flag, backend, chosen_by) in [
            (None, None, Backend::Flash, ChosenBy::Device),
            (None, math, Backend::Math, ChosenBy::Flag),
            (Some("torch"), None, Backend::Torch, ChosenBy::Checkpoint),
            (Some("torch"), math, Backend::Torch, ChosenBy::Checkpoint),
            (Some("math"), None, Backend::Math, ChosenBy::Checkpoint),
            (Some("cudnn"), None, Backend::Flash, ChosenBy::Device),
            (Some("cudnn"), math, Backend::Math, ChosenBy::Flag),
            (Some("of later"), None, Backend::Flash, ChosenBy::Device),
        ] {
            let made = checkpoint.map(|name| made_with(name, TorchKernels::Any));
            let decision = decide(Wishes {
                precaution: NONE,
                checkpoint: made.as_ref(),
                flag,
            });
            let found = (decision.backend, &decision.chosen_by);
            assert_eq!(found, (backend, &chosen_by), "{checkpoint:?} {flag:?}");
            assert_eq!(decision.torch_kernels, TorchKernels::Any);
            let lost = matches!(checkpoint, Some("cudnn" | "of later"));
            assert_eq!(decision.warning.is_some(), lost, "{decision:?}");
        }
    }

    #[test]
    fn a_precaution_takes_torch_by_other_kernels_than_what_would_be_used() {
        use TorchKernels::{Any, NotPreferred, PreferredAgain};
        let math = Some(Backend::Math);
        for (checkpoint, flag, kernels) in [
            (None, None, NotPreferred),
            (None, math, PreferredAgain),
            (Some(("torch", Any)), math, NotPreferred),
            (Some(("math", Any)), None, PreferredAgain),
            (Some(("flash", Any)), math, NotPreferred),
            // What the precaution made goes on as it is.
            (Some(("torch", NotPreferred)), None, NotPreferred),
            (Some(("torch", PreferredAgain)), None, PreferredAgain),
        ] {
            let made = checkpoint.map(|(name, kernels)| made_with(name, kernels));
            let decision = decide(Wishes {
                precaution: NUMERICS,
                checkpoint: made.as_ref(),
                flag,
            });
            assert_eq!(
                (decision.backend, decision.torch_kernels, decision.chosen_by),
                (Backend::Torch, kernels, ChosenBy::Precaution),
                "{checkpoint:?} {flag:?}"
            );
        }
    }

    #[test]
    fn what_is_kept_is_not_asked_for_without_need() {
        let math = made_with("math", TorchKernels::Any);
        for (checkpoint, flag) in [(Some(&math), None), (None, Some(Backend::Math))] {
            let wishes = Wishes {
                precaution: NONE,
                checkpoint,
                flag,
            };
            let kept = || panic!("a choice would be kept that nothing uses");
            Decision::new(wishes, |_| Ok(true), kept).unwrap();
        }
    }
}
