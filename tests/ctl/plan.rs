//! `plan`: what is asked, and what is printed.

use framepack_ipc::control::{PlanRequest, PlanSubject, Request, Response};
use framepack_jobs::{
    DeviceMemory, EncoderPlacement, JobId, MemoryPlan, Phase, PhasePeak, TransformerMemory,
    VaeTiles,
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
        evicted_bytes: 2 * GIB,
        phases: vec![peak(Phase::Text, 3), peak(Phase::Sample, 14)],
        peak_bytes: 14 * GIB,
        warnings: vec!["it is only a test".to_owned()],
    }
}

fn planned() -> Vec<Response> {
    vec![Response::Planned(Box::new(plan()))]
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
vae         decodes in temporal and spatial tiles
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
}
