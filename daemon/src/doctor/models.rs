//! The models.

use std::{fs, path::Path};

use framepack_ipc::check::Check;

pub(super) fn bundle(key: &str, folder: &Path) -> Check {
    let entries = fs::read_dir(folder).map(|entries| entries.flatten().count());
    match entries {
        Ok(1..) => Check::ok(key, folder.display()),
        Ok(0) => Check::failed(
            key,
            format!("{} is empty", folder.display()),
            "put the models there in the Hub's layout; see \"The real models\" in README.md",
        ),
        Err(error) => Check::failed(
            key,
            format!("{}: {error}", folder.display()),
            "point models.bundle at a folder with the models, readable by the daemon's user",
        ),
    }
}

#[cfg(test)]
mod tests {
    use framepack_ipc::check::CheckState;

    use super::*;

    #[test]
    fn a_bundle_is_a_folder_with_something_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty");
        fs::create_dir(&empty).unwrap();
        assert_eq!(bundle("models.bundle", folder.path()).state, CheckState::Ok);
        for fault in [&empty, &folder.path().join("missing")] {
            let check = bundle("models.bundle", fault);
            assert_eq!(check.state, CheckState::Failed, "{check:?}");
            assert!(!check.fix.is_empty(), "{check:?}");
        }
    }
}
