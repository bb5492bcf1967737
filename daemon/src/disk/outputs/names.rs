//! Names for a video: `name.mp4`, `name-2.mp4`, …

use std::{collections::HashSet, path::PathBuf};

/// The names that a video may get, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) folder: PathBuf,
    pub(crate) stem: String,
    /// The name that it has got already.
    pub(crate) current: Option<PathBuf>,
    /// Names of other jobs' videos.
    pub(crate) taken: HashSet<PathBuf>,
}

impl Names {
    /// The names that no other job has.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = PathBuf> {
        let numbered = (1_u64..).map(|n| match n {
            1 => self.folder.join(format!("{}.mp4", self.stem)),
            n => self.folder.join(format!("{}-{n}.mp4", self.stem)),
        });
        let others = numbered.filter(|name| !self.taken.contains(name));
        self.current.iter().cloned().chain(others)
    }

    /// The first of them.
    pub(crate) fn first(&self) -> PathBuf {
        let first = self.candidates().next();
        first.expect("there are more numbers than jobs")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_numbered_and_those_of_other_jobs_are_passed_over() {
        let names = Names {
            folder: "/v".into(),
            stem: "cat".to_owned(),
            current: None,
            taken: HashSet::from(["/v/cat.mp4".into(), "/v/cat-3.mp4".into()]),
        };
        let found: Vec<_> = names.candidates().take(2).collect();
        assert_eq!(found, ["/v/cat-2.mp4", "/v/cat-4.mp4"].map(PathBuf::from));
        let named = Names {
            current: Some("/v/cat.mp4".into()),
            ..names
        };
        assert_eq!(named.first(), PathBuf::from("/v/cat.mp4"));
    }
}
