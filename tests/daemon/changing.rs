//! `edit`, `set` and `retry --set`: jobs that become other ones under the same numbers.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use framepack_jobs::{Job, StateName};

use crate::{
    client::assert_code,
    fixture::{Farm, binary, entries},
};

/// A picture of its own.
const OTHER: &str = "P1 1 1 1";

impl Farm {
    /// A farm whose jobs do not begin.
    fn paused() -> Self {
        let farm = Self::new();
        assert_code(&farm.ctl(&["pause", "--all"]), 0);
        farm
    }

    fn the(&self, name: &str) -> Job {
        self.show(name).pop().unwrap()
    }

    /// framepackctl with this shell script as the editor: its `$1` is the file.
    fn edited(&self, job: &str, script: &str) -> Output {
        let (editor, folder) = (self.path("editor"), self.path("tmp"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(&editor, script).unwrap();
        Command::new(binary("framepackctl"))
            .arg("--socket")
            .arg(self.socket())
            .args(["edit", job])
            .env_remove("VISUAL")
            .env("EDITOR", format!("sh {}", editor.display()))
            .env("TMPDIR", folder)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// What editors left.
    fn drafts(&self) -> Vec<PathBuf> {
        entries(&self.path("tmp"))
    }

    /// The copies of start images.
    fn copies(&self) -> Vec<String> {
        let copies = entries(&self.path("state/inputs"));
        // One may go in the same moment.
        let copies = copies.iter().map(fs::read_to_string);
        copies.map(Result::unwrap_or_default).collect()
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_queued_job_is_edited_and_keeps_its_number_and_its_place() {
    let mut farm = Farm::paused();
    farm.submit_keys("cat", "a cat", "seed: 7");
    farm.submit_keys("dog", "a dog", "");
    let before = farm.the("cat");
    let edited = farm.edited(
        "cat",
        "sed -i 's/a cat/a tiger/; s/seed: 7/seed: 8/' \"$1\"",
    );
    assert_code(&edited, 0);
    let job = farm.the("cat");
    assert_eq!((job.id, job.seed), (before.id, 8));
    assert_eq!(job.spec.prompt, "a tiger");
    assert_ne!(job.key, before.key);
    assert!(job.output.ends_with("cat-8.mp4"), "{:?}", job.output);
    assert_eq!(job.submitted_at, before.submitted_at);
    assert!(farm.drafts().is_empty());
    // It was durable before it was answered.
    farm.kill();
    farm.start();
    assert_eq!(farm.the("cat"), job);
    assert_code(&farm.ctl(&["resume", "--all"]), 0);
    assert_code(&farm.ctl(&["wait", "cat", "dog"]), 0);
    assert_eq!(farm.renders(), [1, 2]);
    assert!(job.output.exists());
}

#[test]
fn an_edit_that_comes_to_nothing_says_so_and_loses_nothing() {
    let farm = Farm::paused();
    farm.submit_keys("cat", "a cat", "# as it was written\nsteps: 8");
    let before = farm.the("cat");
    let unchanged = farm.edited("cat", "exit 0");
    assert_code(&unchanged, 0);
    assert_eq!(stderr(&unchanged), "warning: job 1 is unchanged\n");
    // The same job in other words.
    let same = farm.edited("cat", "echo '# a remark' >> \"$1\"");
    assert_code(&same, 0);
    assert!(
        stderr(&same).contains("nothing is changed"),
        "{}",
        stderr(&same)
    );
    let failed = farm.edited("cat", "exit 3");
    assert_code(&failed, 2);
    assert!(farm.drafts().is_empty());

    let invalid = farm.edited("cat", "sed -i 's/steps: 8/step: 800/' \"$1\"");
    assert_code(&invalid, 6);
    let said = stderr(&invalid);
    assert!(said.contains("did you mean `steps`?"), "{said}");
    let draft = farm.drafts().pop().unwrap();
    assert!(said.contains(draft.to_str().unwrap()), "{said}");
    assert!(fs::read_to_string(draft).unwrap().contains("step: 800"));
    assert_eq!(farm.the("cat"), before);
}

#[test]
fn a_job_that_begins_while_it_is_edited_is_a_conflict() {
    let farm = Farm::paused();
    let gate = farm.path("gate");
    farm.submit_keys("cat", &format!("wait {}", gate.display()), "");
    let ctl = format!(
        "{} --socket {}",
        binary("framepackctl").display(),
        farm.socket().display()
    );
    let script = format!(
        "echo 'steps: 3' >> \"$1\"\n{ctl} resume --all\n\
         until {ctl} list --state running | grep -q cat; do :; done"
    );
    let refused = farm.edited("cat", &script);
    assert_code(&refused, 10);
    let said = stderr(&refused);
    assert!(
        said.contains("job 1 is running: `framepackctl pause 1`"),
        "{said}"
    );
    let draft = farm.drafts().pop().unwrap();
    assert!(said.contains(draft.to_str().unwrap()), "{said}");
    assert_code(&farm.edited("cat", "exit 0"), 10);
    fs::write(gate, "").unwrap();
    assert_code(&farm.ctl(&["wait", "cat"]), 0);
}

#[test]
fn a_job_that_somebody_else_changes_meanwhile_is_a_conflict() {
    let farm = Farm::paused();
    farm.submit_keys("cat", "a cat", "");
    let ctl = format!(
        "{} --socket {}",
        binary("framepackctl").display(),
        farm.socket().display()
    );
    let script = format!("echo 'steps: 3' >> \"$1\"\n{ctl} priority 1 5");
    let refused = farm.edited("cat", &script);
    assert_code(&refused, 10);
    assert!(stderr(&refused).contains("job 1 was changed meanwhile [FP1042]"));
    assert_eq!(farm.the("cat").schedule.priority, 5);
}

#[test]
fn keys_are_set_of_many_jobs_each_by_itself() {
    let farm = Farm::paused();
    for name in ["cat", "dog"] {
        farm.submit_keys(name, name, "group: day\nsteps: 8");
    }
    let set = farm.ctl(&["set", "group:day", "99", "steps=20", "priority=3", "group="]);
    assert_code(&set, 4);
    assert_eq!(stderr(&set), "warning: no such job: 99\n");
    assert_eq!(String::from_utf8_lossy(&set.stdout).lines().count(), 2);
    for job in farm.show("@queued") {
        assert_eq!((job.spec.steps, job.schedule.priority), (Some(20), 3));
        assert_eq!(job.schedule.group, None);
    }
    let before = farm.show("@queued");
    let wrong = farm.ctl(&["set", "cat", "dog", "stpes=20"]);
    assert_code(&wrong, 6);
    let expected = "warning: job 1 stays as it is: stpes: unknown key (did you mean `steps`?)\n";
    assert!(stderr(&wrong).starts_with(expected), "{}", stderr(&wrong));
    assert_eq!(farm.show("@queued"), before);
    // One that would be another job again.
    let same = farm.ctl(&["set", "dog", "prompt=cat", "name=cat"]);
    assert_code(&same, 10);
    assert!(
        stderr(&same).contains("would be the same as job 1"),
        "{}",
        stderr(&same)
    );
    // One that would wait for itself, and be given up for it.
    assert_code(&farm.ctl(&["set", "2", "after=1"]), 0);
    let circle = farm.ctl(&["set", "1", "after=2"]);
    assert_code(&circle, 10);
    assert!(
        stderr(&circle).contains("would wait for itself"),
        "{}",
        stderr(&circle)
    );
    assert_eq!(farm.show("@queued").len(), 2);
    assert_code(&farm.ctl(&["cancel", "1"]), 0);
    assert_code(&farm.ctl(&["set", "1", "steps=3"]), 10);
}

#[test]
fn sections_stay_where_the_change_does_not_affect_them() {
    let farm = Farm::new();
    farm.submit_keys("cat", "script full@1", "seed: 7");
    farm.wait_until("it waits for room", |farm| {
        farm.show("cat")
            .pop()
            .filter(|job| job.runs.retry_at.is_some())
    });
    let kept = farm.ctl(&["set", "cat", "priority=3", "output.crf=20"]);
    assert_code(&kept, 0);
    let expected = "warning: job 1 keeps the section that is finished\n";
    assert_eq!(stderr(&kept), expected);
    assert_eq!(farm.the("cat").runs.sections_done, 1);
    assert_code(&farm.ctl(&["pause", "--all"]), 0);
    let dropped = farm.ctl(&["set", "cat", "seed=8"]);
    assert_code(&dropped, 0);
    let expected =
        "warning: job 1 starts over, without the section that is finished: they depend on seed\n";
    assert_eq!(stderr(&dropped), expected);
    let job = farm.the("cat");
    assert_eq!((job.runs.sections_done, job.runs.retry_at), (0, None));
    let left = entries(&farm.path("state/work/1"));
    assert!(
        !left.iter().any(|path| path.ends_with("checkpoints")),
        "{left:?}"
    );
}

#[test]
fn a_failed_job_is_tried_again_as_another_one() {
    let farm = Farm::new();
    let prompt = "script oom@1*3";
    farm.submit_keys("cat", prompt, "seed: 7");
    farm.wait_for("cat", StateName::Failed);
    assert_code(&farm.ctl(&["retry", "cat", "--set", "stpes=3"]), 6);
    assert!(farm.the("cat").is(StateName::Failed));
    let kept = farm.ctl(&["retry", "cat", "--set", "output.crf=20"]);
    assert_code(&kept, 0);
    assert!(
        stderr(&kept).contains("keeps the section"),
        "{}",
        stderr(&kept)
    );
    assert_code(&farm.ctl(&["wait", "cat"]), 0);
    assert_eq!(farm.the("cat").spec.output.crf, 20);
    assert_code(&farm.ctl(&["retry", "cat", "--set", "steps=3"]), 10);
    assert_code(&farm.ctl(&["set", "cat", "steps=3"]), 10);
}

#[test]
fn another_picture_takes_the_place_of_the_copy() {
    let mut farm = Farm::paused();
    fs::write(farm.path("jobs/other.png"), OTHER).unwrap();
    farm.submit_keys("cat", "a cat", "");
    let copy = farm.copies();
    // The picture is read again only where another one is named.
    fs::write(farm.path("jobs/photo.png"), "P1 2 1 0 0").unwrap();
    assert_code(&farm.ctl(&["set", "cat", "steps=3"]), 0);
    assert_eq!(farm.copies(), copy);
    assert_code(&farm.ctl(&["set", "cat", "start.image=gone.png"]), 6);
    assert_code(&farm.ctl(&["set", "cat", "start.image=/etc/passwd"]), 5);
    assert_eq!(farm.copies(), copy);
    assert_code(&farm.ctl(&["set", "cat", "start.image=../other.png"]), 0);
    assert_eq!(farm.copies(), [OTHER]);
    farm.kill();
    farm.start();
    assert_eq!(farm.copies(), [OTHER]);
    assert_eq!(farm.the("cat").image.file_name().unwrap(), "other.png");
}

#[test]
fn a_daemon_killed_at_any_moment_has_the_job_before_or_after() {
    let mut farm = Farm::paused();
    fs::write(farm.path("jobs/other.png"), OTHER).unwrap();
    farm.submit_keys("cat", "a cat", "");
    for round in 0..4 {
        let image = ["../other.png", "../photo.png"][round % 2];
        let before = farm.copies();
        let mut set = Command::new(binary("framepackctl"))
            .arg("--socket")
            .arg(farm.socket())
            .args(["set", "cat", &format!("start.image={image}"), "steps=3"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Somewhere between its request and its answer, or behind both: which moment it is, is left to chance.
        if round > 1 {
            farm.wait_until("another copy is there", |farm| {
                (farm.copies() != before).then_some(())
            });
        }
        farm.kill();
        let told = set.wait().unwrap().success();
        farm.start();
        let job = farm.the("cat");
        let is_new = job.spec.start.image.to_str() == Some(image);
        assert!(is_new || !told, "an acknowledged change is lost");
        let content = if job.spec.start.image.ends_with("other.png") {
            OTHER
        } else {
            "P1 1 1 0"
        };
        assert_eq!(farm.copies(), [content]);
        assert_code(
            &farm.ctl(&["set", "cat", &format!("start.image={image}")]),
            0,
        );
    }
}

#[test]
fn the_report_of_a_dropped_file_says_what_its_job_became() {
    let farm = Farm::paused();
    farm.drop_prompt("cat.yaml", "a cat");
    farm.wait_until("it is queued", |farm| farm.show("cat").pop());
    assert_code(&farm.ctl(&["set", "cat", "prompt=oom", "retry.max=0"]), 0);
    assert_code(&farm.ctl(&["resume", "--all"]), 0);
    let (outcome, report) = farm.report("cat");
    assert_eq!(outcome, "failed");
    assert_eq!(report["job"]["spec"]["prompt"], "oom");
    assert!(report["job"]["changed_at"].is_string(), "{report}");
    let text = fs::read_to_string(&farm.filed("cat", ".report.txt")[0].1).unwrap();
    assert!(text.contains("The job was changed at "), "{text}");
    let dropped = farm.filed("cat", ".yaml").pop().unwrap().1;
    assert!(fs::read_to_string(dropped).unwrap().contains("a cat"));
}
