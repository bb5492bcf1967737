//! Memory settings of jobs. On a processor they have nothing to act on, which the report says, and the result is the same.

use framepack_ipc::worker::{FromWorker, MemoryUse, PlanOutcome, RenderRequest, ToWorker};
use framepack_jobs::{Model, Value};

use crate::{
    renders::brief,
    worker::{Desk, Worker},
};

fn with(request: &RenderRequest, settings: &[(&str, Value)]) -> RenderRequest {
    let mut request = request.clone();
    for (key, value) in settings {
        request.settings.set(*key, value.clone());
    }
    request
}

/// What the worker plans to keep free for a job.
fn planned(worker: &mut Worker, request: &RenderRequest) -> u64 {
    let question = ToWorker::Plan {
        ask: 1,
        request: Box::new(request.clone()),
    };
    worker.send(&question);
    match worker.next() {
        FromWorker::Planned {
            outcome: PlanOutcome::Plan(plan),
            ..
        } => plan.transformer.preserve_bytes,
        other => panic!("{other:?}"),
    }
}

#[test]
fn memory_settings_are_in_plan_and_report_and_change_no_result() {
    let desk = Desk::new();
    let mut worker = Worker::ready_with(desk.path(), &["--preserve-gb", "5"]);
    let request = brief(desk.request(Model::Original, 1));
    let usual = worker.render(&request);
    let preserve = |value| [("memory.preserve_gb", value)];
    let everything = [
        ("memory.preserve_gb", Value::Number(2.5)),
        ("memory.load_chunk_mb", Value::Integer(64)),
        ("memory.offload", "aggressive".into()),
        ("memory.backend", "v1".into()),
        ("attention", "standard".into()),
    ];
    for settings in [&everything[..], &preserve(Value::Integer(128)), &[]] {
        let request = with(&request, settings);
        // A processor keeps nothing free.
        assert_eq!(planned(&mut worker, &request), 0, "{settings:?}");
        let output = worker.render(&request);
        assert_eq!(output.latents_sha256, usual.latents_sha256, "{settings:?}");
        assert_eq!(output.stream_sha256, usual.stream_sha256, "{settings:?}");
        let plan = output.memory_plan.expect("it was planned");
        assert_eq!(plan.transformer.preserve_bytes, 0, "{settings:?}");
        match output.memory_use.as_deref() {
            Some(MemoryUse::Inactive { reason }) => {
                assert!(reason.starts_with("a processor computes"), "{reason}");
            }
            other => panic!("{other:?}"),
        }
    }

    for (key, value) in [
        ("memory.load_chunk_mb", Value::Integer(63)),
        ("memory.offload", "harder".into()),
        ("memory.backend", "v3".into()),
        ("memory.preserve_gb", Value::Number(1.0)),
        ("memory.chunk", Value::Integer(64)),
    ] {
        let failure = worker.fail(&with(&request, &[(key, value)]));
        assert_eq!(failure.code.as_str(), "FP2105");
        assert!(failure.message.starts_with(key), "{}", failure.message);
    }
}
