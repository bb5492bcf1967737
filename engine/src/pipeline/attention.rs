//! Which backend computes a job's attention, and who chose it.
//!
//! Decided once, before the first step: no two backends round alike, so that a job that goes on uses its checkpoints'
//! backend, and what was chosen since is for jobs that begin.

use framepack_ipc::worker::{Attention, ChosenBy, Precaution};

use crate::{error::Error, nn::attention::Backend};

/// What there is to decide by, besides the choices kept for the device.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wishes<'a> {
    pub(super) precaution: Precaution,
    /// Name of the newest checkpoint's backend.
    pub(super) checkpoint: Option<&'a str>,
    /// Of the worker's command line.
    pub(super) flag: Option<Backend>,
}

/// What was decided.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) backend: Backend,
    pub(super) chosen_by: ChosenBy,
    /// Why it is not the checkpoints' backend.
    pub(super) warning: Option<String>,
}

impl Decision {
    /// By what is wished for, else by `kept`, the choice for the device. A backend of the checkpoints' counts if it
    /// `is_available`.
    pub(super) fn new(
        wishes: Wishes<'_>,
        is_available: impl FnOnce(Backend) -> Result<bool, Error>,
        kept: impl FnOnce() -> Result<Backend, Error>,
    ) -> Result<Self, Error> {
        let decided = |backend, chosen_by| Self {
            backend,
            chosen_by,
            warning: None,
        };
        if wishes.precaution == Precaution::Numerics {
            return Ok(decided(Backend::Torch, ChosenBy::Precaution));
        }
        let known = wishes.checkpoint.and_then(|name| name.parse().ok());
        if let Some(backend) = known
            && is_available(backend)?
        {
            return Ok(decided(backend, ChosenBy::Checkpoint));
        }
        let own = match wishes.flag {
            Some(backend) => decided(backend, ChosenBy::Flag),
            None => decided(kept()?, ChosenBy::Device),
        };
        let warning = wishes.checkpoint.map(|name| {
            format!(
                "the attention backend of the earlier run, {name}, is not available here: this run used {}",
                own.backend
            )
        });
        Ok(Self { warning, ..own })
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
    use super::*;

    const NONE: Precaution = Precaution::None;
    const NUMERICS: Precaution = Precaution::Numerics;

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
    fn a_precaution_goes_before_checkpoints_those_before_the_flag_and_that_before_what_is_kept() {
        let math = Some(Backend::Math);
        for (precaution, checkpoint, flag, backend, chosen_by) in [
            (NONE, None, None, Backend::Flash, ChosenBy::Device),
            (NONE, None, math, Backend::Math, ChosenBy::Flag),
            (
                NONE,
                Some("torch"),
                None,
                Backend::Torch,
                ChosenBy::Checkpoint,
            ),
            (
                NONE,
                Some("torch"),
                math,
                Backend::Torch,
                ChosenBy::Checkpoint,
            ),
            (
                NONE,
                Some("math"),
                None,
                Backend::Math,
                ChosenBy::Checkpoint,
            ),
            (NONE, Some("cudnn"), None, Backend::Flash, ChosenBy::Device),
            (NONE, Some("cudnn"), math, Backend::Math, ChosenBy::Flag),
            (
                NONE,
                Some("of later"),
                None,
                Backend::Flash,
                ChosenBy::Device,
            ),
            (NUMERICS, None, None, Backend::Torch, ChosenBy::Precaution),
            (NUMERICS, None, math, Backend::Torch, ChosenBy::Precaution),
            (
                NUMERICS,
                Some("math"),
                math,
                Backend::Torch,
                ChosenBy::Precaution,
            ),
        ] {
            let wishes = Wishes {
                precaution,
                checkpoint,
                flag,
            };
            let decision = decide(wishes);
            let found = (decision.backend, &decision.chosen_by);
            assert_eq!(found, (backend, &chosen_by), "{wishes:?}");
            let lost = matches!(checkpoint, Some("cudnn" | "of later"));
            assert_eq!(decision.warning.is_some(), lost, "{decision:?}");
        }
    }

    #[test]
    fn what_is_kept_is_not_asked_for_without_need() {
        for (checkpoint, flag) in [(Some("math"), None), (None, Some(Backend::Math))] {
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
