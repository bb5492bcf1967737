//! What is kept free beside the weights, by whose wish.

use super::*;

#[test]
fn a_jobs_own_amount_goes_before_the_workers() {
    let (survey, memory) = published(16 * GIB);
    let with = |preserve_bytes, settings: &[(&str, Value)]| {
        let options = ModelOptions {
            limits: Limits {
                preserve_bytes,
                ..Limits::default()
            },
            ..ModelOptions::default()
        };
        let options = options.for_job(&job(settings), Relief::default());
        let planned = Planned::new(&survey, &memory, &options).unwrap();
        planned.placement.transformer.preserve_bytes
    };
    let preserve = |value| [("memory.preserve_gb", value)];
    let activations = with(None, &[]);
    assert!(activations < 4 * GIB);
    assert_eq!(with(Some(6 * GIB), &[]), 6 * GIB);
    assert_eq!(with(Some(6 * GIB), &preserve(Value::Integer(4))), 4 * GIB);
    assert_eq!(with(None, &preserve(Value::Number(4.5))), 9 * GIB / 2);
    assert_eq!(with(Some(6 * GIB), &preserve("auto".into())), activations);
}

#[test]
fn only_a_job_that_itself_asks_for_more_than_fits_is_refused() {
    let (survey, memory) = published(12 * GIB);
    let planned = |own: &[&str]| {
        let job = job_that_asks(&[("memory.preserve_gb", Value::Integer(12))], own);
        let options = ModelOptions::default().for_job(&job, Relief::default());
        Planned::new(&survey, &memory, &options)
    };
    let transformer = planned(&["attention"]).unwrap().placement.transformer;
    assert_eq!(transformer.wanted_bytes, Some(12 * GIB));
    let Err(error) = planned(&["memory.preserve_gb"]) else {
        panic!("it fits");
    };
    assert!(
        error
            .to_string()
            .starts_with("memory.preserve_gb keeps 12.00 GiB free"),
        "{error}"
    );
}

#[test]
fn on_a_processor_nothing_is_kept_free_whatever_is_asked_for() {
    let transformer = |settings: &[(&str, Value)]| {
        let planner = Planner::new(Device::Cpu, ModelOptions::default());
        let (plan, _) = planner.plan_job(&job(settings), Relief::default()).unwrap();
        plan.transformer
    };
    let asked = transformer(&[("memory.preserve_gb", Value::Integer(128))]);
    assert_eq!(asked, transformer(&[]));
    assert_eq!(asked.preserve_bytes, 0);
}
