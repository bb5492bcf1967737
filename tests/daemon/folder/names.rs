//! Names and texts as people, systems and editors make them.

use std::{ffi::OsString, fs, os::unix::ffi::OsStringExt};

use framepack_jobs::Job;

use crate::fixture::{Farm, job};

#[test]
fn rule_13_names_of_any_bytes_are_taken_and_keep_their_script() {
    let farm = Farm::new();
    let hindi = "बिल्ली ".repeat(10) + "कूदती है";
    let names: [(&[u8], &str); 12] = [
        (b"-rf.yaml", "-rf"),
        (b"a\nb.yaml", "a_b"),
        (b"\xff\xfe.yaml", "__"),
        ("Öl.yml".as_bytes(), "Öl"),
        ("O\u{308}l 2.yaml".as_bytes(), "Öl 2"),
        ("猫が跳ぶ.yaml".as_bytes(), "猫が跳ぶ"),
        (
            format!("{}.yaml", "猫".repeat(83)).leak().as_bytes(),
            "猫".repeat(60).leak(),
        ),
        (
            format!("{hindi}.yaml").leak().as_bytes(),
            ("बिल्ली ".repeat(9) + "बि").leak(),
        ),
        ("قطة\u{202e}fpm.yaml".as_bytes(), "قطة_fpm"),
        (
            "👨\u{200d}👩\u{200d}👧 {seed}.yaml".as_bytes(),
            "👨\u{200d}👩\u{200d}👧 {seed}",
        ),
        (b"CON.yaml", "_CON"),
        (b"it's \"mine\" (1).yaml", "it's _mine_ (1)"),
    ];
    for (n, (name, _)) in names.iter().enumerate() {
        let name = OsString::from_vec(name.to_vec());
        farm.drop_job(name, job(&format!("prompt {n}")));
    }
    let all_done = |farm: &Farm| {
        let jobs = farm.show("@done");
        (jobs.len() == names.len()).then_some(jobs)
    };
    let jobs = farm.wait_until("all are done", all_done);
    for (n, (_, name)) in names.iter().enumerate() {
        let is_it = |job: &&Job| job.spec.prompt == format!("prompt {n}");
        let job = jobs.iter().find(is_it).unwrap();
        assert_eq!(job.name, *name);
        let stem = name.trim_start_matches('-');
        assert_eq!(
            job.output,
            farm.path(format!("outputs/{stem}-{}.mp4", job.seed))
        );
        assert!(job.output.is_file());
        // By its name as a Mac types it, too.
        let decomposed = name.replace('Ö', "O\u{308}");
        assert_eq!(
            farm.show(&format!("name:{decomposed}")),
            std::slice::from_ref(job)
        );
    }
    farm.wait_until("all are put away", |farm| {
        farm.claimed().is_empty().then_some(())
    });
    let report = farm.report("猫が跳ぶ").1;
    assert_eq!(report["file"], "猫が跳ぶ.yaml");
    assert_eq!(farm.outputs().len(), names.len());
}

#[test]
fn rule_05_leftovers_and_conflict_copies_are_no_jobs() {
    let mut farm = Farm::stopped();
    let jobs = farm.path("jobs");
    let conflicts = [
        "cat.sync-conflict-20261127-101500-ABCDEFG.yaml",
        "cat (Anna's conflicted copy 2026-11-27).yaml",
        "cat_conflict-20261127-101500.yaml",
        "猫 (Annaの競合コピー 2026-11-27).yaml",
    ];
    for name in conflicts
        .into_iter()
        .chain(["._cat.yaml", "~$cat.yaml", ".#cat.yaml", "Thumbs.db"])
    {
        fs::write(jobs.join(name), job("a cat")).unwrap();
    }
    for folder in ["@eaDir", "__MACOSX", "#recycle"] {
        fs::create_dir(jobs.join(folder)).unwrap();
        fs::write(jobs.join(folder).join("cat.yaml"), job("a cat")).unwrap();
    }
    farm.start();
    farm.drop_prompt("cat (1).yaml", "a cat");
    assert_eq!(farm.report("cat (1)").0, "done");
    for name in conflicts {
        farm.wait_for_status(&format!("  {name}: a copy that "));
    }
    let status = farm.status_txt();
    assert!(
        status.contains("delete it, or rename it to have it rendered"),
        "{status}"
    );
    assert!(!status.contains("job files"), "{status}");
    assert_eq!(farm.renders(), [1]);
    fs::rename(jobs.join(conflicts[0]), jobs.join("cat 2.yaml")).unwrap();
    assert_eq!(farm.report("cat 2").0, "done");
    farm.wait_until("it is passed over no more", |farm| {
        (!farm.status_txt().contains(conflicts[0])).then_some(())
    });
}

#[test]
fn rule_03_a_job_file_is_the_same_job_from_every_editor() {
    let farm = Farm::new();
    let text = job("a cat");
    let utf16 = |text: &str| -> Vec<u8> {
        format!("\u{feff}{text}")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect()
    };
    farm.drop_job("cat.yaml", &text);
    assert_eq!(farm.report("cat").0, "done");
    let texts = [
        format!("\u{feff}{text}").into_bytes(),
        utf16(&text),
        text.replace('\n', "\r").into_bytes(),
        format!("---\n{text}---\n").into_bytes(),
    ];
    for (n, bytes) in texts.into_iter().enumerate() {
        // Written in place, as editors do: it settles by its content.
        fs::write(farm.path("jobs/cat.yaml"), &bytes).unwrap();
        let filed = farm.wait_until("it is a duplicate", |farm| {
            let filed = farm.filed("cat", ".yaml");
            let duplicates = filed
                .into_iter()
                .filter(|(outcome, _)| outcome == "duplicate");
            let mut same = duplicates.filter(|(_, path)| fs::read(path).unwrap() == bytes);
            same.next()
        });
        assert_eq!(filed.0, "duplicate", "{n}");
    }
    assert_eq!(farm.renders(), [1]);
}
