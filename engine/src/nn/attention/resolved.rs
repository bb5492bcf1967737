//! What a mode comes to on a device: a backend, and why it is no other.

use super::{backend::Backend, measured::Measured, mode::AttentionMode};
use crate::error::Error;

/// What standard takes, the first first.
const STANDARD: [Backend; 2] = [Backend::MemoryEfficient, Backend::Flash];
/// What aggressive takes the fastest of.
pub(super) const FUSED: [Backend; 3] = [Backend::Cudnn, Backend::Flash, Backend::MemoryEfficient];
/// Why no mode has an effect there.
pub(crate) const ON_A_PROCESSOR: &str = "on a processor every attention mode is torch's own kernel";

/// Whether `backend` is one that `mode` asks for.
pub(crate) fn asks_for(mode: AttentionMode, backend: Backend) -> bool {
    match mode {
        AttentionMode::Auto => true,
        AttentionMode::Off => backend == Backend::Math,
        AttentionMode::Standard => STANDARD.contains(&backend),
        AttentionMode::Aggressive => FUSED.contains(&backend),
    }
}

/// What a mode comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// What computes the attention.
    pub backend: Backend,
    /// Why the mode has no effect, or what it could not have.
    pub reason: Option<String>,
    /// Why the device has nothing of what the mode asks for, if it has nothing.
    pub lack: Option<String>,
}

impl From<Backend> for Resolved {
    fn from(backend: Backend) -> Self {
        Self {
            backend,
            reason: None,
            lack: None,
        }
    }
}

impl Resolved {
    /// What every mode but auto comes to on a processor.
    pub(crate) fn on_a_processor() -> Self {
        Self {
            backend: Backend::Torch,
            reason: Some(ON_A_PROCESSOR.into()),
            lack: None,
        }
    }

    /// Torch's own choice, since nothing else can be had.
    pub(super) fn by_default(reason: &str) -> Self {
        Self {
            backend: Backend::Torch,
            reason: Some(format!("{reason}: torch's own choice was used")),
            lack: None,
        }
    }

    /// What is kept for the device; torch's own choice if that is `missing`.
    pub(super) fn kept(chosen: Backend, missing: Option<&str>) -> Self {
        missing.map_or_else(|| chosen.into(), Self::by_default)
    }

    /// Memory-efficient, else flash; `missing` says why one of them can't be used.
    pub(super) fn standard(
        missing: impl FnMut(Backend) -> Result<Option<String>, Error>,
    ) -> Result<Self, Error> {
        Self::first(STANDARD, vec![], missing)
    }

    /// The fastest that passed and can be used now.
    pub(super) fn fastest(
        measured: &Measured,
        mut missing: impl FnMut(Backend) -> Result<Option<String>, Error>,
    ) -> Result<Self, Error> {
        let mut reasons = measured.failures();
        for backend in FUSED {
            if !measured.was_tried(backend) {
                reasons.extend(missing(backend)?);
            }
        }
        Self::first(measured.passed(), reasons, missing)
    }

    /// The fastest before anything is measured: the first that can be used, or none.
    pub(super) fn unmeasured(
        permitted: impl IntoIterator<Item = Backend>,
        missing: impl FnMut(Backend) -> Result<Option<String>, Error>,
    ) -> Result<Self, Error> {
        Self::first(permitted, vec![], missing)
    }

    /// The first of `backends` that can be used, with `reasons` and the reasons why the earlier ones can't.
    fn first(
        backends: impl IntoIterator<Item = Backend>,
        mut reasons: Vec<String>,
        mut missing: impl FnMut(Backend) -> Result<Option<String>, Error>,
    ) -> Result<Self, Error> {
        for backend in backends {
            let Some(reason) = missing(backend)? else {
                let reason = (!reasons.is_empty()).then(|| reasons.join("; "));
                return Ok(Self {
                    backend,
                    reason,
                    lack: None,
                });
            };
            reasons.push(reason);
        }
        let lack = reasons.join("; ");
        Ok(Self {
            lack: Some(lack.clone()),
            ..Self::by_default(&lack)
        })
    }
}

#[cfg(test)]
mod tests {
    use Backend::{Cudnn, Flash, MemoryEfficient, Torch};

    use super::*;
    use crate::nn::attention::measured::{Candidate, Outcome};

    /// A device without these.
    fn without(lacking: &[Backend]) -> impl Fn(Backend) -> Result<Option<String>, Error> {
        |backend| Ok(lacking.contains(&backend).then(|| format!("no {backend}")))
    }

    fn passed(backend: Backend, micros: u64) -> Candidate {
        let outcome = Outcome::Passed { micros };
        Candidate { backend, outcome }
    }

    fn failed(backend: Backend) -> Candidate {
        let failed = format!("{backend} is wrong");
        let outcome = Outcome::Failed { failed };
        Candidate { backend, outcome }
    }

    #[test]
    fn standard_is_memory_efficient_else_flash_else_torchs() {
        for (lacking, backend, reason) in [
            (&[][..], MemoryEfficient, None),
            (&[Flash], MemoryEfficient, None),
            (&[MemoryEfficient], Flash, Some("no memory-efficient")),
            (
                &[MemoryEfficient, Flash],
                Torch,
                Some("no memory-efficient; no flash: torch's own choice was used"),
            ),
        ] {
            let found = Resolved::standard(without(lacking)).unwrap();
            assert_eq!((found.backend, found.reason.as_deref()), (backend, reason));
            let lack = (backend == Torch).then_some("no memory-efficient; no flash");
            assert_eq!(found.lack.as_deref(), lack);
        }
    }

    #[test]
    fn each_mode_asks_for_its_own_backends() {
        use AttentionMode::{Aggressive, Auto, Off, Standard};
        for (mode, asked) in [
            (Auto, &Backend::ALL[..]),
            (Off, &[Backend::Math]),
            (Standard, &[Flash, MemoryEfficient]),
            (Aggressive, &[Cudnn, Flash, MemoryEfficient]),
        ] {
            for backend in Backend::ALL {
                let expected = asked.contains(&backend);
                assert_eq!(asks_for(mode, backend), expected, "{mode} {backend}");
            }
        }
    }

    #[test]
    fn aggressive_is_the_fastest_that_passed_and_is_there() {
        let all = [
            passed(Flash, 900),
            passed(Cudnn, 700),
            passed(MemoryEfficient, 1200),
        ];
        let wrong = [
            failed(Cudnn),
            passed(Flash, 900),
            passed(MemoryEfficient, 800),
        ];
        let none = [failed(Cudnn), failed(Flash), failed(MemoryEfficient)];
        let without_flash = [passed(Cudnn, 700), passed(MemoryEfficient, 600)];
        for (candidates, lacking, backend, reason) in [
            (&all[..], &[][..], Cudnn, None),
            (&all, &[Cudnn], Flash, Some("no cudnn")),
            (&all, &[Flash], Cudnn, None),
            (
                &all,
                &[Cudnn, Flash, MemoryEfficient],
                Torch,
                Some("no cudnn; no flash; no memory-efficient: torch's own choice was used"),
            ),
            (&wrong, &[], MemoryEfficient, Some("cudnn is wrong")),
            (
                &wrong,
                &[MemoryEfficient],
                Flash,
                Some("cudnn is wrong; no memory-efficient"),
            ),
            (
                &none,
                &[],
                Torch,
                Some(
                    "cudnn is wrong; flash is wrong; memory-efficient is wrong: torch's own choice was used",
                ),
            ),
            (&without_flash, &[Flash], MemoryEfficient, Some("no flash")),
        ] {
            let measured = Measured {
                tokens: 8192,
                candidates: candidates.to_vec(),
            };
            let found = Resolved::fastest(&measured, without(lacking)).unwrap();
            assert_eq!((found.backend, found.reason.as_deref()), (backend, reason));
            assert_eq!(found.lack.is_some(), backend == Torch, "{reason:?}");
        }
    }
}
