//! `framepackctl support-bundle`: what is in it, and what is not.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Read,
    path::Path,
};

use crate::{client::assert_code, fixture::Farm};

const PROMPT: &str = "oom Aunt Xenia juggles seven porcelain owls";
const NEGATIVE: &str = "wobbly porcelain";
const PICTURE: &str = "aunt-xenia.png";

/// The archive's members by their names.
fn members(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let file = zstd::Decoder::new(File::open(path).unwrap()).unwrap();
    let mut archive = tar::Archive::new(file);
    let mut members = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_str().unwrap().to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let name = name.strip_prefix("framepack-support/").unwrap();
        members.insert(name.to_owned(), bytes);
    }
    members
}

/// A farm with a job that has failed, and secrets in it.
fn farm() -> Farm {
    let farm = Farm::new();
    fs::copy(farm.path("jobs/photo.png"), farm.path("jobs").join(PICTURE)).unwrap();
    farm.drop_job(
        "secret.yaml",
        format!(
            "api: framepack/v1\nstart: {{image: {PICTURE}}}\nretry: {{max: 0}}\nprompt: {PROMPT}\nnegative_prompt: {NEGATIVE}\n"
        ),
    );
    assert_eq!(farm.report("secret").0, "failed");
    farm
}

fn bundle(farm: &Farm, more: &[&str]) -> BTreeMap<String, Vec<u8>> {
    let out = farm.path("support.tar.zst");
    let arguments = [&["support-bundle", "--out", out.to_str().unwrap()], more].concat();
    assert_code(&farm.ctl(&arguments), 0);
    members(&out)
}

/// Members that have this text.
fn having(members: &BTreeMap<String, Vec<u8>>, secret: &str) -> Vec<String> {
    let has = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(secret);
    let members = members
        .iter()
        .filter(|(name, bytes)| has(bytes) || name.contains(secret));
    members.map(|(name, _)| name.clone()).collect()
}

#[test]
fn no_member_has_a_prompt_or_the_name_of_a_picture() {
    let farm = farm();
    let members = bundle(&farm, &[]);
    for secret in ["Xenia", "porcelain", "owls", PICTURE, "aunt-xenia"] {
        assert_eq!(having(&members, secret), Vec::<String>::new(), "{secret}");
    }
    for (name, part) in [
        ("README.txt", "It has no prompts."),
        ("client.json", "\"protocol\""),
        ("info.json", "\"worker_protocol\""),
        ("doctor.json", "paths.outputs"),
        ("config.json", "\"origin\""),
        ("status.json", "\"uptime_secs\""),
        ("queue.json", "\"jobs\""),
        ("jobs.json", "(prompt left out)"),
        ("metrics.txt", "framepackd_jobs"),
        ("failures/1.json", "FP5001"),
        ("failures/1.log.ndjson", "\"message\""),
    ] {
        let text = members
            .get(name)
            .map(|bytes| String::from_utf8_lossy(bytes));
        let text = text.unwrap_or_else(|| panic!("{name}: {:?}", members.keys()));
        assert!(text.contains(part), "{name} lacks {part}: {text}");
    }
}

#[test]
fn what_is_asked_for_is_there() {
    let farm = farm();
    let members = bundle(&farm, &["--with-prompts", "--with-pictures"]);
    assert!(having(&members, "porcelain").contains(&"jobs.json".to_owned()));
    assert!(having(&members, PICTURE).contains(&"jobs.json".to_owned()));
    assert_eq!(members["failures/1.png"], b"P1 1 1 0");
}

#[test]
fn pictures_are_there_wherever_their_files_went() {
    let farm = farm();
    // Another picture lies in the place of the one that the job had.
    fs::write(farm.path("jobs").join(PICTURE), "P1 1 1 1").unwrap();
    let job = "api: framepack/v1\nstart: {image: start.png}\nretry: {max: 0}\nprompt: oom\n";
    // Claimed, then filed, with the picture in it.
    let files: [(&str, &[u8]); 2] = [("shot.yaml", job.as_bytes()), ("start.png", b"P1 1 1 0\n")];
    farm.drop_zip("packed.zip", &files);
    farm.wait_until("the bundle is put away", |farm| {
        farm.filed("packed", ".zip").pop()
    });
    let members = bundle(&farm, &["--with-pictures"]);
    assert_eq!(members["failures/1.png"], b"P1 1 1 0");
    assert_eq!(members["failures/2.png"], b"P1 1 1 0\n");
    fs::remove_file(farm.path("support.tar.zst")).unwrap();
    let members = bundle(&farm, &[]);
    let mut names = members.keys();
    assert_eq!(names.find(|name| name.contains(".png")), None);
}

#[test]
fn an_archive_is_written_without_a_daemon_too_and_replaces_nothing() {
    let farm = Farm::stopped();
    let members = bundle(&farm, &[]);
    let readme = String::from_utf8_lossy(&members["README.txt"]);
    assert!(
        readme.contains("status: cannot reach framepackd"),
        "{readme}"
    );
    let out = farm.path("support.tar.zst");
    let again = farm.ctl(&["support-bundle", "--out", out.to_str().unwrap()]);
    assert_code(&again, 6);
    assert_code(&farm.ctl(&["support-bundle", "--out", "support.zip"]), 2);
    let gzip = farm.path("support.tar.gz");
    assert_code(
        &farm.ctl(&["support-bundle", "--out", gzip.to_str().unwrap()]),
        0,
    );
    assert!(fs::read(gzip).unwrap().starts_with(&[0x1f, 0x8b]));
}
