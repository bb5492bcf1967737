//! What lies in the place of a model's file when that was not downloaded, or not to its end.

use std::{
    ffi::OsString,
    fmt, fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use framepack_jobs::{Bytes, Code};

/// What is read of a file to know it.
const HEAD_BYTES: u64 = 4096;
/// What downloaders and copiers append to the name of a file that they have not finished.
const UNFINISHED: [&str; 9] = [
    ".incomplete",
    ".part",
    ".partial",
    ".aria2",
    ".aria2__temp",
    ".crdownload",
    ".download",
    ".filepart",
    ".tmp",
];
/// Fewer bytes than these are "0.0 MiB".
const SMALLEST_ROUNDED: u64 = (1 << 20) / 20;
/// What Linux says of links that lead to themselves.
const ELOOP: i32 = 40;
/// How the pointer of git-lfs begins.
const GIT_LFS: &str = "version https://git-lfs.github.com/spec/";
/// Suffixes of pickles.
const PICKLES: [&str; 5] = ["bin", "pt", "pth", "ckpt", "pkl"];
/// How the pointer of an unlocked file of git-annex begins.
const GIT_ANNEX: &str = "/annex/objects/";
/// What the target of a locked file's link contains.
const GIT_ANNEX_OBJECTS: &str = ".git/annex/objects/";

/// What a file should be, by its suffix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Weights,
    Json,
    Text,
}

impl Form {
    fn of(path: &Path) -> Self {
        match path.extension().and_then(|suffix| suffix.to_str()) {
            Some("safetensors") => Self::Weights,
            Some("json") => Self::Json,
            _ => Self::Text,
        }
    }
}

/// A file that is not what its name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandIn {
    /// The file.
    pub path: PathBuf,
    /// What it is.
    pub kind: Kind,
}

/// What a file is instead.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A pointer of git-lfs, to a file of that length.
    LfsPointer(Option<u64>),
    /// A pointer of git-annex.
    AnnexPointer,
    /// A page or message of a server; its beginning.
    WebPage(String),
    /// Nothing: it has no bytes.
    Empty,
    /// Zeroes: room was made for a download, which did not come.
    Zeroes,
    /// Not there to its end; beside it lies what was downloaded so far, or what the downloader notes of it.
    Unfinished(PathBuf),
    /// A link to a file that is not there.
    DanglingLink(PathBuf),
    /// A link that leads to itself.
    LinkLoop(PathBuf),
    /// A folder of that name.
    Folder,
}

impl StandIn {
    /// The code of the error.
    pub fn code(&self) -> Code {
        match self.kind {
            Kind::LfsPointer(_) | Kind::AnnexPointer => Code::MODEL_POINTER,
            Kind::WebPage(_) => Code::MODEL_WEB_PAGE,
            Kind::Empty | Kind::Zeroes | Kind::Unfinished(_) => Code::MODEL_UNFINISHED,
            Kind::DanglingLink(_) | Kind::LinkLoop(_) => Code::MODEL_LINK,
            Kind::Folder => Code::WEIGHTS_UNREADABLE,
        }
    }
}

impl std::error::Error for StandIn {}

impl fmt::Display for StandIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.kind {
            Kind::LfsPointer(None) => write!(f, "{path} is a git-lfs pointer, not the file itself"),
            Kind::LfsPointer(Some(bytes)) if *bytes < SMALLEST_ROUNDED => write!(
                f,
                "{path} is a git-lfs pointer, not the file itself, which has {bytes} bytes"
            ),
            Kind::LfsPointer(Some(bytes)) => write!(
                f,
                "{path} is a git-lfs pointer, not the file itself, which has {bytes} bytes ({})",
                Bytes(*bytes)
            ),
            Kind::AnnexPointer => write!(f, "{path} is a git-annex pointer, not the file itself"),
            Kind::WebPage(begin) => write!(
                f,
                "{path} is a web page or message of a server, not a model file; it begins with {begin:?}"
            ),
            Kind::Empty => write!(f, "{path} is empty (0 bytes)"),
            Kind::Zeroes => write!(
                f,
                "{path} begins with zeroes: room was made for a download that did not come"
            ),
            Kind::Unfinished(beside) => write!(
                f,
                "{path} is not downloaded or copied to its end: there is {}",
                beside.display()
            ),
            Kind::DanglingLink(target) => write!(
                f,
                "{path} is a link to {}, which does not exist",
                target.display()
            ),
            Kind::LinkLoop(target) => write!(
                f,
                "{path} is a link to {}, which leads back to it",
                target.display()
            ),
            Kind::Folder => write!(f, "{path} is a folder, not a file"),
        }
    }
}

/// What `path` is instead of a model's file, as far as its beginning, its name and what lies beside it tell; `None`:
/// nothing of that kind.
pub fn of(path: &Path) -> Option<StandIn> {
    let kind = match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => of_file(path, metadata.len()),
        Ok(metadata) => metadata.is_dir().then_some(Kind::Folder),
        Err(error) if error.kind() == io::ErrorKind::NotFound => of_nothing(path),
        Err(error) if error.raw_os_error() == Some(ELOOP) => {
            fs::read_link(path).ok().map(Kind::LinkLoop)
        }
        Err(_) => None,
    }?;
    Some(StandIn {
        path: path.to_owned(),
        kind,
    })
}

fn of_file(path: &Path, bytes: u64) -> Option<Kind> {
    if bytes == 0 {
        return Some(Kind::Empty);
    }
    // It has the file's full length from the beginning, and is removed at the end.
    let control = with_suffix(path, ".aria2");
    if control.is_file() {
        return Some(Kind::Unfinished(control));
    }
    let mut head = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(HEAD_BYTES).read_to_end(&mut head))
        .ok()?;
    of_bytes(&head, Form::of(path))
}

/// What a file is that begins with `head`.
fn of_bytes(head: &[u8], form: Form) -> Option<Kind> {
    if head.iter().all(|byte| *byte == 0) {
        return Some(Kind::Zeroes);
    }
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if let Some(pointer) = text.strip_prefix(GIT_LFS) {
        let size = pointer.lines().find_map(|line| line.strip_prefix("size "));
        return Some(Kind::LfsPointer(
            size.and_then(|size| size.trim().parse().ok()),
        ));
    }
    if text.starts_with(GIT_ANNEX) {
        return Some(Kind::AnnexPointer);
    }
    is_message(text, form).then(|| {
        let line = text.lines().next().unwrap_or_default();
        Kind::WebPage(line.chars().take(60).collect())
    })
}

/// Whether a text is a page or a server's message, as it can't be at the beginning of a file of this form.
fn is_message(text: &str, form: Form) -> bool {
    let lower: String = text
        .chars()
        .take(64)
        .collect::<String>()
        .to_ascii_lowercase();
    if lower.starts_with('<') || lower.starts_with("{\"error\"") {
        return true;
    }
    let is_word = |c: char| c.is_ascii_alphanumeric() || c.is_ascii_punctuation() || c == ' ';
    match form {
        // Weights begin with a length in eight bytes, of which the upper ones are zero.
        Form::Weights => lower.len() >= 8 && lower.chars().take(8).all(is_word),
        Form::Json => lower.starts_with(|c: char| c.is_ascii_alphabetic()),
        Form::Text => false,
    }
}

/// Why there is no file.
fn of_nothing(path: &Path) -> Option<Kind> {
    if let Ok(target) = fs::read_link(path) {
        if target.to_string_lossy().contains(GIT_ANNEX_OBJECTS) {
            return Some(Kind::AnnexPointer);
        }
        let place = path.parent()?.join(&target);
        return Some(match unfinished(&place) {
            Some(begun) => Kind::Unfinished(begun),
            None => Kind::DanglingLink(target),
        });
    }
    unfinished(path).map(Kind::Unfinished)
}

/// A Python pickle in a folder that should have weights: the first by name.
pub fn pickle(folder: &Path) -> Option<PathBuf> {
    let files = fs::read_dir(folder).ok()?.flatten();
    let is_pickle = |path: &PathBuf| {
        path.extension()
            .is_some_and(|suffix| PICKLES.iter().any(|of| suffix.eq_ignore_ascii_case(of)))
    };
    files.map(|entry| entry.path()).filter(is_pickle).min()
}

/// What was downloaded or copied so far of a file that is not there.
fn unfinished(path: &Path) -> Option<PathBuf> {
    let begun = UNFINISHED.iter().map(|suffix| with_suffix(path, suffix));
    let begun = begun.into_iter().find(|path| path.is_file());
    begun
        .or_else(|| hidden(path))
        .or_else(|| in_hub_folder(path))
}

/// As rsync names it: `.NAME.a1B2c3`.
fn hidden(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    let begin = format!(".{name}.");
    let entries = fs::read_dir(path.parent()?).ok()?.flatten();
    let mut names = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&begin));
    Some(names.next()?.path())
}

/// As the Hub's client does that downloads to a plain folder: `.cache/huggingface/download/FOLDER/NAME.HASH.incomplete`
/// in the folder that the repository is downloaded to.
fn in_hub_folder(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?;
    for root in path.ancestors().skip(1).take(3) {
        let below = path.parent()?.strip_prefix(root).ok()?;
        let downloads = root.join(".cache/huggingface/download").join(below);
        let Ok(entries) = fs::read_dir(downloads) else {
            continue;
        };
        let is_begun = |path: &PathBuf| {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            file.starts_with(&*name.to_string_lossy()) && file.ends_with(".incomplete")
        };
        if let Some(begun) = entries.flatten().map(|entry| entry.path()).find(is_begun) {
            return Some(begun);
        }
    }
    None
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests;
