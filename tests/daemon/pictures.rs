//! Pictures and prompts as people have them: what can't be read is refused when it comes, what is read with a loss is
//! said as soon as it is known.

use std::{fs, path::Path};

use framepack_jobs::StateName;
use serde_json::Value;

use crate::{
    client::assert_code,
    fixture::{Farm, job},
};

/// Longer than a prompt that is surely read.
fn long_prompt(number: usize) -> String {
    format!("{number} {}", "a cat jumps over the fence ".repeat(4))
}

/// Name, first bytes, and what the rejection says: code, real name, way out.
const FOREIGN: [(&str, &[u8], [&str; 3]); 9] = [
    (
        "telephone.jpg",
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        ["FP2004", "is a HEIC picture", "heif-convert"],
    ),
    (
        "modern.png",
        b"\0\0\0\x1Cftypavif\0\0\0\0avifmif1",
        ["FP2004", "is an AVIF picture", "avifdec"],
    ),
    (
        "clip.jpg",
        b"\0\0\0\x18ftypisom\0\0\0\0isomavc1",
        ["FP2007", "is an MP4 or QuickTime video", "ffmpeg"],
    ),
    (
        "page.jpg",
        b"<!DOCTYPE html><html>",
        ["FP2007", "is a web page", "download the picture itself"],
    ),
    (
        "pointer.png",
        b"version https://git-lfs.github.com/spec/v1\noid",
        ["FP2007", "is a pointer of git-lfs", "git lfs pull"],
    ),
    (
        "raw.tif",
        b"II*\0\x10\0\0\0CR\x02\0",
        ["FP2004", "is a Canon raw photo (CR2)", "darktable-cli"],
    ),
    ("empty.png", b"", ["FP2008", "is empty", "copy it again"]),
    (
        "half.jpg",
        b"\xFF\xD8\xFF\xE0\0\x04hi\xFF\xDA\0\x02abc",
        ["FP2006", "is truncated", "copy it again"],
    ),
    (
        "mangled.png",
        b"\x89PNG\n\x1a\n\0\0\0\x0DIHDR",
        ["FP2006", "transfer as text", "binary mode"],
    ),
];

#[test]
fn what_no_worker_reads_is_rejected_by_its_real_name() {
    let farm = Farm::new();
    for (name, bytes, _) in FOREIGN {
        fs::write(farm.path("jobs").join(name), bytes).unwrap();
        let text = job("a cat").replace("photo.png", name);
        farm.drop_job(format!("{name}.yaml"), text);
    }
    for (name, _, [code, says, hint]) in FOREIGN {
        let (outcome, report) = farm.report(name);
        assert_eq!(outcome, "rejected", "{name}");
        let failure = &report["failure"];
        assert_eq!(failure["code"], code, "{name}: {failure:#}");
        assert!(
            failure["message"].as_str().unwrap().contains(says),
            "{name}: {failure:#}"
        );
        assert!(
            failure["hint"].as_str().unwrap().contains(hint),
            "{name}: {failure:#}"
        );

        let path = farm.write_job("job.yaml", "a cat");
        fs::write(
            &path,
            job("a cat").replace("photo.png", &format!("../{name}")),
        )
        .unwrap();
        let refused = farm.ctl(&["submit", &path]);
        assert_code(&refused, 6);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(
            said.contains(says) && said.contains(code) && said.contains(hint),
            "{name}: {said}"
        );
    }
    assert!(farm.show("@last").is_empty(), "none became a job");
    assert!(crate::fixture::entries(&farm.path("state/inputs")).is_empty());
}

#[test]
fn a_picture_with_a_film_behind_it_is_a_picture() {
    let farm = Farm::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/pictures");
    let photo = fs::read(folder.join("jpeg-grey.jpg")).unwrap();
    let film = b"\0\0\0\x18ftypmp42\0\0\0\0isommp42 \xFF\xDA and so on";
    fs::write(farm.path("jobs/photo.png"), [&photo[..], film].concat()).unwrap();
    farm.drop_prompt("cat.yaml", "a cat");
    assert_eq!(farm.report("cat").0, "done");
}

#[test]
fn what_a_closer_look_finds_is_said_at_submission_and_in_the_record() {
    let farm = Farm::new();
    let gate = farm.occupy_worker();
    let prompt = long_prompt(1);
    let expected = format!("prompt: {} bytes", prompt.len());
    let path = farm.write_job("socket.yaml", &prompt);
    // The first program may take longer to start than a client waits.
    let submitted = farm.ctl(&["submit", "--json", &path]);
    assert_code(&submitted, 0);
    farm.drop_prompt("folder.yaml", &long_prompt(2));
    farm.drop_prompt("short.yaml", "a cat");
    for name in ["socket", "folder"] {
        farm.wait_until("its record warns", |farm| {
            let job = farm.show(name).pop()?;
            (job.warnings == [expected.as_str()]).then_some(())
        });
    }
    // The program is there now: the answer comes with the submission.
    let path = farm.write_job("again.yaml", &long_prompt(3));
    let submitted = farm.ctl(&["submit", &path]);
    let said = String::from_utf8_lossy(&submitted.stderr).into_owned();
    assert!(said.contains(&expected), "{said}");
    assert!(farm.show("short")[0].warnings.is_empty());
    fs::write(gate, "").unwrap();
    let (_, report) = farm.report("folder");
    assert_eq!(report["job"]["warnings"], Value::from(vec![expected]));
}

#[test]
fn many_jobs_share_a_program_and_one_that_dies_hinders_none() {
    let farm = Farm::new();
    let gate = farm.occupy_worker();
    for number in 0..150 {
        farm.drop_prompt(&format!("cat-{number}.yaml"), &long_prompt(number));
    }
    farm.wait_until("all are looked at", |farm| {
        let jobs = (0..150).map(|number| farm.show(&format!("cat-{number}")).pop());
        jobs.into_iter()
            .all(|job| job.is_some_and(|job| job.warnings.len() == 1))
            .then_some(())
    });
    assert_eq!(farm.noted("inspections.log").len(), 1);

    farm.drop_prompt("dead.yaml", &format!("uninspected {}", long_prompt(0)));
    farm.wait_until("it is queued", |farm| farm.show("dead").pop());
    farm.drop_prompt("next.yaml", &long_prompt(7));
    farm.wait_until("the next one is looked at", |farm| {
        let job = farm.show("next").pop()?;
        (!job.warnings.is_empty()).then_some(())
    });
    assert_eq!(farm.noted("inspections.log").len(), 2);
    let dead = farm.show("dead").pop().unwrap();
    assert!(dead.warnings.is_empty() && dead.is(StateName::Queued));
    fs::write(gate, "").unwrap();
}

#[test]
fn a_picture_that_cannot_be_decoded_fails_its_job_before_its_turn() {
    let farm = Farm::new();
    let gate = farm.occupy_worker();
    farm.drop_prompt("good.yaml", "a cat");
    fs::write(farm.path("jobs/bad.png"), b"P1 1 1 0 undecodable").unwrap();
    farm.drop_job("bad.yaml", job("a dog").replace("photo.png", "bad.png"));
    farm.drop_job(
        "long.yaml",
        job(&long_prompt(1)).replace("photo.png", "bad.png"),
    );
    for name in ["bad", "long"] {
        // The worker is occupied: nobody's turn has come.
        let (outcome, report) = farm.report(name);
        assert_eq!(outcome, "failed", "{name}");
        assert_eq!(report["failure"]["code"], "FP2006", "{report:#}");
    }
    let path = farm.write_job("job.yaml", "a cat");
    let text = job("a mouse").replace("photo.png", "../bad.png");
    fs::write(&path, text).unwrap();
    assert_code(&farm.ctl(&["submit", &path]), 0);
    farm.wait_until("it has failed", |farm| {
        farm.show("@last")
            .pop()?
            .is(StateName::Failed)
            .then_some(())
    });
    assert!(farm.show("good")[0].is(StateName::Queued));
    fs::write(gate, "").unwrap();
    assert_eq!(farm.report("good").0, "done");
}
