//! The jobs folder: what is dropped becomes a video and a report, once.

use std::{
    fs::{self, File},
    io::Write,
};

use framepack_jobs::StateName;

use crate::fixture::{Farm, entries, job};

#[test]
fn a_dropped_job_becomes_a_video_and_a_report() {
    let farm = Farm::new();
    farm.drop_prompt("cat.yaml", "a cat");
    let (outcome, report) = farm.report("cat");
    assert_eq!(outcome, "done");
    assert_eq!(
        (&report["api"], &report["kind"]),
        (&"framepack/v1".into(), &"Report".into())
    );
    assert_eq!(report["job"]["state"], "done");
    assert_eq!(report["job"]["attempts"], 1);
    assert_eq!(report["job"]["spec"]["prompt"], "a cat");
    assert_eq!(report["job"]["result"]["plan"]["frames"], 73);
    assert_eq!(report["versions"]["worker"], "0.0.0-fake");

    let seed = report["job"]["seed"].as_u64().unwrap();
    assert_eq!(farm.outputs(), [format!("cat-{seed}.mp4")]);
    let filed = farm.filed("cat", "");
    let names: Vec<_> = filed
        .iter()
        .map(|(_, path)| path.file_name().unwrap().to_string_lossy())
        .collect();
    assert_eq!(names, ["cat.1.report.json", "cat.1.yaml"]);
    assert!(farm.claimed().is_empty(), "nothing stays claimed");
    assert!(
        entries(&farm.path("state/inputs")).is_empty(),
        "the copy of the photo is gone"
    );
}

#[test]
fn jobs_run_in_the_order_of_their_numbers() {
    let mut farm = Farm::stopped();
    for name in ["c", "a", "b"] {
        farm.drop_prompt(&format!("{name}.yaml"), name);
        // The order of arrival is the order of the files' times, whose steps are as coarse as the kernel's clock.
        let time = fs::metadata(farm.path(format!("jobs/{name}.yaml")))
            .unwrap()
            .modified()
            .unwrap();
        farm.wait_until("the clock moves", |farm| {
            fs::write(farm.path("tick"), "").unwrap();
            (fs::metadata(farm.path("tick")).unwrap().modified().unwrap() > time).then_some(())
        });
    }
    farm.start();
    let order = ["c", "a", "b"].map(|name| farm.report(name).1["job"]["id"].as_u64().unwrap());
    assert_eq!(order, [1, 2, 3]);
    assert_eq!(farm.renders(), [1, 2, 3]);
}

#[test]
fn rule_03_a_file_that_is_still_being_written_waits_for_its_end() {
    let farm = Farm::new();
    let mut file = File::create(farm.path("jobs/slow.yaml")).unwrap();
    // Valid YAML, and not the job that is meant.
    write!(file, "{}", job("half a prompt").trim_end()).unwrap();
    file.sync_all().unwrap();
    farm.drop_prompt("other.yaml", "dropped later");
    farm.report("other");
    assert!(farm.show("slow").is_empty(), "half a job is no job");

    writeln!(file, "\nsteps: 7").unwrap();
    drop(file);
    let (outcome, report) = farm.report("slow");
    assert_eq!(outcome, "done");
    assert_eq!(report["job"]["spec"]["steps"], 7);
}

#[test]
fn rule_08_the_same_job_again_is_a_duplicate() {
    let farm = Farm::new();
    farm.drop_prompt("cat.yaml", "a cat");
    farm.report("cat");
    let text = format!(
        "# the same, but for this comment\n{}name: cat\n",
        job("a cat")
    );
    farm.drop_job("again.yaml", text);
    let (outcome, report) = farm.report("again");
    assert_eq!(outcome, "duplicate");
    assert_eq!(report["job"]["id"], 1);
    assert_eq!(farm.renders(), [1]);

    farm.drop_job(
        "third.yaml",
        format!("key: mine\nname: cat\n{}", job("a cat")),
    );
    assert_eq!(farm.report("third").0, "done");
    assert_eq!(
        farm.renders(),
        [1, 2],
        "a key of its own makes it another job"
    );
    let names = farm.outputs();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn rule_08_another_photo_in_the_same_place_makes_another_job() {
    let farm = Farm::new();
    farm.drop_prompt("cat.yaml", "a cat");
    let (_, first) = farm.report("cat");
    fs::write(farm.path("jobs/photo.png"), "P1 1 1 1").unwrap();
    farm.drop_prompt("cat.yaml", "a cat");
    let second = farm.wait_until("the second one is done", |farm| {
        farm.show("2").pop().filter(|job| job.is(StateName::Done))
    });
    assert_eq!(farm.renders(), [1, 2]);
    assert_ne!(first["job"]["seed"], second.seed, "seed: auto");

    // What the user calls the same is the same.
    for photo in ["third", "fourth"] {
        fs::write(farm.path("jobs/photo.png"), format!("P1 1 1 0 # {photo}")).unwrap();
        let text = format!("{}key: mine\n", job("a cat"));
        farm.drop_job(format!("{photo}.yaml"), text);
    }
    let outcomes = ["third", "fourth"].map(|stem| farm.report(stem).0);
    assert!(outcomes.contains(&"duplicate".to_owned()), "{outcomes:?}");
}

#[test]
fn a_job_whose_video_was_removed_is_rendered_again_under_its_name() {
    let farm = Farm::new();
    farm.drop_prompt("cat.yaml", "a cat");
    farm.report("cat");
    let video = farm.outputs().remove(0);
    fs::remove_file(farm.path("outputs").join(&video)).unwrap();
    farm.drop_prompt("cat.yaml", "a cat");
    farm.wait_until("the second one is done", |farm| {
        farm.show("2").pop().filter(|job| job.is(StateName::Done))
    });
    assert_eq!(farm.outputs(), [video]);
}

#[test]
fn a_random_seed_is_another_job_each_time() {
    let farm = Farm::new();
    let text = format!("{}seed: random\n", job("a cat"));
    farm.drop_job("cat.yaml", &text);
    farm.report("cat");
    farm.drop_job("cat.yaml", &text);
    farm.wait_until("the second one is done", |farm| {
        farm.show("2").pop().filter(|job| job.is(StateName::Done))
    });
    assert_eq!(farm.outputs().len(), 2);
}

#[test]
fn a_file_moved_back_from_the_archive_is_the_same_job_again() {
    let farm = Farm::new();
    // A name of the user's own with a number in it stays as it is.
    farm.drop_prompt("take.1.yaml", "oom");
    farm.report("take.1");
    assert_eq!(farm.show("1")[0].name, "take.1");
    for attempt in 1..=2 {
        let (_, archived) = farm.filed("take.1", ".yaml").pop().unwrap();
        let name = archived.file_name().unwrap().to_owned();
        assert_eq!(name, format!("take.1.{attempt}.yaml").as_str());
        fs::rename(archived, farm.path("jobs").join(name)).unwrap();
        farm.wait_until("it failed again", |farm| {
            farm.filed("take.1", ".yaml").pop()
        });
    }
    let jobs = farm.show("@failed");
    assert_eq!(jobs.len(), 3);
    for job in &jobs {
        assert_eq!((&job.name, &job.key), (&jobs[0].name, &jobs[0].key));
    }

    // The same for a file that never became a job.
    farm.drop_job("dog.yaml", "api: framepack/v1\nstart: {image: later.png}\n");
    farm.report("dog");
    let (_, rejected) = farm.filed("dog", ".yaml").pop().unwrap();
    fs::write(farm.path("jobs/later.png"), "P1 1 1 0").unwrap();
    let name = rejected.file_name().unwrap().to_owned();
    fs::rename(rejected, farm.path("jobs").join(name)).unwrap();
    let dog = farm.wait_until("it is done", |farm| farm.show("dog").pop());
    assert_eq!(dog.name, "dog");
}

#[test]
fn a_taken_name_gets_a_suffix() {
    let farm = Farm::new();
    for (name, prompt) in [("a.yaml", "one"), ("b.yaml", "two")] {
        farm.drop_job(
            name,
            format!("{}output: {{dir: shots, name: same}}\n", job(prompt)),
        );
    }
    let videos = ["a", "b"].map(|stem| {
        farm.report(stem).1["job"]["output"]
            .as_str()
            .unwrap()
            .to_owned()
    });
    let shots = farm.path("outputs/shots").canonicalize().unwrap();
    let mut videos = videos.map(|video| {
        video
            .strip_prefix(shots.to_str().unwrap())
            .unwrap()
            .to_owned()
    });
    videos.sort();
    assert_eq!(videos, ["/same-2.mp4", "/same.mp4"]);
}

#[test]
fn rule_08_a_failed_job_is_tried_again_when_it_is_dropped_again() {
    let farm = Farm::new();
    for attempt in [1, 2] {
        farm.drop_prompt("cat.yaml", "oom");
        farm.wait_until("the job failed", |farm| {
            (farm.filed("cat", ".yaml").len() == attempt).then_some(())
        });
    }
    assert_eq!(
        farm.renders(),
        [1, 1, 1, 2, 2, 2],
        "each has its three attempts"
    );
    let (_, words) = farm.filed("cat", ".report.txt").remove(0);
    let words = fs::read_to_string(words).unwrap();
    for expected in [
        "FP5001",
        "out of memory: needed 20 GiB",
        "smaller `size.bucket`",
        "To try again",
    ] {
        assert!(words.contains(expected), "{expected}:\n{words}");
    }
    assert!(farm.outputs().is_empty());
}

#[test]
fn every_failure_of_the_worker_is_in_the_report() {
    let farm = Farm::new();
    for (prompt, class, code) in [
        ("oom", "oom", "FP5001"),
        ("nan", "numerics", "FP5004"),
        ("lie", "internal", "FP7002"),
    ] {
        farm.drop_prompt(&format!("{prompt}.yaml"), prompt);
        let (outcome, report) = farm.report(prompt);
        assert_eq!(outcome, "failed");
        assert_eq!(
            (&report["failure"]["class"], &report["failure"]["code"]),
            (&class.into(), &code.into())
        );
        assert_eq!(report["job"]["state"], "failed");
    }
}

#[test]
fn rule_07_a_claimed_file_that_never_became_a_job_is_recovered() {
    let mut farm = Farm::new();
    farm.stop();
    let id = fs::read_to_string(farm.path("state/daemon-id")).unwrap();
    let claimed = farm.path("jobs/claimed");
    fs::write(
        claimed.join(id.trim()).join("0123456789abcdef.cat.yaml"),
        job("a cat"),
    )
    .unwrap();
    fs::create_dir_all(claimed.join("another")).unwrap();
    fs::write(
        claimed.join("another/0123456789abcdef.dog.yaml"),
        job("a dog"),
    )
    .unwrap();

    farm.start();
    assert_eq!(farm.report("cat").0, "done");
    assert_eq!(
        farm.show("@done").len(),
        1,
        "another daemon's claim is not ours"
    );
}

#[test]
fn a_file_that_could_not_be_filed_is_filed_by_the_next_daemon() {
    let mut farm = Farm::stopped();
    fs::write(farm.path("jobs/done"), "in the way").unwrap();
    farm.start();
    farm.drop_prompt("cat.yaml", "a cat");
    farm.wait_until("the job is done", |farm| farm.show("@done").pop());
    farm.kill();
    assert_eq!(farm.claimed().len(), 1);

    fs::remove_file(farm.path("jobs/done")).unwrap();
    farm.start();
    assert_eq!(farm.report("cat").0, "done");
    assert_eq!(farm.renders(), [1]);
    assert!(farm.show("1")[0].is(StateName::Done));
}
