use tch::{Device, Kind};

use super::*;
use crate::nn::attention::{Backend, TorchKernels};

fn provenance(rung: u32) -> Provenance {
    Provenance::on_cpu(Kind::Float, rung)
}

fn checkpoints(folder: &Path, job: &str) -> Checkpoints {
    Checkpoints {
        work_dir: folder.into(),
        job: job.into(),
        newest: None,
    }
}

fn latents(value: f64) -> Tensor {
    Tensor::full([1, 2, 3, 4, 4], value, (Kind::Float, Device::Cpu))
}

/// Saves sections whose latents are these values.
fn save(checkpoints: &mut Checkpoints, values: &[f64]) {
    for (section, &value) in (1..).zip(values) {
        let made = FinishedSection {
            section,
            latents: &latents(value),
            start_latent: &latents(0.0).narrow(2, 0, 1),
            provenance: &provenance(0),
            timeline: None,
        };
        checkpoints.save(&made).unwrap();
    }
}

/// What is found of three sections, and why not more.
fn found(folder: &Path, job: &str) -> (Vec<f64>, Option<String>) {
    let found = checkpoints(folder, job).find(3);
    let value = |latents: &Tensor| latents.double_value(&[0, 0, 0, 0, 0]);
    assert_eq!(found.start_latent.is_some(), !found.sections.is_empty());
    (found.sections.iter().map(value).collect(), found.warning)
}

#[test]
fn a_header_has_the_keys_of_the_first_version() {
    let header = Header {
        format: FORMAT,
        job: "a".into(),
        section: 1,
        noise_numbers: 7,
        after: None,
        provenance: provenance(0),
        timeline: None,
    };
    let json = serde_json::to_value(header).unwrap();
    let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
    let expected = [
        "after",
        "circumstances",
        "format",
        "job",
        "noise_numbers",
        "section",
    ];
    assert_eq!(keys, expected);
}

#[test]
fn sections_come_back_until_one_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(found(folder.path(), "a"), (vec![], None));
    save(&mut checkpoints(folder.path(), "a"), &[1.0, 2.0]);
    assert_eq!(found(folder.path(), "a"), (vec![1.0, 2.0], None));
    checkpoints(folder.path(), "a").remove();
    assert_eq!(found(folder.path(), "a"), (vec![], None));
}

#[test]
fn a_run_that_goes_on_continues_the_chain() {
    let folder = tempfile::tempdir().unwrap();
    save(&mut checkpoints(folder.path(), "a"), &[1.0]);
    let mut second = checkpoints(folder.path(), "a");
    assert_eq!(second.find(3).sections.len(), 1);
    let made = FinishedSection {
        section: 2,
        latents: &latents(2.0),
        start_latent: &latents(0.0).narrow(2, 0, 1),
        provenance: &provenance(0),
        timeline: None,
    };
    second.save(&made).unwrap();
    assert_eq!(found(folder.path(), "a"), (vec![1.0, 2.0], None));
}

#[test]
fn another_jobs_checkpoints_are_not_used() {
    let folder = tempfile::tempdir().unwrap();
    save(&mut checkpoints(folder.path(), "a"), &[1.0]);
    let (sections, warning) = found(folder.path(), "b");
    assert!(sections.is_empty());
    assert!(warning.unwrap().contains("belongs to another job"));
}

#[test]
fn a_section_is_not_continued_from_another_than_it_grew_on() {
    let [first, second] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    save(&mut checkpoints(first.path(), "a"), &[1.0, 2.0]);
    save(&mut checkpoints(second.path(), "a"), &[9.0, 2.0]);
    let name = "checkpoint-002.safetensors";
    fs::copy(second.path().join(name), first.path().join(name)).unwrap();
    let (sections, warning) = found(first.path(), "a");
    assert_eq!(sections, [1.0]);
    assert!(warning.unwrap().contains("does not continue"));

    let name = |section| {
        first
            .path()
            .join(format!("checkpoint-00{section}.safetensors"))
    };
    fs::rename(name(1), name(2)).unwrap();
    save(&mut checkpoints(first.path(), "a"), &[1.0]);
    assert_eq!(found(first.path(), "a").0, [1.0]);
}

#[test]
fn a_damaged_checkpoint_and_one_of_another_version_are_not_used() {
    let folder = tempfile::tempdir().unwrap();
    save(&mut checkpoints(folder.path(), "a"), &[1.0, 2.0]);
    let path = folder.path().join("checkpoint-002.safetensors");
    let whole = fs::read(&path).unwrap();

    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let another = seal("something else", &Tensors::new()).unwrap().0;
    for (bytes, reason) in [
        (flipped, "checksum"),
        (another, "another version"),
        (whole[..whole.len() - 1].to_vec(), ""),
        (vec![], ""),
    ] {
        fs::write(&path, bytes).unwrap();
        let (sections, warning) = found(folder.path(), "a");
        assert_eq!(sections, [1.0]);
        let warning = warning.unwrap();
        assert!(warning.starts_with("section 2 was rendered again"));
        assert!(warning.contains(reason), "{warning}");
    }
}

#[test]
fn a_checkpoint_of_before_there_was_a_choice_used_torchs() {
    let mut json = serde_json::to_value(provenance(0)).unwrap();
    assert_eq!(json["attention_backend"], "math");
    json.as_object_mut().unwrap().remove("attention_backend");
    let old: Provenance = serde_json::from_value(json).unwrap();
    assert_eq!(
        old.difference(&provenance(0)).unwrap(),
        "attention was torch and is math"
    );
}

#[test]
fn a_checkpoint_of_before_there_were_modes_left_the_choice_to_the_device() {
    let mut json = serde_json::to_value(provenance(0)).unwrap();
    assert_eq!(json["attention_mode"], "auto");
    assert!(json.get("switched_off").is_none(), "{json}");
    json.as_object_mut().unwrap().remove("attention_mode");
    let old: Provenance = serde_json::from_value(json).unwrap();
    assert_eq!(old, provenance(0));
}

#[test]
fn a_mode_decides_no_bits_and_a_kernel_that_is_switched_off_does() {
    let usual = provenance(0);
    let other_mode = Provenance {
        attention_mode: "standard".into(),
        ..provenance(0)
    };
    assert_eq!(other_mode.difference(&usual), None);
    assert!(other_mode.samples_like(&usual) && other_mode.decodes_like(&usual));
    let without_flash = Provenance {
        switched_off: vec!["flash".into()],
        ..provenance(0)
    };
    assert!(!without_flash.samples_like(&usual) && !without_flash.decodes_like(&usual));
    assert_eq!(
        without_flash.difference(&usual).unwrap(),
        "switched-off kernel was flash and is none"
    );
}

#[test]
fn every_difference_of_earlier_sections_is_named_once() {
    let of_rung = |rung| {
        (
            Tensor::zeros([1], (Kind::Float, Device::Cpu)),
            provenance(rung),
        )
    };
    let (sections, provenance_of) = [0, 0, 1, 2].map(of_rung).into_iter().unzip();
    let found = ResumePoint {
        sections,
        provenance: provenance_of,
        ..ResumePoint::default()
    };
    let resumed = found.resumed(&provenance(2)).unwrap();
    assert!(!resumed.is_exact);
    assert_eq!(
        resumed.reason.unwrap(),
        "since section 1: rung was 0 and is 2; since section 3: rung was 1 and is 2"
    );
}

#[test]
fn attention_is_told_in_one_word_whatever_torch_may_choose() {
    let made = |backend, torch_kernels: TorchKernels| Provenance {
        attention_backend: Backend::to_string(&backend),
        torch_kernels: torch_kernels.as_str().into(),
        ..provenance(0)
    };
    let careful = made(Backend::Torch, TorchKernels::NotPreferred);
    assert_eq!(
        made(Backend::Math, TorchKernels::Any)
            .difference(&careful)
            .unwrap(),
        "attention was math and is torch without its preferred kernels"
    );
    let as_before = made(Backend::Torch, TorchKernels::PreferredAgain);
    assert_eq!(
        made(Backend::Torch, TorchKernels::Any).difference(&as_before),
        None
    );
}

#[test]
fn steps_by_other_kernels_are_others() {
    let on = provenance(0);
    let off = Provenance {
        kernels: false,
        ..on.clone()
    };
    let without_compiler = Provenance {
        lacks_compiler: true,
        ..on.clone()
    };
    for (then, now, reason) in [
        (&off, &on, "kernels was off and is on"),
        (
            &on,
            &without_compiler,
            "kernels was on and is on without a compiler",
        ),
    ] {
        assert!(!then.samples_like(now) && !then.decodes_like(now));
        assert_eq!(then.difference(now).unwrap(), reason);
    }
    assert!(on.samples_like(&on));
}

#[test]
fn what_differs_is_named_with_the_section() {
    let folder = tempfile::tempdir().unwrap();
    save(&mut checkpoints(folder.path(), "a"), &[1.0]);
    let found = checkpoints(folder.path(), "a").find(3);
    let exact = found.resumed(&provenance(0)).unwrap();
    assert!(exact.is_exact && exact.reason.is_none());
    let other = found.resumed(&provenance(2)).unwrap();
    assert!(!other.is_exact);
    assert_eq!(
        other.reason.unwrap(),
        "since section 1: rung was 0 and is 2"
    );
    assert_eq!(ResumePoint::default().resumed(&provenance(0)), None);
}
