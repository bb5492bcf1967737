//! `drain`: no more jobs start, and the running ones are waited for.

use std::{fs, process::Output};

use framepack_jobs::StateName;

use crate::{client::assert_code, fixture::Farm};

impl Farm {
    /// Waits until the queue says that it is paused.
    fn wait_until_paused(&self) {
        self.wait_until("no more jobs start", |farm| {
            let ping = farm.ctl(&["ping"]);
            let said = String::from_utf8_lossy(&ping.stdout).into_owned();
            said.contains("the queue is paused").then_some(())
        });
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_running_job_ends_no_other_starts_and_that_outlives_the_daemon() {
    let mut farm = Farm::new();
    farm.submit_gated();
    farm.submit_keys("next", "a cat", "name: next");
    std::thread::scope(|scope| {
        let draining = scope.spawn(|| farm.ctl(&["drain"]));
        farm.wait_until_paused();
        fs::write(farm.path("gate"), "").unwrap();
        let drained = draining.join().unwrap();
        assert_code(&drained, 0);
        let said = stderr(&drained);
        assert!(said.contains("waiting for 1 job\n"), "{said}");
        assert!(
            said.contains("drained: 1 job ended, 1 queued; `framepackctl resume --all`"),
            "{said}"
        );
        let rows = String::from_utf8_lossy(&drained.stdout);
        assert!(rows.starts_with("1\tdone\t"), "{rows}");
    });
    farm.stop();
    farm.start();
    let drained = farm.ctl(&["drain"]);
    assert_code(&drained, 0);
    assert!(
        stderr(&drained).contains("none is running"),
        "{}",
        stderr(&drained)
    );
    assert!(farm.show("next")[0].is(StateName::Queued));
    assert_code(&farm.ctl(&["resume", "--all"]), 0);
    assert_code(&farm.ctl(&["wait", "next"]), 0);
}

#[test]
fn a_job_may_be_suspended_at_its_section_instead() {
    let farm = Farm::new();
    farm.submit_keys("long", "script sections=40 steps=5 step_ms=20", "");
    farm.wait_until("its first section is durable", |farm| {
        let job = farm.show("long").pop()?;
        (job.runs.sections_done > 0).then_some(())
    });
    let drained = farm.ctl(&["drain", "--at", "section"]);
    assert_code(&drained, 0);
    assert!(
        stderr(&drained).contains("drained: 0 jobs ended, 1 queued, 1 of which resume later"),
        "{}",
        stderr(&drained)
    );
    let job = farm.show("long").remove(0);
    assert!(job.is(StateName::Queued) && !job.runs.held);
    assert!(job.runs.sections_done < 40);
}

#[test]
fn what_takes_too_long_goes_on_and_still_no_other_job_starts() {
    let farm = Farm::new();
    let job = farm.submit_gated();
    // The daemon's first answer counts, too.
    let late = farm.ctl(&["drain", "--timeout", "0.5s"]);
    assert_code(&late, 9);
    let expected = format!("still running: {};", job.id);
    assert!(stderr(&late).contains(&expected), "{}", stderr(&late));
    farm.wait_until_paused();
    assert!(farm.show("gated")[0].is(StateName::Running));

    assert_code(&farm.ctl(&["pause", "gated", "--at", "step"]), 0);
    farm.wait_until("it stands still", |farm| {
        let late = farm.ctl(&["drain", "--timeout", "0.1s"]);
        stderr(&late)
            .contains("is paused and does not end by itself")
            .then_some(())
    });
}
