//! Questions about memory, answered between jobs and between steps; models that are given up.

use framepack_ipc::worker::{
    FromWorker, MemoryPlan, Phase, PlanOutcome, RenderRequest, Temperature, ToWorker,
};
use framepack_jobs::{Failure, JobId, Model};

use crate::{
    attention::choose,
    attention_modes::in_mode,
    worker::{Desk, Worker},
};

impl Worker {
    fn ask(&mut self, ask: u64, request: &RenderRequest) {
        let request = Box::new(request.clone());
        self.send(&ToWorker::Plan { ask, request });
    }

    /// The answer to a question, whatever the worker says before it.
    fn answer(&self, number: u64) -> Result<MemoryPlan, Failure> {
        let is_answer = |message: &FromWorker| matches!(message, FromWorker::Planned { ask, .. } if *ask == number);
        match self.wait_for(is_answer) {
            FromWorker::Planned {
                outcome: PlanOutcome::Plan(plan),
                ..
            } => Ok(*plan),
            FromWorker::Planned {
                outcome: PlanOutcome::Refused(failure),
                ..
            } => Err(failure),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_plan_counts_what_computes_the_attention_on_this_device() {
    let desk = Desk::new();
    let request = desk.request(Model::Original, 1);
    let mut worker = Worker::ready(desk.path());
    worker.ask(1, &request);
    let fused = worker.answer(1).unwrap();
    worker.render(&crate::renders::brief(request.clone()));
    choose(&desk, "math");
    worker.ask(2, &request);
    let math = worker.answer(2).unwrap();
    assert!(
        math.transformer.activation_bytes > fused.transformer.activation_bytes,
        "{math:?}"
    );
    let rendered = worker.render(&RenderRequest {
        work_dir: desk.path().to_owned(),
        ..request.clone()
    });
    let planned = rendered.memory_plan.expect("it was planned").transformer;
    assert_eq!(planned.activation_bytes, math.transformer.activation_bytes);

    // A mode is torch's kernel here, whatever is kept; the plan says that it means nothing.
    let asked = in_mode(&request, "off");
    worker.ask(3, &asked);
    let plan = worker.answer(3).unwrap();
    assert_eq!(
        plan.transformer.activation_bytes,
        fused.transformer.activation_bytes
    );
    let warning =
        "attention: inactive: on a processor every attention mode is torch's own kernel (off)";
    assert_eq!(plan.warnings, [warning]);
}

#[test]
fn an_idle_worker_plans_without_loading_a_model() {
    let desk = Desk::new();
    let mut worker = Worker::ready(desk.path());
    let request = desk.request(Model::Original, 2);
    worker.ask(7, &request);
    let plan = worker.answer(7).unwrap();
    let transformer = &plan.transformer;
    assert_eq!(transformer.resident_blocks, transformer.blocks);
    assert_eq!(transformer.streamed_bytes, 0);
    assert!(transformer.hoisted_away_bytes > 0);
    assert!(transformer.tokens > 256, "{}", transformer.tokens);
    assert_eq!(plan.device.label, "cpu");
    assert_eq!(
        plan.device.free_bytes + plan.device.foreign_bytes,
        plan.device.total_bytes
    );
    let peaks = plan.phases.iter().map(|peak| peak.bytes);
    assert_eq!(peaks.max(), Some(plan.peak_bytes));

    let larger = RenderRequest {
        bucket: Some(256),
        ..request.clone()
    };
    worker.ask(8, &larger);
    let larger = worker.answer(8).unwrap();
    assert!(larger.transformer.tokens > transformer.tokens);
    assert!(larger.peak_bytes > plan.peak_bytes);

    let rendered = worker.render(&request).memory_plan.expect("it was planned");
    assert_eq!(rendered.transformer, *transformer);
}

#[test]
fn a_busy_worker_answers_between_two_steps() {
    let desk = Desk::new();
    let mut worker = Worker::ready(desk.path());
    let long = RenderRequest {
        steps: Some(100),
        ..desk.request(Model::Original, 60)
    };
    worker.send(&ToWorker::Render(Box::new(long.clone())));
    worker.wait_for(|message| matches!(message, FromWorker::Progress { progress, .. } if progress.phase == Phase::Sample));
    let next = RenderRequest {
        job: JobId(2),
        ..desk.request(Model::F1, 1)
    };
    // Orders that are no questions keep their place.
    worker.send(&ToWorker::Render(Box::new(next.clone())));
    worker.ask(1, &next);
    worker.answer(1).unwrap();
    worker.send(&ToWorker::Cancel { job: long.job });
    let ended =
        |message: &FromWorker| matches!(message, FromWorker::Done { job, .. } if *job == next.job);
    loop {
        match worker.next() {
            FromWorker::Cancelled { job } => break assert_eq!(job, long.job),
            FromWorker::Progress { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    worker.wait_for(ended);
}

#[test]
fn what_could_not_be_rendered_is_refused_for_the_same_reason() {
    let desk = Desk::new();
    let mut worker = Worker::ready(desk.path());
    let request = RenderRequest {
        image: desk.path().join("gone.png"),
        ..desk.request(Model::Original, 1)
    };
    worker.ask(1, &request);
    let refused = worker.answer(1).unwrap_err();
    assert_eq!(refused, worker.fail(&request));
}

#[test]
fn a_cooled_worker_renders_the_same() {
    let desk = Desk::new();
    let mut worker = Worker::ready(desk.path());
    let request = desk.request(Model::Original, 1);
    let first = worker.render(&request).latents_sha256;
    for to in [Temperature::Hot, Temperature::Warm, Temperature::Cold] {
        worker.send(&ToWorker::Cool { to, ask: None });
        assert_eq!(worker.render(&request).latents_sha256, first, "{to:?}");
    }
}

#[test]
fn a_worker_loads_models_before_a_job_and_renders_the_same() {
    let desk = Desk::new();
    let request = desk.request(Model::Original, 1);
    let cold = Worker::ready(desk.path()).render(&request).latents_sha256;
    let mut worker = Worker::ready(desk.path());
    let held = |worker: &mut Worker, message: &ToWorker| {
        worker.send(message);
        match worker.next() {
            FromWorker::Held {
                memory, failure, ..
            } => (memory, failure),
            other => panic!("{other:?}"),
        }
    };
    let warm = |ask, request: &RenderRequest| ToWorker::Warm {
        ask,
        request: Box::new(RenderRequest {
            // It is not looked at.
            image: "/nowhere.png".into(),
            ..request.clone()
        }),
    };
    let (memory, failure) = held(&mut worker, &warm(1, &request));
    assert_eq!(failure, None);
    assert!(memory.host_bytes > Some(0));
    assert_eq!(worker.render(&request).latents_sha256, cold);

    let gone = RenderRequest {
        bundle: "/nowhere".into(),
        ..request.clone()
    };
    let (_, failure) = held(&mut worker, &warm(2, &gone));
    assert!(failure.is_some());
    let cool = ToWorker::Cool {
        to: Temperature::Cold,
        ask: Some(3),
    };
    let (_, failure) = held(&mut worker, &cool);
    assert_eq!(failure, None);
    assert_eq!(worker.render(&request).latents_sha256, cold);
}
