//! Which names in the jobs folder are job files. Everything else is left alone: editors, rsync,
//! browsers and network file systems all put temporary names beside the real one.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
};

use super::passed_over::{conflict, is_leftover};

const SUFFIXES: [(&[u8], Form); 6] = [
    (b".yaml", Form::Text),
    (b".yml", Form::Text),
    (b".json", Form::Text),
    (b".job", Form::Folder),
    (b".zip", Form::Zip),
    (b".tar.zst", Form::TarZst),
];

/// How a job is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A job file.
    Text,
    /// A folder with a job file and its images.
    Folder,
    /// The same as an archive.
    Zip,
    TarZst,
}

/// What is to be dropped under a name with this suffix.
pub(crate) fn form(name: &OsStr) -> Option<Form> {
    suffix(name.as_bytes()).map(|(_, form)| form)
}

/// Whether a file or folder of this name is meant as a job.
///
/// Temporary names mostly fail for want of a job suffix (`x.yaml.part`, `x.yaml~`, `#x.yaml#`, `sedMlZpkZ`);
/// hidden ones and those that `passed_over` lists may carry one.
pub(crate) fn is_job_file(name: &OsStr) -> bool {
    let is_hidden = name.as_bytes().starts_with(b".");
    !is_hidden
        && suffix(name.as_bytes()).is_some()
        && !is_leftover(name)
        && conflict(name).is_none()
}

/// The name without its job suffix, and the suffix with its dot.
pub(crate) fn split_suffix(name: &OsStr) -> (&OsStr, &OsStr) {
    let name = name.as_bytes();
    let at = name.len() - suffix(name).map_or(0, |(suffix, _)| suffix.len());
    (
        OsStr::from_bytes(&name[..at]),
        OsStr::from_bytes(&name[at..]),
    )
}

/// `cat.2.yaml` → `cat.yaml` and `2`: what the archive may have made of a name. `None` when there is no such part.
pub(crate) fn split_archived(name: &OsStr) -> Option<(OsString, String)> {
    let (stem, suffix) = split_suffix(name);
    let stem = stem.as_bytes();
    let dot = stem.iter().rposition(|byte| *byte == b'.')?;
    let id = str::from_utf8(&stem[dot + 1..]).ok()?;
    let mut first = OsStr::from_bytes(&stem[..dot]).to_owned();
    first.push(suffix);
    (dot > 0).then(|| (first, id.to_owned()))
}

fn suffix(name: &[u8]) -> Option<(&[u8], Form)> {
    SUFFIXES.iter().find_map(|(suffix, form)| {
        let at = name.len().checked_sub(suffix.len())?;
        (at > 0 && name[at..].eq_ignore_ascii_case(suffix)).then(|| (&name[at..], *form))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_05_job_suffixes_are_taken_and_everything_else_is_ignored() {
        let jobs: [&[u8]; 6] = [
            b"a.yaml",
            b"a.YML",
            b"-a b.json",
            b"a\nb.yaml",
            b"\xff\xfe.yaml",
            b"a.tmp.yaml",
        ];
        for name in jobs {
            assert!(
                is_job_file(OsStr::from_bytes(name)),
                "{}",
                name.escape_ascii()
            );
        }
        let ignored = [
            ".yaml",
            ".c.yaml.8qweJE",
            ".a.yaml",
            "a.yaml~",
            "#a.yaml#",
            ".#a.yaml",
            "a.yaml.swp",
            "a.yaml.part",
            "a.yaml.crdownload",
            "a.yaml.filepart",
            "4913",
            "sedMlZpkZ",
            "~$a.yaml",
            "Thumbs.db",
            ".DS_Store",
            ".nfs0001.yaml",
            ".fuse_hidden0001.yaml",
            "a.png",
            "yaml",
            "",
        ];
        for name in ignored {
            assert!(!is_job_file(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn the_archives_part_is_the_last_one() {
        let split = |name| split_archived(OsStr::new(name));
        assert_eq!(split("a.b.2.yaml"), Some(("a.b.yaml".into(), "2".into())));
        assert_eq!(split("a.yaml"), None);
        assert_eq!(split(".2.yaml"), None);
    }

    #[test]
    fn the_suffix_splits_off_with_its_dot() {
        assert_eq!(
            split_suffix(OsStr::new("a.b.yaml")),
            (OsStr::new("a.b"), OsStr::new(".yaml"))
        );
        assert_eq!(
            split_suffix(OsStr::new("README")),
            (OsStr::new("README"), OsStr::new(""))
        );
        assert_eq!(
            split_suffix(OsStr::new("a.tar.zst")),
            (OsStr::new("a"), OsStr::new(".tar.zst"))
        );
    }
}
