//! Libraries that the daemon loads in tests, compiled by them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Compiles `tests/<folder>/<name>.c`.
pub(crate) fn compile(folder: &str, name: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    // Other tests, of this process and of others, compile the same file.
    let folder_of_its_own = tempfile::tempdir_in(target).unwrap();
    let made = folder_of_its_own.path().join("made.so");
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests");
    let source = tests.join(folder).join(format!("{name}.c"));
    let status = Command::new("cc")
        .args(["-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o"])
        .args([&made, &source])
        .status()
        .expect("a C compiler, which the build needs, too");
    assert!(status.success());
    // Under its final name at once, for other test processes may load it.
    let library = target.join(format!("{name}.so"));
    fs::rename(made, &library).unwrap();
    library
}
