//! Names that are no jobs although they may look like one: what systems, editors and programs that copy files leave
//! beside them, and the copies that synchronisation makes when a file was changed in two places.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

use super::name::split_suffix;

/// Files and folders of systems, whatever the case of their letters.
const NAMES: [&str; 34] = [
    // macOS.
    "__MACOSX",
    ".DS_Store",
    ".localized",
    ".Spotlight-V100",
    ".Trashes",
    ".fseventsd",
    ".TemporaryItems",
    ".AppleDouble",
    ".AppleDB",
    ".AppleDesktop",
    ".apdisk",
    ".VolumeIcon.icns",
    ".LSOverride",
    "Icon\r",
    "Network Trash Folder",
    "Temporary Items",
    // Windows.
    "Thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "$RECYCLE.BIN",
    "System Volume Information",
    // Linux.
    "lost+found",
    ".directory",
    // Storage servers.
    "@eaDir",
    "@tmp",
    "#recycle",
    "@Recycle",
    "@Recently-Snapshot",
    "#snapshot",
    // Synchronisation, and programs that keep versions.
    ".stfolder",
    ".stversions",
    ".dropbox.cache",
    ".git",
    ".svn",
];

/// What names of others begin with: attributes of a Mac's files, locks of office programs and editors, files that are
/// open or half copied.
const BEGINNINGS: [&str; 12] = [
    "._",
    "~$",
    ".~lock.",
    ".#",
    ".nfs",
    ".fuse_hidden",
    ".smbdelete",
    ".syncthing.",
    "~syncthing~",
    ".Trash-",
    ".goutputstream-",
    ".~tmp~",
];

/// What programs call a copy of a file that was changed in two places, between brackets behind its name. With what
/// each calls itself, where that can be told.
const CONFLICTS: [(&str, &str); 22] = [
    ("sfconflict", "Seafile"),
    ("conflicted copy", SEVERAL),
    ("conflict copy", SEVERAL),
    ("case conflict", "Dropbox"),
    ("case clash", "Nextcloud"),
    ("selective sync conflict", "Dropbox"),
    ("encoding conflict", "Dropbox"),
    ("whitespace conflict", "Dropbox"),
    ("in konflikt stehende kopie", "Dropbox"),
    ("konfliktkopie", SEVERAL),
    ("copie en conflit", "Dropbox"),
    ("copia en conflicto", "Dropbox"),
    ("copia in conflitto", "Dropbox"),
    ("pia em conflito", "Dropbox"),
    ("kopie met conflict", "Dropbox"),
    ("conflicterende kopie", "Dropbox"),
    ("kopia powodująca konflikt", "Dropbox"),
    ("motstridende kopi", "Dropbox"),
    ("конфликтующая копия", "Dropbox"),
    ("競合コピー", "Dropbox"),
    ("冲突副本", "Dropbox"),
    ("衝突複本", "Dropbox"),
];
const SEVERAL: &str = "Dropbox, Nextcloud or a program like them";

/// The word for it in other languages, which only with a date behind it is no title.
const WORDS: [&str; 11] = [
    "conflict",
    "konflik",
    "conflit",
    "conflitto",
    "conflito",
    "конфликт",
    "競合",
    "衝突",
    "冲突",
    "충돌",
    "çakış",
];

/// Whether a file or folder is none that anybody made on purpose: it is no job, and no part of a bundle.
pub(crate) fn is_leftover(name: &OsStr) -> bool {
    let name = name.as_bytes();
    let begins = |beginning: &&str| name.starts_with(beginning.as_bytes());
    NAMES
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
        || BEGINNINGS.iter().any(begins)
}

/// Which program made this copy of a job file that was changed in two places; `None`: it is no such copy. Copies that
/// people make (`cat (1).yaml`, `cat copy.yaml`) are jobs of their own.
pub(crate) fn conflict(name: &OsStr) -> Option<&'static str> {
    let (stem, suffix) = split_suffix(name);
    if suffix.is_empty() {
        return None;
    }
    let stem = stem.to_string_lossy();
    if let Some((_, behind)) = stem.rsplit_once(".sync-conflict-")
        && let [day, time, ..] = behind.split('-').collect::<Vec<_>>()[..]
        && is_number(day, 8)
        && is_number(time, 6)
    {
        return Some("Syncthing");
    }
    let is_resilio = stem.rsplit_once(".Conflict").is_some_and(|(_, rest)| {
        rest.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    });
    if is_resilio {
        return Some("Resilio Sync");
    }
    let stem = stem.to_lowercase();
    if let Some((_, behind)) = stem.rsplit_once("_conflict-")
        && let [.., day, time] = behind.split('-').collect::<Vec<_>>()[..]
        && is_number(day, 8)
        && is_number(time, 6)
    {
        return Some("Nextcloud or ownCloud");
    }
    if is_synology(&stem) {
        return Some("Synology Drive");
    }
    brackets(&stem).find_map(|inside| {
        let known = CONFLICTS
            .iter()
            .find(|(phrase, _)| is_phrase(inside, phrase));
        let is_dated = ends_with_date(inside) && WORDS.iter().any(|word| is_label(inside, word));
        let is_bare = matches!(inside, "conflict" | "conflicted");
        known
            .map(|(_, program)| *program)
            .or((is_dated || is_bare).then_some(SEVERAL))
    })
}

/// What is between brackets in a name.
fn brackets(stem: &str) -> impl Iterator<Item = &str> {
    let open = stem.match_indices(['(', '[', '（']);
    open.filter_map(|(at, open)| {
        let inside = &stem[at + open.len()..];
        let end = inside.find([')', ']', '）'])?;
        Some(inside[..end].trim())
    })
}

/// `cat_HOST_Nov-27-1015-2026_Conflict`, with or without a word for the kind of conflict.
fn is_synology(stem: &str) -> bool {
    let mut parts = stem.rsplit('_');
    let (end, date) = (parts.next(), parts.next());
    let is_end = matches!(end, Some("conflict" | "caseconflict" | "uploadconflict"));
    let date = date.map(|date| date.split('-').collect::<Vec<_>>());
    let is_date = matches!(
        date.as_deref(),
        Some([month, day, time, year])
            if month.len() == 3
                && is_number(day, 2)
                && is_number(time, 4)
                && is_number(year, 4)
    );
    is_end && is_date && parts.next().is_some()
}

fn is_number(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether brackets have a program's phrase: at their end, or with whose copy it is and when it was made behind it.
fn is_phrase(inside: &str, phrase: &str) -> bool {
    let Some((_, behind)) = inside.split_once(phrase) else {
        return false;
    };
    let is_last = !behind.contains(char::is_alphabetic);
    is_last || behind.starts_with(" from ") || ends_with_date(inside)
}

/// Whether brackets have nothing but this word, a number, and where and when it happened.
fn is_label(inside: &str, word: &str) -> bool {
    inside.strip_prefix(word).is_some_and(|behind| {
        let behind = behind.trim_start_matches(char::is_alphabetic).trim_start();
        behind.starts_with('#') || !behind.contains(char::is_alphabetic)
    })
}

/// Whether something like `2026-11-27` is the last, also with the time of day behind it.
fn ends_with_date(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '-' | '.' | ':' | ' ');
    let start = text.trim_end_matches(is_part).len();
    let date = text[start..].trim_start();
    date.get(..10).is_some_and(|day| {
        let parts: Vec<&str> = day.split('-').collect();
        matches!(parts[..], [year, month, day] if is_number(year, 4) && is_number(month, 2) && is_number(day, 2))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_05_what_systems_and_programs_leave_is_passed_over() {
        for name in [
            "__MACOSX",
            "__macosx",
            "._cat.yaml",
            ".DS_Store",
            "Thumbs.db",
            "Desktop.ini",
            "@eaDir",
            "#recycle",
            ".AppleDouble",
            "~$cat.yaml",
            ".~lock.cat.yaml#",
            ".#cat.yaml",
            ".nfs0000001.yaml",
            ".fuse_hidden0001.yaml",
            ".syncthing.cat.yaml.tmp",
            "~syncthing~cat.yaml.tmp",
            ".~tmp~",
            ".Trash-1000",
        ] {
            assert!(is_leftover(OsStr::new(name)), "{name}");
        }
        for name in [
            "cat.yaml",
            "photo.png",
            "_cat.yaml",
            ".cat.png",
            "eaDir",
            "desktop.yaml",
            "~cat.yaml",
            "猫.png",
        ] {
            assert!(!is_leftover(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn rule_05_conflict_copies_are_told_from_copies_that_people_make() {
        for (name, program) in [
            (
                "cat.sync-conflict-20261127-101500-ABCDEFG.yaml",
                "Syncthing",
            ),
            ("cat.sync-conflict-20261127-101500-ABCDEFG.job", "Syncthing"),
            ("cat (conflicted copy 2026-11-27).yaml", SEVERAL),
            ("cat (Anna's conflicted copy 2026-11-27).YAML", SEVERAL),
            ("cat (Anna's conflicted copy 2026-11-27) (1).zip", SEVERAL),
            ("cat (conflicted copy 2026-11-27 101500).yaml", SEVERAL),
            (
                "cat (In Konflikt stehende Kopie von Anna 2026-11-27).yaml",
                "Dropbox",
            ),
            ("cat (Copie en conflit de Anna 2026-11-27).yaml", "Dropbox"),
            (
                "cat (co\u{301}pia em conflito de Anna 2026-11-27).yaml",
                "Dropbox",
            ),
            ("猫 (Annaの競合コピー 2026-11-27).yaml", "Dropbox"),
            ("cat (Annas motstridende kopi 2026-11-27).yaml", "Dropbox"),
            ("cat (Case Conflict).yaml", "Dropbox"),
            ("cat_conflict-20261127-101500.yaml", "Nextcloud or ownCloud"),
            (
                "cat_conflict-Anna-20261127-101500.tar.zst",
                "Nextcloud or ownCloud",
            ),
            ("cat (case clash from Anna).yaml", "Nextcloud"),
            ("cat.Conflict.yaml", "Resilio Sync"),
            ("cat.Conflict.2.yaml", "Resilio Sync"),
            (
                "cat (SFConflict anna@example.org 2026-11-27-10-15-00).yaml",
                "Seafile",
            ),
            (
                "cat_DiskStation_Nov-27-1015-2026_Conflict.yaml",
                "Synology Drive",
            ),
            ("cat [conflicted].yaml", SEVERAL),
            ("cat (conflict #1 from host on 2026-11-27).yaml", SEVERAL),
        ] {
            assert_eq!(conflict(OsStr::new(name)), Some(program), "{name}");
        }
        for name in [
            "cat.yaml",
            "cat (1).yaml",
            "cat copy.yaml",
            "cat - Copy.yaml",
            "cat - Kopie (2).yaml",
            "cat 2.yaml",
            "Copy of cat.yaml",
            "cat (2026-11-27).yaml",
            "the conflict (take 2).yaml",
            "conflict.yaml",
            "a_conflict.yaml",
            "cat.conflict.yaml",
            "armed_conflict-2.yaml",
            "cat (conflict and peace).yaml",
            "cat-LAPTOP.yaml",
            "cat (conflicted copy 2026-11-27).png",
            "cat (conflicted copy.yaml",
            "ww2_1944_conflict.yaml",
            "scene_0042_conflict.yaml",
            "cat_2026-11-27_conflict.yaml",
            "Nov-27-1015-2026_Conflict.yaml",
            "cat (shot conflict 20261127).yaml",
            "cat (Conflict of interest, 2026-11-27).yaml",
            "cat (conflict, take 2 of 2026-11-27).yaml",
            "cat_conflict-20261127.yaml",
            "cat.sync-conflict-plan.yaml",
            "cat (the case conflict of 1944).yaml",
        ] {
            assert_eq!(conflict(OsStr::new(name)), None, "{name}");
        }
    }
}
