//! Running jobs that halt: at a step in place, at a section for another run.

use framepack_jobs::{Job, JobState, StateName};
use serde_json::Value;

use crate::{client::assert_code, fixture::Farm};

/// Long enough to be halted in its first sections, whatever the machine does meanwhile.
const LONG: &str = "script sections=40 steps=5 step_ms=20";
/// What an uninterrupted run of [`LONG`] makes, with this seed in the keys.
const SEED: &str = "seed: 7";

impl Farm {
    /// A job that is in its second section.
    fn begun(&self, stem: &str) -> Job {
        self.submit_keys(stem, LONG, SEED);
        self.wait_until("its first section is durable", |farm| {
            farm.show(stem)
                .pop()
                .filter(|job| job.runs.sections_done > 0)
        })
    }

    fn is_halted(&self, stem: &str) -> bool {
        matches!(
            self.show(stem)[0].state,
            JobState::Running { paused: true, .. }
        )
    }

    fn wait_until_halted(&self, stem: &str) {
        self.wait_until("it halts", |farm| farm.is_halted(stem).then_some(()));
    }

    fn result_of(&self, stem: &str) -> Value {
        assert_code(&self.ctl(&["wait", stem]), 0);
        serde_json::to_value(self.show(stem).remove(0)).unwrap()["result"].clone()
    }

    /// The latents of a run that nobody interrupts.
    fn undisturbed(&self) -> Value {
        self.submit_keys("undisturbed", LONG, &format!("{SEED}\nname: undisturbed"));
        self.result_of("undisturbed")["latents_sha256"].clone()
    }
}

#[test]
fn a_job_that_is_paused_at_a_section_frees_its_worker_and_continues_there() {
    let farm = Farm::new();
    farm.begun("cat");
    let paused = farm.ctl(&["pause", "cat"]);
    assert_code(&paused, 0);
    let stderr = String::from_utf8_lossy(&paused.stderr);
    assert!(
        stderr.contains("will pause at the end of its section"),
        "{stderr}"
    );
    let job = farm.wait_until("it is back in the queue", |farm| {
        farm.show("cat")
            .pop()
            .filter(|job| job.is(StateName::Queued))
    });
    assert!(job.runs.held);
    assert!(job.runs.sections_done > 0 && job.runs.sections_done < 40);

    let undisturbed = farm.undisturbed();
    assert!(
        farm.show("cat")[0].is(StateName::Queued),
        "the worker was free for another"
    );
    assert_code(&farm.ctl(&["resume", "cat"]), 0);
    let result = farm.result_of("cat");
    assert_eq!(result["resumed"]["sections_done"], job.runs.sections_done);
    assert_eq!(result["latents_sha256"], undisturbed);
    let job = farm.show("cat").remove(0);
    assert_eq!(
        (job.runs.attempts, job.runs.retries),
        (2, 0),
        "it was no failure"
    );
}

#[test]
fn a_job_that_is_paused_at_a_step_halts_in_place_and_goes_on() {
    let farm = Farm::new();
    farm.begun("cat");
    assert_code(&farm.ctl(&["pause", "cat", "--at", "step"]), 0);
    farm.wait_until_halted("cat");
    let list = farm.ctl(&["list"]);
    assert!(String::from_utf8_lossy(&list.stdout).starts_with("1\tpaused\t"));
    farm.submit_keys("dog", "a dog", "");
    assert!(
        farm.show("dog")[0].is(StateName::Queued),
        "the worker is taken"
    );
    assert_code(&farm.ctl(&["resume", "cat"]), 0);
    let result = farm.result_of("cat");
    assert_eq!(result["resumed"], Value::Null, "it was one run");
    assert_eq!(result["latents_sha256"], farm.undisturbed());
    assert_eq!(farm.show("cat")[0].runs.attempts, 1);
}

#[test]
fn a_halted_job_stays_so_over_a_restart_and_can_be_cancelled() {
    let mut farm = Farm::new();
    farm.begun("cat");
    assert_code(&farm.ctl(&["pause", "cat", "--at", "step"]), 0);
    farm.wait_until_halted("cat");
    farm.kill();
    farm.start();
    let job = farm.show("cat").remove(0);
    assert!(job.is(StateName::Queued) && job.runs.held && job.runs.sections_done > 0);

    farm.begun("dog");
    assert_code(&farm.ctl(&["pause", "dog", "--at", "step"]), 0);
    farm.wait_until_halted("dog");
    assert_code(&farm.ctl(&["cancel", "cat", "dog"]), 0);
    assert_code(&farm.ctl(&["wait", "cat", "dog"]), 8);
}

#[test]
fn the_queue_is_paused_with_what_runs_and_resumed_with_it() {
    let farm = Farm::new();
    farm.begun("cat");
    assert_code(&farm.ctl(&["pause", "--all", "--at", "step"]), 0);
    farm.wait_until_halted("cat");
    assert_code(&farm.ctl(&["resume", "--all"]), 0);
    farm.wait_until("it goes on", |farm| (!farm.is_halted("cat")).then_some(()));
    assert_code(&farm.ctl(&["pause", "--all"]), 0);
    let job = farm.wait_until("it is back in the queue", |farm| {
        farm.show("cat")
            .pop()
            .filter(|job| job.is(StateName::Queued))
    });
    assert!(!job.runs.held, "it is the queue that is paused");
    assert_code(&farm.ctl(&["resume", "--all"]), 0);
    farm.result_of("cat");
}

#[test]
fn sections_count_against_deaths() {
    let farm = Farm::new();
    // Two deaths in each of three sections: never three without a new section.
    let crashes = "crash@0*2 crash@1*2 crash@2*2";
    farm.submit_keys("cat", &format!("script sections=3 {crashes}"), "");
    let result = farm.result_of("cat");
    assert_eq!(farm.show("cat")[0].runs.attempts, 7);
    assert_eq!(result["resumed"]["sections_done"], 2);

    farm.submit_keys("dog", "script sections=3 crash@1*3", "");
    assert_code(&farm.ctl(&["wait", "dog"]), 7);
    let job = farm.show("dog").remove(0);
    assert_eq!((job.runs.attempts, job.runs.sections_done), (3, 1));
    // By hand it goes on after the section that it has.
    assert_code(&farm.ctl(&["retry", "dog"]), 0);
    assert_eq!(farm.result_of("dog")["resumed"]["sections_done"], 1);
    // What only another run would need is gone.
    let left = crate::fixture::entries(&farm.path("state/work/2"));
    let is_checkpoint = |path: &std::path::PathBuf| path.to_string_lossy().contains("/checkpoint");
    assert!(!left.iter().any(is_checkpoint), "{left:?}");
}

#[test]
fn a_rung_that_was_climbed_is_where_the_next_run_starts() {
    let farm = Farm::new();
    farm.submit_keys("cat", "script rung@0 oom@1", "");
    farm.result_of("cat");
    let job = farm.show("cat").remove(0);
    assert_eq!(
        (job.runs.attempts, job.runs.rung, job.runs.retries),
        (2, 1, 1)
    );
    let failure = job.runs.last_failure.unwrap();
    assert_eq!(failure.code, "FP5001");
}
