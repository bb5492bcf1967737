//! Names for a video: `name.mp4`, `name-2.mp4`, …

use std::{collections::HashSet, path::PathBuf};

/// What FAT, exFAT and Windows forbid in names.
const FORBIDDEN: &str = ":*?\"<>|\\";
/// Characters of a name that even encrypting file systems have room for.
const SHORT: usize = 64;

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

    /// The same names as a file system may want them that refuses these: without what FAT and Windows forbid, in ASCII,
    /// short.
    pub(crate) fn plainer(&self) -> impl Iterator<Item = Self> {
        let portable = replaced(&self.stem, |c| c.is_control() || FORBIDDEN.contains(c));
        let portable = portable.trim_end_matches(['.', ' ']).to_owned();
        let ascii = replaced(&portable, |c| !c.is_ascii());
        let short = ascii.chars().take(SHORT).collect();
        let mut stems = vec![self.stem.clone(), portable, ascii, short];
        stems.dedup();
        stems.into_iter().skip(1).map(|stem| Self {
            stem,
            current: None,
            ..self.clone()
        })
    }

    /// The first of them.
    pub(crate) fn first(&self) -> PathBuf {
        let first = self.candidates().next();
        first.expect("there are more numbers than jobs")
    }
}

fn replaced(stem: &str, is_refused: impl Fn(char) -> bool) -> String {
    let chars = stem.chars();
    chars.map(|c| if is_refused(c) { '_' } else { c }).collect()
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

    #[test]
    fn plainer_names_lose_what_file_systems_refuse() {
        let plainer = |stem: &str| {
            let names = Names {
                folder: "/v".into(),
                stem: stem.to_owned(),
                current: Some("/v/a.mp4".into()),
                taken: HashSet::new(),
            };
            let names: Vec<_> = names.plainer().map(|names| names.stem).collect();
            names
        };
        assert_eq!(plainer("cat"), Vec::<String>::new());
        assert_eq!(plainer("a: b?. "), ["a_ b_"]);
        assert_eq!(plainer("猫:1"), ["猫_1", "__1"]);
        assert_eq!(plainer(&"x".repeat(200)), ["x".repeat(64)]);
    }
}
