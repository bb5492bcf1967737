//! Files of text that are named as a picture: what a server sent, what stands for the picture, or something else.

use super::{
    foreign::{
        ANNEX_POINTER, ENCODED, ERROR_PAGE, Foreign, LFS_POINTER, LINK, PLACEHOLDER, SVG, TEXT,
        WEB_PAGE,
    },
    unfit::Unfit,
};

/// How often a picture's unreadable bytes have become this mark in a text that a program made of it.
const REPLACED: &[u8] = b"\xEF\xBF\xBD";

/// What a text is, or a picture that somebody took for one.
pub(super) fn text(head: &[u8]) -> Option<Unfit> {
    if is_mangled(head) {
        return Some(Unfit::Mangled);
    }
    if head.starts_with(b"bplist00") {
        return Some(Unfit::Foreign(&PLACEHOLDER));
    }
    let text = readable(head)?;
    let lower = text.trim_start().to_ascii_lowercase();
    let begins = |starts: &[&str]| starts.iter().any(|start| lower.starts_with(start));
    let foreign: &'static Foreign = if begins(&["version https://git-lfs"]) {
        &LFS_POINTER
    } else if begins(&["/annex/objects/"]) || lower.contains(".git/annex/objects/") {
        &ANNEX_POINTER
    } else if begins(&["[internetshortcut]", "[desktop entry]"]) {
        &LINK
    } else if lower.contains("<svg") {
        &SVG
    } else if begins(&["<!doctype plist"]) || lower.contains("<plist") {
        &PLACEHOLDER
    } else if begins(&[
        "<!doctype html",
        "<html",
        "<head",
        "<body",
        "<title",
        "<script",
        "<!--",
    ]) || lower.contains("<html")
    {
        &WEB_PAGE
    } else if begins(&["<?xml", "<error"]) && lower.contains("<error") {
        &ERROR_PAGE
    } else if begins(&["data:image/"]) || is_encoded(text.trim_start()) {
        &ENCODED
    } else {
        &TEXT
    };
    Some(Unfit::Foreign(foreign))
}

/// A PNG whose line ends were changed, or a picture of which a text was made.
fn is_mangled(head: &[u8]) -> bool {
    let changed: [&[u8]; 3] = [
        b"\x89PNG\n\x1a\n",
        b"\x89PNG\r\r\n\x1a\r\n",
        b"\x89PNG\r\r\x1a\r",
    ];
    let behind_mark = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    let recoded: [&[u8]; 4] = [
        b"\xC3\xBF\xC3\x98\xC3\xBF",
        b"\xC2\x89PNG",
        b"\xEF\xBF\xBDPNG",
        b"?PNG\r\n\x1a\n",
    ];
    changed.iter().any(|start| head.starts_with(start))
        || recoded.iter().any(|start| behind_mark.starts_with(start))
        || behind_mark.starts_with(REPLACED) && behind_mark[3..].starts_with(REPLACED)
}

/// The head as text, if it is nothing but that.
fn readable(head: &[u8]) -> Option<&str> {
    if head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF") {
        return Some("UTF-16");
    }
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The head may end within a character.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let is_plain = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\x0C');
    text.chars().all(is_plain).then_some(text)
}

/// Base64 of a JPEG, PNG, GIF, WebP or BMP.
fn is_encoded(text: &str) -> bool {
    ["/9j/", "iVBORw0KGgo", "R0lGOD", "UklGR"]
        .iter()
        .any(|start| text.starts_with(start))
}
