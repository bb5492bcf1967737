use tch::{Device, Kind};

use super::*;
use crate::{
    checkpoint::RunSettings, kernels::KernelUse, platform::Platform, transformer::StepCacheRule,
    vae::DecodeScheme,
};

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
        attention_mode: AttentionMode::Auto,
        rung: 0,
        decoding: DecodeScheme::default(),
        step_cache: StepCacheRule::Off,
        kernels: KernelUse::On,
        lacks_compiler: false,
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
    let by_mode = |mode| {
        Ok(match mode {
            AttentionMode::Auto => Backend::Flash.into(),
            AttentionMode::Off => Backend::Math.into(),
            AttentionMode::Standard => Resolved {
                reason: Some("no memory-efficient".into()),
                ..Backend::Flash.into()
            },
            AttentionMode::Aggressive => Backend::Cudnn.into(),
        })
    };
    Decision::new(wishes, is_available, by_mode).unwrap()
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
            mode: AttentionMode::Auto,
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
            mode: AttentionMode::Auto,
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
            mode: AttentionMode::Auto,
        };
        let by_mode = |_| panic!("a choice would be kept that nothing uses");
        Decision::new(wishes, |_| Ok(true), by_mode).unwrap();
    }
}

#[test]
fn a_mode_stands_below_flag_and_checkpoint_and_above_what_is_kept() {
    use AttentionMode::{Auto, Off, Standard};
    let torch = Some(Backend::Torch);
    let over = "the worker's --attention-backend torch goes before the job's mode";
    for (mode, begun, flag, backend, chosen_by, reason) in [
        (Off, None, None, Backend::Math, ChosenBy::Setting, None),
        (
            Standard,
            None,
            None,
            Backend::Flash,
            ChosenBy::Setting,
            Some("no memory-efficient"),
        ),
        (Off, None, torch, Backend::Torch, ChosenBy::Flag, Some(over)),
        (Auto, None, torch, Backend::Torch, ChosenBy::Flag, None),
        (
            Off,
            Some(("torch", Off)),
            None,
            Backend::Torch,
            ChosenBy::Checkpoint,
            None,
        ),
        (
            Off,
            Some(("torch", Off)),
            torch,
            Backend::Torch,
            ChosenBy::Checkpoint,
            None,
        ),
        // Another mode than then counts at once.
        (
            Off,
            Some(("flash", Auto)),
            None,
            Backend::Math,
            ChosenBy::Setting,
            None,
        ),
        (
            Auto,
            Some(("math", Off)),
            None,
            Backend::Flash,
            ChosenBy::Device,
            None,
        ),
        (
            Off,
            Some(("math", Standard)),
            None,
            Backend::Math,
            ChosenBy::Setting,
            None,
        ),
        (
            Off,
            Some(("math", Auto)),
            torch,
            Backend::Torch,
            ChosenBy::Flag,
            Some(over),
        ),
    ] {
        let made = begun.map(|(backend, mode)| Provenance {
            attention_mode: mode.to_string(),
            ..made_with(backend, TorchKernels::Any)
        });
        let decision = decide(Wishes {
            precaution: NONE,
            checkpoint: made.as_ref(),
            flag,
            mode,
        });
        let found = (
            decision.backend,
            &decision.chosen_by,
            decision.reason.as_deref(),
        );
        assert_eq!(
            found,
            (backend, &chosen_by, reason),
            "{mode} {begun:?} {flag:?}"
        );
        assert_eq!(decision.mode, mode);
        let changed = begun.is_some_and(|(then, was)| was != mode && then != backend.as_str());
        assert_eq!(decision.warning.is_some(), changed, "{decision:?}");
    }
}

#[test]
fn a_mode_that_is_not_what_computes_is_inactive_with_the_reason() {
    use AttentionMode::{Aggressive, Auto, Off, Standard};
    let begun = |mode: AttentionMode| Provenance {
        attention_mode: mode.to_string(),
        ..made_with("torch", TorchKernels::Any)
    };
    for (precaution, mode, begun, flag, reason) in [
        (NONE, Auto, None, None, None),
        (NONE, Off, None, None, None),
        (NONE, Standard, None, None, None),
        (NONE, Aggressive, None, None, None),
        (NONE, Off, None, Some(Backend::Math), None),
        (
            NONE,
            Off,
            None,
            Some(Backend::Flash),
            Some("the worker's --attention-backend flash goes before the job's mode"),
        ),
        (
            NONE,
            Standard,
            Some(begun(Standard)),
            None,
            Some("the run goes on with torch, as it began"),
        ),
        (
            NUMERICS,
            Standard,
            None,
            None,
            Some("flash, as the mode has it, may have produced NaN in the last attempt"),
        ),
    ] {
        let decision = decide(Wishes {
            precaution,
            checkpoint: begun.as_ref(),
            flag,
            mode,
        });
        let inactive = decision.inactive();
        let found = inactive.get("attention").map(String::as_str);
        assert_eq!(found, reason, "{mode} {flag:?}");
    }
}

#[test]
fn a_change_of_the_mode_is_named_with_both_backends() {
    let made = made_with("flash", TorchKernels::Any);
    let decision = decide(Wishes {
        precaution: NONE,
        checkpoint: Some(&made),
        flag: None,
        mode: AttentionMode::Off,
    });
    assert_eq!(
        decision.warning.unwrap(),
        "attention was auto in the earlier run and is off: this run used math after flash"
    );
}

#[test]
fn a_precaution_goes_before_the_mode_and_says_so() {
    for (mode, kernels) in [
        (AttentionMode::Off, TorchKernels::PreferredAgain),
        (AttentionMode::Standard, TorchKernels::NotPreferred),
        (AttentionMode::Auto, TorchKernels::NotPreferred),
    ] {
        let decision = decide(Wishes {
            precaution: NUMERICS,
            checkpoint: None,
            flag: None,
            mode,
        });
        assert_eq!(
            (decision.backend, decision.torch_kernels),
            (Backend::Torch, kernels)
        );
        let is_asked = mode != AttentionMode::Auto;
        assert_eq!(decision.reason.is_some(), is_asked, "{decision:?}");
        let report = decision.report();
        assert_eq!(report.mode.as_deref(), Some(mode.as_str()));
        assert_eq!(report.chosen_by, ChosenBy::Precaution);
    }
}

#[test]
fn reasons_add_up() {
    let decide = |mode| {
        decide(Wishes {
            precaution: NONE,
            checkpoint: None,
            flag: None,
            mode,
        })
    };
    let more = || Some("flash was switched off".to_owned());
    let both = decide(AttentionMode::Standard).because(more()).reason;
    assert_eq!(both.unwrap(), "no memory-efficient; flash was switched off");
    let one = decide(AttentionMode::Off).because(more()).reason;
    assert_eq!(one, more());
    assert_eq!(decide(AttentionMode::Off).because(None).reason, None);
}
