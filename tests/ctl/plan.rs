//! `plan`: what is asked, and what is printed.

use framepack_ipc::{
    control::{PlanRequest, PlanSubject, Request, Response},
    estimate::{Basis, Estimate, Prediction},
    plan::JobPlan,
};
use framepack_jobs::{
    DecodeOverlap, DeviceMemory, EncoderPlacement, JobId, MemoryPlan, Phase, PhasePeak,
    TransformerMemory, VaeDecoding, VaeMode, VaeTiles, WorkingSizes,
};

use crate::{
    fake_daemon::{talk, talk_with},
    fixtures::YAML,
};

const GIB: u64 = 1 << 30;

fn plan() -> MemoryPlan {
    let peak = |phase, gib| PhasePeak {
        phase,
        bytes: gib * GIB,
    };
    MemoryPlan {
        device: DeviceMemory {
            label: "cuda:0".to_owned(),
            name: "NVIDIA Example".to_owned(),
            total_bytes: 16 * GIB,
            free_bytes: 15 * GIB,
            foreign_bytes: GIB,
            context_bytes: GIB / 2,
        },
        transformer: TransformerMemory {
            tokens: 18_485,
            activation_bytes: GIB,
            preserve_bytes: GIB,
            step_cache_bytes: 0,
            fixed_bytes: GIB / 2,
            hoisted_away_bytes: 7 * GIB,
            blocks: 60,
            resident_blocks: 43,
            resident_bytes: 12 * GIB,
            slots: 3,
            slots_bytes: GIB,
            streamed_bytes: 5 * GIB,
            arena_bytes: 4 * GIB,
            staged_bytes: GIB,
        },
        text_encoder: EncoderPlacement::Streamed,
        vae_tiles: VaeTiles::TimeAndSpace,
        vae: Some(VaeDecoding {
            mode: VaeMode::Chunked,
            quality: false,
            chunk_latent_frames: 2,
            step_latent_frames: None,
            context_latent_frames: 3,
            blend_frames: 4,
            tile_px: Some(256),
            work: 1.834,
            working_bytes: 3 * GIB,
            recurring_bytes: 0,
            sizes: WorkingSizes::Assumed,
            reason: "`vae.chunk` is 2".to_owned(),
        }),
        overlap: None,
        evicted_bytes: 2 * GIB,
        phases: vec![peak(Phase::Text, 3), peak(Phase::Sample, 14)],
        peak_bytes: 14 * GIB,
        warnings: vec!["it is only a test".to_owned()],
    }
}

fn answer(memory: MemoryPlan, time: Option<Prediction>) -> Response {
    Response::Planned(Box::new(JobPlan { memory, time }))
}

fn planned() -> Vec<Response> {
    vec![answer(plan(), None)]
}

#[test]
fn a_plan_says_who_uses_what() {
    let talk = talk(&["plan", "7"], planned());
    let subject = PlanSubject::Job(JobId(7));
    assert_eq!(talk.requests, [Request::Plan(PlanRequest { subject })]);
    talk.ended.assert(
        0,
        "\
device      cuda:0 (NVIDIA Example)
memory      16.00 GiB: 1.00 GiB used by others, 15.00 GiB for the worker
            0.50 GiB of CUDA context, kernels and workspaces, before the first tensor
transformer 43 of 60 blocks resident: 12.00 GiB
            5.00 GiB streamed in every step, through 3 slots (1.00 GiB in all)
            4.00 GiB of page-locked host memory for them
            1.00 GiB read from their files in every step, for want of host memory
            0.50 GiB of other weights resident
            7.00 GiB evaluated once for all steps, then dropped
            1.00 GiB of working memory for 18485 tokens; 1.00 GiB kept free
encoder     streamed layer by layer
vae         decodes in chunks: 2 latent frames at a time, 3 before them decoded again, blended over 4 frames
            spatial tiles of 256 pixels; quality off
            83 % more is computed than in the reference's tiles; 3.00 GiB of working memory
            reason: `vae.chunk` is 2
            2.00 GiB of the transformer's weights leave the device meanwhile
peak        text      3.00 GiB
            sample   14.00 GiB
            largest  14.00 GiB
warning     it is only a test
",
        "",
    );
}

#[test]
fn a_file_is_sent_whole_and_json_has_the_numbers() {
    let arguments = ["plan", "cat.yaml", "--json"];
    let talk = talk_with(&arguments, "", &[("cat.yaml", YAML)], planned());
    match talk.requests.as_slice() {
        [
            Request::Plan(PlanRequest {
                subject: PlanSubject::File(file),
            }),
        ] => {
            assert_eq!((file.yaml.as_str(), file.stem.as_str()), (YAML, "cat"));
            assert!(file.folder.is_absolute());
        }
        other => panic!("{other:?}"),
    }
    let json = talk.ended.json();
    assert_eq!(json["kind"], "MemoryPlan");
    assert_eq!(json["items"][0]["transformer"]["streamed_bytes"], 5 * GIB);
    assert_eq!(json["items"][0]["phases"][1]["phase"], "sample");
    assert_eq!(json["items"][0]["vae"]["mode"], "chunked");
}

#[test]
fn a_plan_says_how_the_vae_decodes_and_what_that_takes() {
    let reference = VaeDecoding {
        mode: VaeMode::Reference,
        quality: true,
        chunk_latent_frames: 1,
        step_latent_frames: None,
        context_latent_frames: 1,
        blend_frames: 1,
        tile_px: None,
        work: 1.004,
        working_bytes: GIB,
        recurring_bytes: 0,
        sizes: WorkingSizes::Assumed,
        reason: "nobody asks for anything else".to_owned(),
    };
    let measured = VaeDecoding {
        sizes: WorkingSizes::Measured,
        ..reference.clone()
    };
    let of_a_later_version = VaeDecoding {
        sizes: WorkingSizes::Unknown,
        ..reference.clone()
    };
    let less = VaeDecoding {
        work: 0.5,
        ..reference.clone()
    };
    let section = VaeDecoding {
        mode: VaeMode::Chunked,
        chunk_latent_frames: 19,
        step_latent_frames: Some(2),
        context_latent_frames: 0,
        blend_frames: 0,
        ..reference.clone()
    };
    let at_once = VaeDecoding {
        step_latent_frames: None,
        ..section.clone()
    };
    let same = "as much is computed as in the reference's tiles; 1.00 GiB of working memory\n";
    let half = "50 % less is computed than in the reference's tiles; 1.00 GiB of working memory\n";
    for (vae, expected) in [
        (
            None,
            vec!["vae         decodes in temporal and spatial tiles\n            2.00 GiB of"],
        ),
        (
            Some(reference),
            vec![
                "vae         decodes in the reference's tiles: 1 latent frame at a time, 1 before them decoded again, \
                 blended over 1 frame\n",
                "            whole frames; quality on: norms and sums in f32\n",
                same,
                "            reason: nobody asks for anything else\n",
            ],
        ),
        (Some(less), vec![half]),
        (Some(of_a_later_version), vec![same]),
        (
            Some(measured),
            vec!["; 1.00 GiB of working memory (measured on this device)\n"],
        ),
        (
            Some(section),
            vec![
                "vae         decodes a section in one piece: 2 latent frames at a time in the finest level, in two \
                 passes\n",
            ],
        ),
        (
            Some(at_once),
            vec!["vae         decodes a section in one piece\n"],
        ),
    ] {
        let plan = MemoryPlan { vae, ..plan() };
        let talk = talk(&["plan", "7"], vec![answer(plan, None)]);
        assert_eq!(talk.ended.code, 0);
        for part in expected {
            assert!(talk.ended.stdout.contains(part), "{}", talk.ended.stdout);
        }
    }
}

#[test]
fn a_plan_says_whether_a_section_is_decoded_beside_the_next_one() {
    for (is_planned, reason, expected) in [
        (
            true,
            "there is memory for both",
            "            decodes a section while the next one is sampled: there is memory for both\n",
        ),
        (
            false,
            "2.00 GiB more memory would be needed",
            "            decodes no section while another one is sampled: 2.00 GiB more memory would be needed\n",
        ),
    ] {
        let mut plan = plan();
        plan.overlap = Some(DecodeOverlap {
            is_planned,
            reason: reason.to_owned(),
        });
        if let Some(vae) = &mut plan.vae {
            vae.recurring_bytes = GIB / 4;
        }
        let talk = talk(&["plan", "7"], vec![answer(plan, None)]);
        let stdout = talk.ended.stdout;
        assert!(stdout.contains(expected), "{stdout}");
        let waiting =
            "            0.25 GiB of it for frames of tiles that the next section has, too,";
        assert!(stdout.contains(waiting), "{stdout}");
    }
}
