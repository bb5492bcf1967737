//! Paths of a job file, as people of every system write them.

use framepack_yaml::{Mistake, Node};

/// Whether a path begins with a drive of Windows, as `C:\pics` does.
pub(crate) fn has_drive(path: &str) -> bool {
    matches!(path.as_bytes(), [drive, b':'] | [drive, b':', b'/' | b'\\', ..] if drive.is_ascii_alphabetic())
}

/// The start image's path, which is a file's on the farm's machine.
pub(crate) fn image(node: &Node) -> Result<&str, Mistake> {
    const RELATIVE: &str = "a path relative to the job file's folder";
    let text = node.name()?;
    let refused = |why: &str, hint: String| {
        let message = format!("{node} is no path of a file here: {why}");
        Err(Mistake::out_of_range(message).hint(hint))
    };
    let last = text.rsplit(['/', '\\']).next().unwrap_or(text);
    if text.trim().is_empty() {
        let mistake = Mistake::out_of_range("expected a path; found an empty text");
        return Err(mistake.hint("write `image: photo.jpg`"));
    }
    match text.split_once("://") {
        Some(("file", path)) => refused("it is an address", format!("write `{path}` alone")),
        Some(("http" | "https" | "ftp" | "s3" | "gs", _)) => refused(
            "it is an address on the web, and nothing is downloaded",
            format!("download it, and write {RELATIVE}"),
        ),
        _ if text.starts_with("~/") => refused(
            "nothing stands for a home folder",
            format!("write an absolute path, or {RELATIVE}"),
        ),
        _ if has_drive(text) => refused(
            "it begins with a drive of Windows",
            format!("copy it beside the job file, and write `{last}`"),
        ),
        _ => Ok(text),
    }
}
