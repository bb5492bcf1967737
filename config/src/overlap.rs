//! The daemon's folders must not be in each other's way.

use std::path::{Path, PathBuf};

use crate::Paths;

/// Two folders of which one is the other or lies in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub struct Overlap {
    /// The key whose folder is in the way, as in `paths.outputs`.
    pub key: &'static str,
    folder: PathBuf,
    other_key: &'static str,
    other: PathBuf,
}

impl Overlap {
    fn text(&self) -> String {
        let (folder, other) = (self.folder.display(), self.other.display());
        let other_key = self.other_key;
        if self.folder == self.other {
            format!("{folder} is also {other_key}")
        } else {
            format!("{folder} is inside {other_key}, which is {other}")
        }
    }
}

impl Paths {
    /// The first two of jobs, state and outputs that are not apart: what the daemon writes must not be taken for
    /// dropped files, nor job files name what is the daemon's own.
    pub fn overlap(&self) -> Option<Overlap> {
        let folders: [(&'static str, &Path); 3] = [
            ("paths.jobs", &self.jobs),
            ("paths.state", &self.state),
            ("paths.outputs", &self.outputs),
        ];
        let pairs = [(1, 0), (2, 0), (2, 1), (0, 1), (0, 2), (1, 2)];
        let (inner, outer) = pairs
            .map(|(inner, outer)| (folders[inner], folders[outer]))
            .into_iter()
            .find(|((_, inner), (_, outer))| is_set(outer) && inner.starts_with(outer))?;
        Some(Overlap {
            key: inner.0,
            folder: inner.1.to_owned(),
            other_key: outer.0,
            other: outer.1.to_owned(),
        })
    }
}

/// A required key that is not set is another mistake; everything begins with its empty path.
fn is_set(folder: &Path) -> bool {
    !folder.as_os_str().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlap(jobs: &str, state: &str, outputs: &str) -> Option<String> {
        let paths = Paths {
            jobs: jobs.into(),
            state: state.into(),
            outputs: outputs.into(),
            socket: "/run/framepackd.sock".into(),
            inputs: Vec::new(),
        };
        let overlap = paths.overlap()?;
        Some(format!("{}: {overlap}", overlap.key))
    }

    #[test]
    fn folders_must_be_apart() {
        assert_eq!(overlap("/a/jobs", "/a/state", "/a/jobs2"), None);
        for (jobs, state, outputs, expected) in [
            ("/a", "/a", "/b", "paths.state: /a is also paths.jobs"),
            ("/a", "/b", "/a/", "paths.outputs: /a/ is also paths.jobs"),
            ("/a", "/b", "/b", "paths.outputs: /b is also paths.state"),
            (
                "/a",
                "/a/s",
                "/b",
                "paths.state: /a/s is inside paths.jobs, which is /a",
            ),
            (
                "/a",
                "/b",
                "/a/b/c",
                "paths.outputs: /a/b/c is inside paths.jobs, which is /a",
            ),
            (
                "/b/jobs",
                "/b",
                "/c",
                "paths.jobs: /b/jobs is inside paths.state, which is /b",
            ),
            (
                "/c/jobs",
                "/b",
                "/c",
                "paths.jobs: /c/jobs is inside paths.outputs, which is /c",
            ),
            (
                "/a",
                "/c/s",
                "/c",
                "paths.state: /c/s is inside paths.outputs, which is /c",
            ),
        ] {
            assert_eq!(overlap(jobs, state, outputs).as_deref(), Some(expected));
        }
    }
}
