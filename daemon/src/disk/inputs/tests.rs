use std::os::unix::fs::symlink;

use nix::{sys::stat::Mode, unistd::mkfifo};
use sha2::{Digest, Sha256};

use super::*;

struct Folders {
    dir: tempfile::TempDir,
    inputs: Inputs,
}

fn folders() -> Folders {
    let dir = tempfile::tempdir().unwrap();
    for name in ["jobs/inputs", "secret", "copies"] {
        fs::create_dir_all(dir.path().join(name)).unwrap();
    }
    fs::write(dir.path().join("jobs/inputs/a.PNG"), "P1 1 1 0").unwrap();
    fs::write(dir.path().join("secret/a.png"), "secret").unwrap();
    let inputs = Inputs::new(vec![dir.path().join("jobs")], dir.path().join("copies"));
    Folders { dir, inputs }
}

impl Folders {
    fn copy(&self, wanted: &str) -> Result<InputCopy, InputError> {
        let jobs = self.dir.path().join("jobs");
        let image = self.inputs.look(&jobs, Path::new(wanted))?;
        self.inputs.copy(&image, || {})?.finish()
    }

    fn code(&self, wanted: &str) -> String {
        self.copy(wanted)
            .unwrap_err()
            .into_failure("start.image")
            .code
            .to_string()
    }
}

#[test]
fn a_file_beneath_a_root_is_copied() {
    let folders = folders();
    let InputCopy {
        path: copy, sha256, ..
    } = folders.copy("./inputs/../inputs/a.PNG").unwrap();
    assert_eq!(fs::read(&copy).unwrap(), b"P1 1 1 0");
    assert_eq!(sha256, format!("{:x}", Sha256::digest("P1 1 1 0")));
    assert_eq!(copy.extension().unwrap(), "png");
    folders
        .inputs
        .keep_only(&HashSet::from([copy.clone()]))
        .unwrap();
    assert!(copy.exists());
    folders.inputs.keep_only(&HashSet::new()).unwrap();
    assert!(!copy.exists());
}

#[test]
fn a_copy_that_fails_leaves_nothing() {
    let folders = folders();
    // Opening a folder works and reading it does not: the error comes when the copy is there.
    let unreadable = File::open(folders.dir.path()).unwrap();
    let failed = folders
        .inputs
        .copy_of(&unreadable, Path::new("a.png"), || {});
    assert_eq!(
        failed.unwrap_err().into_failure("start.image").code,
        "FP5011"
    );
    let copies = fs::read_dir(folders.dir.path().join("copies")).unwrap();
    assert_eq!(copies.count(), 0);
}

#[test]
fn rule_09_nothing_outside_the_roots_is_read() {
    let folders = folders();
    let absolute = folders.dir.path().join("secret/a.png");
    assert_eq!(folders.code(absolute.to_str().unwrap()), "FP2201");
    assert_eq!(folders.code("../secret/a.png"), "FP2201");
    assert_eq!(folders.code("."), "FP2201");
    assert_eq!(folders.code("inputs/b.png"), "FP2301");
    assert_eq!(folders.code("inputs/a.PNG/b.png"), "FP2301");
}

#[test]
fn rule_09_links_are_not_followed_and_pipes_are_not_waited_for() {
    let folders = folders();
    let jobs = folders.dir.path().join("jobs");
    symlink(
        folders.dir.path().join("secret/a.png"),
        jobs.join("link.png"),
    )
    .unwrap();
    symlink(folders.dir.path().join("secret"), jobs.join("linked")).unwrap();
    mkfifo(&jobs.join("pipe.png"), Mode::S_IRWXU).unwrap();
    assert_eq!(folders.code("link.png"), "FP2202");
    assert_eq!(folders.code("linked/a.png"), "FP2202");
    assert_eq!(folders.code("pipe.png"), "FP2203");
    assert_eq!(folders.code("inputs"), "FP2203");
}

#[test]
fn an_image_that_changed_after_it_was_looked_at_is_not_copied() {
    let folders = folders();
    let (jobs, wanted) = (folders.dir.path().join("jobs"), Path::new("inputs/a.PNG"));
    let path = jobs.join(wanted);
    let look = || folders.inputs.look(&jobs, wanted).unwrap();
    let refused = |seen: &ImageLook| match folders.inputs.copy(seen, || {}) {
        Err(InputError::Changed { path }) => path,
        other => panic!("{other:?}"),
    };

    let seen = look();
    fs::write(&path, "more of the image").unwrap();
    assert_eq!(refused(&seen), seen.path);
    // Of the same size, and as old: another file under the name.
    let seen = look();
    let modified = path.metadata().unwrap().modified().unwrap();
    fs::rename(&path, jobs.join("old.png")).unwrap();
    fs::write(&path, "same of the image").unwrap();
    let file = File::options().append(true).open(&path).unwrap();
    file.set_modified(modified).unwrap();
    assert_eq!(refused(&seen), seen.path);
    let seen = look();
    fs::remove_file(&path).unwrap();
    assert_eq!(refused(&seen), seen.path);
    let copies = fs::read_dir(folders.dir.path().join("copies")).unwrap();
    assert_eq!(copies.count(), 0);
}

#[test]
fn an_image_is_seen_to_be_written_to() {
    let folders = folders();
    let jobs = folders.dir.path().join("jobs");
    let look = || {
        folders
            .inputs
            .look(&jobs, Path::new("inputs/a.PNG"))
            .unwrap()
    };
    let options = || File::options().append(true).open(jobs.join("inputs/a.PNG"));
    let writer = options().unwrap();
    assert!(look().is_open);
    drop(writer);
    assert!(!look().is_open);
}

#[test]
fn rule_09_what_is_mounted_below_a_root_is_not_of_the_root() {
    let folders = folders();
    // /proc is a file system of its own on every Linux.
    let code = |roots: &[&str]| {
        let roots = roots.iter().map(PathBuf::from).collect();
        let inputs = Inputs::new(roots, folders.dir.path().join("copies"));
        let seen = inputs.look(Path::new("/"), Path::new("proc/version"));
        seen.map_err(|error| error.into_failure("start.image").code)
    };
    assert_eq!(code(&["/"]).unwrap_err(), "FP2205");
    assert!(code(&["/", "/proc"]).is_ok(), "the nearest root counts");
}
