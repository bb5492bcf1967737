//! What keys ask for, and what the footer says of it.

use framepack_ipc::queue::{Boundary, Change, Scope, Standing};

use super::*;

#[test]
fn keys_ask_for_changes_of_the_selected_job() {
    let pause = Change::Pause {
        at: Boundary::Section,
    };
    let raised = |priority| Change::Priority { priority };
    for (keys, job, change) in [
        ("p", "317", pause),
        ("jh", "318", Change::Hold),
        ("jjh", "319", Change::Release),
        ("j+", "318", raised(1)),
        ("j-", "318", raised(-1)),
        ("cy", "317", Change::Cancel),
        ("cv", "317", Change::CancelKeep),
    ] {
        let mut top = top();
        let effects = press(&mut top, keys);
        let [Effect::Order(order)] = &effects[..] else {
            panic!("{keys}: {effects:?}");
        };
        assert_eq!(
            order.change.scope,
            Scope::Jobs(vec![job.parse().unwrap()]),
            "{keys}"
        );
        assert_eq!(order.change.change, change, "{keys}");
    }
    let mut top = top();
    let effects = press(&mut top, "P");
    assert!(matches!(&effects[..], [Effect::Order(order)] if order.change.scope == Scope::All));
}

#[test]
fn keys_that_do_nothing_for_a_job_say_why() {
    for (keys, standing, expected) in [
        (
            "h",
            Standing::Running,
            "job 317 is running already: p pauses it",
        ),
        ("h", Standing::Paused, "job 317 is paused: p lets it go on"),
        (
            "jp",
            Standing::Ready,
            "job 318 does not run yet: h holds it",
        ),
        (
            "jp",
            Standing::Held,
            "job 318 is held and does not run: h releases it",
        ),
    ] {
        let mut top = top();
        for entry in &mut top.view.queue.jobs[..2] {
            entry.standing = standing;
        }
        assert_eq!(press(&mut top, keys), [], "{keys}");
        let shown = screen(&top, (80, 24));
        assert!(shown.ends_with(&format!("{expected}\n")), "{shown}");
    }
    let mut top = top();
    top.view.queue.jobs[1].priority = 1000;
    assert_eq!(press(&mut top, "j+"), []);
    let shown = screen(&top, (80, 24));
    assert!(
        shown.ends_with("job 318 has priority 1000: it goes no farther\n"),
        "{shown}"
    );
    top.view.queue.paused_groups = vec!["night".to_owned()];
    top.view.queue.jobs[2].group = Some("night".to_owned());
    assert_eq!(press(&mut top, "Gp"), []);
    assert!(screen(&top, (80, 24)).ends_with("`framepackctl resume --group night`\n"));
    top.view.queue.jobs.clear();
    top.view.farm.running.clear();
    top.keep_selection();
    assert_eq!(press(&mut top, "p"), []);
    assert!(screen(&top, (80, 24)).ends_with("no job of the queue is selected\n"));
}

#[test]
fn a_paused_job_goes_on_with_the_key_that_paused_it() {
    let mut top = top();
    top.view.queue.jobs[0].standing = Standing::Paused;
    let effects = press(&mut top, "p");
    assert!(
        matches!(&effects[..], [Effect::Order(order)] if order.change.change == Change::Resume),
        "{effects:?}"
    );
}

#[test]
fn a_job_is_cancelled_after_a_yes_only() {
    for keys in ["c", "cn", "c\u{1b}", "cj"] {
        let mut top = top();
        assert_eq!(press(&mut top, keys), [], "{keys}");
    }
    let mut top = top();
    press(&mut top, "c");
    let shown = screen(&top, (80, 24));
    assert!(
        shown.ends_with(
            "Cancel job 317 shot042/s7? y: yes, v: with a video of what it has, n: no\n"
        ),
        "{shown}"
    );
}

#[test]
fn what_became_of_a_change_is_told_until_the_next_key() {
    let mut top = top();
    let told = Remark::Refused("job 318 is done already".to_owned());
    update(&mut top, Event::Changed(told), example::now());
    assert!(screen(&top, (80, 24)).ends_with("job 318 is done already\n"));
    press(&mut top, "j");
    assert!(screen(&top, (80, 24)).ends_with("q quit\n"));
}
