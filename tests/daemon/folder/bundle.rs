//! Rule 10: a job file and its pictures as one.

use std::{
    fs::{self, File},
    io::{Cursor, Write},
    os::unix::fs::symlink,
    path::Path,
};

use zip::{ZipWriter, write::SimpleFileOptions};

use crate::fixture::{Farm, entries, job};

impl Farm {
    /// A folder beside the jobs folder, with a job of this prompt and its picture.
    pub(crate) fn write_bundle(&self, name: &str, prompt: &str) -> std::path::PathBuf {
        let folder = self.path(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("shot.yaml"), bundled(prompt)).unwrap();
        fs::create_dir(folder.join("pictures")).unwrap();
        fs::write(folder.join("pictures/start.png"), "P1 1 1 0").unwrap();
        folder
    }

    /// What became of a bundle: the outcome, and what was put away, bundle and reports.
    #[track_caller]
    fn bundle_report(&self, stem: &str, suffix: &str) -> (String, serde_json::Value) {
        self.wait_until(&format!("{stem}{suffix} is put away"), |farm| {
            farm.filed(stem, suffix).pop()
        });
        let (outcome, report) = self.filed(stem, ".report.json").pop().unwrap();
        let report = fs::read(report).unwrap();
        (outcome, serde_json::from_slice(&report).unwrap())
    }

    fn has_nothing_unpacked(&self) -> Option<()> {
        let unpacked = entries(&self.path("state/bundles"));
        unpacked.is_empty().then_some(())
    }

    /// The same for one that must be refused with this code.
    #[track_caller]
    fn assert_refused(&self, stem: &str, suffix: &str, code: &str) {
        let (outcome, report) = self.bundle_report(stem, suffix);
        assert_eq!(outcome, "rejected", "{report}");
        assert_eq!(report["failure"]["code"], code, "{report}");
        assert!(self.renders().is_empty());
        self.wait_until("nothing stays unpacked", Self::has_nothing_unpacked);
    }

    pub(crate) fn drop_zip(&self, name: &str, files: &[(&str, &[u8])]) {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (path, content) in files {
            zip.start_file(*path, SimpleFileOptions::default()).unwrap();
            zip.write_all(content).unwrap();
        }
        self.drop_job(name, zip.finish().unwrap().into_inner());
    }
}

pub(crate) fn bundled(prompt: &str) -> String {
    job(prompt).replace("photo.png", "pictures/start.png")
}

/// A `.tar.zst` of what `build` puts into it.
fn tar_zst(build: impl FnOnce(&mut tar::Builder<Vec<u8>>)) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    build(&mut tar);
    zstd::encode_all(Cursor::new(tar.into_inner().unwrap()), 1).unwrap()
}

fn tar_file(tar: &mut tar::Builder<Vec<u8>>, name: &str, content: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    // By hand: the library refuses to write names that leave the folder.
    header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_cksum();
    tar.append(&header, content).unwrap();
}

#[test]
fn rule_10_a_folder_that_is_renamed_in_is_a_job() {
    let farm = Farm::new();
    let folder = farm.write_bundle("written", "a cat");
    fs::rename(folder, farm.path("jobs/cat.job")).unwrap();
    let (outcome, report) = farm.bundle_report("cat", ".job");
    assert_eq!(outcome, "done");
    assert_eq!(report["job"]["name"], "cat");
    assert_eq!(report["file"], "cat.job");
    let image = report["job"]["image"].as_str().unwrap();
    assert!(
        image.ends_with("jobs/cat.job/pictures/start.png"),
        "{image}"
    );
    let (_, filed) = farm.filed("cat", ".job").pop().unwrap();
    assert!(
        filed.join("pictures/start.png").exists(),
        "it is filed as a whole"
    );
    assert!(farm.claimed().is_empty());
    assert!(!farm.path("jobs/cat.job").exists());
}

#[test]
fn rule_10_what_a_mac_leaves_in_bundles_is_passed_over() {
    let farm = Farm::new();
    // Names that macOS decomposes, and a job file that was written elsewhere.
    let text = bundled("a cat").replace("start.png", "gâteau.png");
    farm.drop_zip(
        "cat.zip",
        &[
            ("Cat/shot.yaml", text.as_bytes()),
            ("Cat/pictures/ga\u{302}teau.png", b"P1 1 1 0"),
            ("Cat/.DS_Store", b"\0\0"),
            ("__MACOSX/Cat/._shot.yaml", b"\0\x05\x16\x07"),
            ("__MACOSX/._Cat", b"\0\x05\x16\x07"),
        ],
    );
    let packed = tar_zst(|tar| {
        tar_file(tar, "._dog", b"\0\x05\x16\x07");
        tar_file(tar, "dog/._shot.yaml", b"\0\x05\x16\x07");
        tar_file(tar, "dog/shot.yaml", bundled("a dog").as_bytes());
        tar_file(tar, "dog/pictures/start.png", b"P1 1 1 0");
    });
    farm.drop_job("dog.tar.zst", packed);
    let folder = farm.write_bundle("written", "a cow");
    fs::write(folder.join("._shot.yaml"), b"\0\x05\x16\x07").unwrap();
    fs::write(folder.join("Thumbs.db"), "").unwrap();
    fs::write(
        folder.join("shot.sync-conflict-20261127-101500-ABCDEFG.yaml"),
        bundled("a bull"),
    )
    .unwrap();
    fs::create_dir(folder.join("@eaDir")).unwrap();
    symlink("anna@host.4711", folder.join(".#shot.yaml")).unwrap();
    fs::rename(folder, farm.path("jobs/cow.job")).unwrap();
    for (stem, suffix) in [("cat", ".zip"), ("dog", ".tar.zst"), ("cow", ".job")] {
        let (outcome, report) = farm.bundle_report(stem, suffix);
        assert_eq!(outcome, "done", "{report:#}");
    }
}

#[test]
fn rule_10_a_folder_that_is_written_in_place_waits_for_ready() {
    let farm = Farm::with_spool("settle_secs: 600, grace_secs: 3600, scan_secs: 0.1");
    let folder = farm.path("jobs/cat.job");
    fs::create_dir(&folder).unwrap();
    farm.wait_for_status("cat.job: it changed just now");
    fs::create_dir(folder.join("pictures")).unwrap();
    fs::write(folder.join("pictures/start.png"), "P1 1 1 0").unwrap();
    fs::write(folder.join("shot.yaml"), bundled("a cat")).unwrap();
    assert!(farm.claimed().is_empty());
    File::create(folder.join("READY")).unwrap();
    assert_eq!(farm.bundle_report("cat", ".job").0, "done");
}

#[test]
fn rule_10_a_folder_without_ready_settles_as_a_file_does() {
    let farm = Farm::with_spool("settle_secs: 0.2, scan_secs: 0.1");
    let folder = farm.path("jobs/cat.job");
    fs::create_dir_all(folder.join("pictures")).unwrap();
    farm.wait_for_status("cat.job: the bundle has no job file");
    let mut picture = File::create(folder.join("pictures/start.png")).unwrap();
    fs::write(folder.join("shot.yaml"), bundled("a cat")).unwrap();
    farm.wait_for_status("cat.job: it is open for writing");
    picture.write_all(b"P1 1 1 0").unwrap();
    drop(picture);
    assert_eq!(farm.bundle_report("cat", ".job").0, "done");
}

#[test]
fn rule_10_archives_are_jobs() {
    let farm = Farm::new();
    farm.drop_zip(
        "cat.zip",
        &[
            ("shot.yaml", bundled("a cat").as_bytes()),
            ("pictures/start.png", b"P1 1 1 0"),
        ],
    );
    // Packed with its folder, as many programs do.
    let packed = tar_zst(|tar| {
        tar_file(tar, "dog/shot.yaml", bundled("a dog").as_bytes());
        tar_file(tar, "dog/pictures/start.png", b"P1 1 1 0");
    });
    farm.drop_job("dog.tar.zst", packed);
    for (stem, suffix) in [("cat", ".zip"), ("dog", ".tar.zst")] {
        let (outcome, report) = farm.bundle_report(stem, suffix);
        assert_eq!(outcome, "done");
        let image = report["job"]["image"].as_str().unwrap();
        let expected = format!("jobs/{stem}{suffix}/pictures/start.png");
        assert!(image.ends_with(&expected), "{image}");
    }
    farm.wait_until("nothing stays unpacked", Farm::has_nothing_unpacked);
    assert!(entries(&farm.path("state/inputs")).is_empty());
}

#[test]
fn rule_10_the_same_bundle_again_is_a_duplicate_and_another_image_is_not() {
    let farm = Farm::new();
    for (name, picture) in [
        ("cat.zip", "P1 1 1 0"),
        ("again.zip", "P1 1 1 0"),
        ("other.zip", "P1 1 1 1"),
    ] {
        let text = format!("{}name: cat\n", bundled("a cat"));
        farm.drop_zip(
            name,
            &[
                ("shot.yaml", text.as_bytes()),
                ("pictures/start.png", picture.as_bytes()),
            ],
        );
        let expected = if name == "again.zip" {
            "duplicate"
        } else {
            "done"
        };
        let stem = name.strip_suffix(".zip").unwrap();
        assert_eq!(farm.bundle_report(stem, ".zip").0, expected, "{name}");
    }
    assert_eq!(farm.renders(), [1, 2]);
}

#[test]
fn rule_10_a_bundle_survives_the_daemon() {
    let mut farm = Farm::new();
    let gate = farm.occupy_worker();
    let folder = farm.write_bundle("written", "a cat");
    fs::rename(folder, farm.path("jobs/cat.job")).unwrap();
    farm.wait_until("it is queued", |farm| farm.show("cat").pop());
    farm.kill();
    fs::write(gate, "").unwrap();
    farm.start();
    assert_eq!(farm.bundle_report("cat", ".job").0, "done");
    assert_eq!(farm.show("@done").len(), 2);
}

#[test]
fn rule_10_names_that_leave_the_bundle_are_refused() {
    let farm = Farm::new();
    farm.drop_zip(
        "slip.zip",
        &[
            ("shot.yaml", bundled("a cat").as_bytes()),
            ("../../slipped.png", b"P1 1 1 0"),
        ],
    );
    farm.assert_refused("slip", ".zip", "FP2411");
    let packed = tar_zst(|tar| {
        tar_file(tar, "shot.yaml", bundled("a cat").as_bytes());
        tar_file(tar, "/tmp/framepackd-slipped.png", b"P1 1 1 0");
    });
    farm.drop_job("root.tar.zst", packed);
    farm.assert_refused("root", ".tar.zst", "FP2411");
    assert!(!Path::new("/tmp/framepackd-slipped.png").exists());
    assert!(!farm.path("slipped.png").exists() && !farm.path("state/slipped.png").exists());
}

#[test]
fn rule_10_links_are_refused() {
    let farm = Farm::with_spool("settle_secs: 0.1, grace_secs: 0.5, scan_secs: 0.1");
    fs::write(farm.path("secret.png"), "a secret").unwrap();
    let folder = farm.write_bundle("written", "a cat");
    fs::remove_file(folder.join("pictures/start.png")).unwrap();
    symlink(farm.path("secret.png"), folder.join("pictures/start.png")).unwrap();
    fs::rename(folder, farm.path("jobs/folder.job")).unwrap();
    farm.assert_refused("folder", ".job", "FP2412");

    let packed = tar_zst(|tar| {
        tar_file(tar, "shot.yaml", bundled("a cat").as_bytes());
        let mut link = tar::Header::new_gnu();
        link.set_entry_type(tar::EntryType::Symlink);
        link.set_size(0);
        tar.append_link(&mut link, "pictures/start.png", "/etc/passwd")
            .unwrap();
    });
    farm.drop_job("linked.tar.zst", packed);
    farm.assert_refused("linked", ".tar.zst", "FP2412");

    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    zip.add_symlink("pictures/start.png", "/etc/passwd", options)
        .unwrap();
    farm.drop_job("zipped.zip", zip.finish().unwrap().into_inner());
    farm.assert_refused("zipped", ".zip", "FP2412");
}

#[test]
fn rule_10_what_unpacks_to_too_much_is_refused() {
    let farm = Farm::new();
    let zeros = vec![0; 64 << 20];
    farm.drop_zip("large.zip", &[("zeros.png", &zeros)]);
    farm.assert_refused("large", ".zip", "FP2413");
    let packed = tar_zst(|tar| tar_file(tar, "zeros.png", &zeros));
    farm.drop_job("large.tar.zst", packed);
    farm.assert_refused("large", ".tar.zst", "FP2413");

    let names: Vec<String> = (0..1001).map(|n| format!("{n}.png")).collect();
    let files: Vec<(&str, &[u8])> = names
        .iter()
        .map(|name| (name.as_str(), b"".as_slice()))
        .collect();
    farm.drop_zip("many.zip", &files);
    farm.assert_refused("many", ".zip", "FP2413");
}

#[test]
fn rule_10_a_bundle_has_one_job_file_and_its_image() {
    let farm = Farm::with_spool("settle_secs: 0.1, wait_inputs_secs: 3600");
    let text = bundled("a cat");
    farm.drop_zip(
        "two.zip",
        &[("a.yaml", text.as_bytes()), ("b.yaml", text.as_bytes())],
    );
    farm.assert_refused("two", ".zip", "FP2415");
    // It is whole: nobody waits for its picture.
    farm.drop_zip("bare.zip", &[("a.yaml", text.as_bytes())]);
    farm.assert_refused("bare", ".zip", "FP2301");
}

#[test]
fn rule_10_half_an_archive_waits_for_the_rest_and_is_then_refused() {
    let farm = Farm::with_spool("settle_secs: 0.1, grace_secs: 1, scan_secs: 0.1");
    let packed = tar_zst(|tar| tar_file(tar, "shot.yaml", bundled("a cat").as_bytes()));
    fs::write(farm.path("jobs/half.tar.zst"), &packed[..packed.len() / 2]).unwrap();
    farm.wait_for_status("half.tar.zst: the bundle can't be read");
    farm.assert_refused("half", ".tar.zst", "FP2414");
}
