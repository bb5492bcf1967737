//! How outages of models begin and end.

use framepack_bundle::Finding;
use framepack_jobs::Code;

use super::*;

fn sound(signature: u64) -> Look {
    Look {
        findings: Vec::new(),
        signature,
        transformer_bytes: 0,
    }
}

/// Of one model, or of all.
fn unsound(model: Option<Model>) -> Look {
    let finding = Finding {
        code: Code::WEIGHTS_TRUNCATED,
        message: "m".to_owned(),
        model,
        component: None,
    };
    Look {
        findings: vec![finding],
        signature: 3,
        transformer_bytes: 0,
    }
}

const TRIES: fn(Model, Option<JobId>) -> bool = |_, _| true;
const NOBODY: fn(Model, Option<JobId>) -> bool = |_, _| false;

fn failure(code: Code) -> Failure {
    Failure::new(code, "m")
}

fn due(outages: &Outages) -> Vec<Model> {
    outages.due(|_| false)
}

#[test]
fn a_fault_ends_when_the_job_that_tries_gets_past_it() {
    let mut outages = Outages::default();
    outages.met(Model::Original, JobId(1), failure(Code::WEIGHTS_TRUNCATED));
    assert_eq!(due(&outages), [], "not at once");
    outages.try_now();
    assert_eq!(due(&outages), [Model::Original]);
    outages.choose(Model::Original, Some(JobId(2)));
    assert_eq!(outages.due(|job| job == JobId(2)), [], "one at a time");
    // One that began before does not show that another could begin.
    assert!(!outages.passed(Model::Original, JobId(1)));
    assert!(!outages.passed(Model::F1, JobId(2)));
    assert!(outages.passed(Model::Original, JobId(2)));
    assert!(outages.is_empty());
}

#[test]
fn pauses_grow_with_the_jobs_that_try_and_not_with_others() {
    let mut outages = Outages::default();
    let pause = |outages: &Outages| {
        let due = outages.current[&Model::Original].fault.due();
        due.duration_since(Instant::now()).as_secs_f64().round() as u64
    };
    for job in 1..=3 {
        outages.met(Model::Original, JobId(job), failure(Code::MODEL_POINTER));
    }
    assert_eq!(pause(&outages), 5, "they had begun before");
    outages.choose(Model::Original, Some(JobId(4)));
    outages.met(Model::Original, JobId(4), failure(Code::MODEL_POINTER));
    assert_eq!(pause(&outages), 10);
    assert_eq!(due(&outages), []);
}

#[test]
fn files_that_have_changed_and_look_sound_are_tried_at_once() {
    let mut outages = Outages::default();
    outages.met(Model::F1, JobId(1), failure(Code::TENSOR_SHAPE));
    // It was as sound before: a look does not see this fault.
    assert!(!outages.looked(Some(sound(1)), TRIES));
    assert!(!outages.looked(Some(sound(1)), NOBODY));
    assert!(!outages.looked(None, NOBODY));
    assert!(outages.looked(Some(sound(2)), TRIES));
    assert_eq!(due(&outages), [Model::F1]);
    assert!(!outages.looked(Some(sound(2)), TRIES), "once");
    // The job that tries met it again, with the files as they are.
    outages.choose(Model::F1, Some(JobId(2)));
    outages.met(Model::F1, JobId(2), failure(Code::TENSOR_SHAPE));
    assert!(!outages.looked(Some(sound(2)), NOBODY));
    // They were mended while a job had the old ones.
    outages.choose(Model::F1, Some(JobId(3)));
    assert!(outages.looked(Some(sound(4)), TRIES));
    outages.met(Model::F1, JobId(3), failure(Code::TENSOR_SHAPE));
    assert_eq!(due(&outages), []);
    assert!(outages.looked(Some(sound(4)), TRIES));
    assert_eq!(due(&outages), [Model::F1]);
}

#[test]
fn while_no_job_can_try_a_look_ends_what_is_mended() {
    let mut outages = Outages::default();
    outages.met(Model::F1, JobId(1), failure(Code::WEIGHTS_TRUNCATED));
    assert!(!outages.looked(Some(unsound(None)), NOBODY));
    // It is seen while a job could try; by the time that it is due there is none.
    assert!(outages.looked(Some(sound(4)), TRIES));
    let told = &outages.told(|_| false)[0];
    assert_eq!((told.next_try, told.trying), (None, false), "{told:?}");
    assert!(outages.looked(Some(sound(4)), NOBODY));
    assert!(outages.is_empty());
    // Not where it has been damaged again meanwhile.
    outages.met(Model::F1, JobId(1), failure(Code::WEIGHTS_TRUNCATED));
    assert!(!outages.looked(Some(unsound(None)), TRIES));
    assert!(outages.looked(Some(sound(4)), TRIES));
    assert!(!outages.looked(Some(unsound(None)), NOBODY));
    assert!(!outages.is_empty());
}

#[test]
fn a_fault_of_one_model_keeps_no_other_from_going_on() {
    let mut outages = Outages::default();
    for model in Model::ALL {
        outages.met(model, JobId(1), failure(Code::WEIGHTS_TRUNCATED));
    }
    assert!(!outages.looked(Some(sound(1)), TRIES));
    assert!(outages.looked(Some(unsound(Some(Model::F1))), TRIES));
    assert_eq!(due(&outages), [Model::Original]);
    assert!(outages.looked(Some(unsound(Some(Model::F1))), NOBODY));
    let told = outages.told(|_| false);
    assert_eq!(told[0].models, [Model::F1], "{told:?}");
}

#[test]
fn a_bundle_that_comes_after_the_start_ends_what_was_expected() {
    let mut outages = Outages::default();
    outages.expect(&failure(Code::MODEL_INCOMPLETE));
    assert_eq!(due(&outages), Model::ALL, "the first job tries at once");
    let told = outages.told(|_| false);
    assert_eq!(told.len(), 1, "one message: {told:?}");
    assert!(told[0].models.is_empty());
    assert!(outages.looked(Some(sound(1)), NOBODY));
    assert!(outages.is_empty());

    outages.expect(&failure(Code::MODEL_INCOMPLETE));
    outages.choose(Model::F1, Some(JobId(1)));
    assert!(outages.passed(Model::F1, JobId(1)));
    assert!(outages.is_empty(), "nobody has met it");
}
