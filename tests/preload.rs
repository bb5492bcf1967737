//! Libraries that the daemon loads in tests, compiled by them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Compiles `tests/<folder>/<name>.c`.
pub(crate) fn compile(folder: &str, name: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let made = target.join(format!("{name}.{}.so", std::process::id()));
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
