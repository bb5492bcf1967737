//! Text as editors and systems write it: UTF-8 with or without a byte order mark, UTF-16 with one.

use std::fmt;

use crate::Location;

/// The byte order mark, which some editors put before the text. It is no part of it.
const MARK: char = '\u{feff}';

/// How files of other kinds begin that are taken for a text by their name, and what they are.
const OTHERS: [(&[u8], &str); 13] = [
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x89PNG", "a PNG picture"),
    (b"GIF8", "a GIF picture"),
    (b"RIFF", "a picture, sound or video (RIFF)"),
    (
        b"PK\x03\x04",
        "a zip archive, or a document of Office or OpenOffice",
    ),
    (b"\xd0\xcf\x11\xe0", "a document of an old Office"),
    (b"{\\rtf", "a rich text document (RTF)"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"bplist", "a property list of macOS"),
    (b"\x7fELF", "a program"),
];

/// Why bytes are no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotText {
    /// UTF-16 or UTF-32 that does not say so, or a form of it that is not read.
    Unmarked {
        /// What the bytes look like.
        encoding: &'static str,
    },
    /// A file of another kind.
    Other {
        /// What it is.
        what: &'static str,
    },
    /// UTF-16 with a mark, and with half a character in it.
    BrokenUtf16(Location),
    /// An encoding of single bytes, as of old systems, or a file that is no text at all.
    NotUtf8 {
        /// The first byte that is no UTF-8.
        byte: u8,
        /// Where.
        location: Location,
        /// Where in bytes, from 0.
        offset: usize,
    },
}

impl std::error::Error for NotText {}

impl fmt::Display for NotText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unmarked { encoding } => {
                write!(f, "not UTF-8 text, but {encoding}: save it as UTF-8")
            }
            Self::Other { what } => {
                write!(f, "not a text, but {what}: save it as plain text in UTF-8")
            }
            Self::BrokenUtf16(at) => {
                write!(
                    f,
                    "{at}: half a character of UTF-16: save the file as UTF-8"
                )
            }
            Self::NotUtf8 { byte, location, .. } => {
                write!(f, "{location}: not UTF-8 text: byte 0x{byte:02X}")?;
                match byte {
                    0xa0.. => write!(f, ", which is `{}` in Latin-1", char::from(*byte))?,
                    0x80.. => f.write_str(", as in Windows-1252 or another old encoding")?,
                    _ => {}
                }
                f.write_str(": save it as UTF-8")
            }
        }
    }
}

/// The text that a file's bytes are, without a byte order mark.
pub fn decode(bytes: &[u8]) -> Result<String, NotText> {
    if let Some((_, what)) = OTHERS.iter().find(|(start, _)| bytes.starts_with(start)) {
        return Err(NotText::Other { what });
    }
    if let [_, _, _, _, b'f', b't', b'y', b'p', ..] = bytes {
        let what = "a video or a HEIC picture";
        return Err(NotText::Other { what });
    }
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => {
            return Err(NotText::Unmarked { encoding: "UTF-32" });
        }
        [0xff, 0xfe, units @ ..] => return utf16(units, u16::from_le_bytes),
        [0xfe, 0xff, units @ ..] => return utf16(units, u16::from_be_bytes),
        // ASCII in UTF-16, as no text in UTF-8 begins.
        [a, b, c, d, ..] if matches!([*a == 0, *b == 0, *c == 0, *d == 0], [x, y, z, w] if x != y && x == z && y == w) =>
        {
            let encoding = "UTF-16 without a byte order mark";
            return Err(NotText::Unmarked { encoding });
        }
        _ => {}
    }
    match str::from_utf8(bytes) {
        Ok(text) => Ok(without_mark(text).to_owned()),
        Err(error) => {
            let (valid, rest) = bytes.split_at(error.valid_up_to());
            Err(NotText::NotUtf8 {
                byte: rest.first().copied().unwrap_or_default(),
                location: end_of(without_mark(&String::from_utf8_lossy(valid))),
                offset: valid.len(),
            })
        }
    }
}

/// The text behind a byte order mark. Several are there where files were put together.
pub(crate) fn without_mark(text: &str) -> &str {
    text.trim_start_matches(MARK)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, NotText> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(pairs.len());
    for c in char::decode_utf16(pairs.iter().copied().map(unit)) {
        match c {
            Ok(c) => text.push(c),
            Err(_) => return Err(NotText::BrokenUtf16(end_of(&text))),
        }
    }
    if !rest.is_empty() {
        return Err(NotText::BrokenUtf16(end_of(&text)));
    }
    Ok(without_mark(&text).to_owned())
}

/// The place behind a text, as an editor counts it.
pub(crate) fn end_of(text: &str) -> Location {
    let (mut line, mut column) = (1, 1);
    let mut before = ' ';
    for c in text.chars() {
        match c {
            '\n' if before == '\r' => {}
            '\n' | '\r' => (line, column) = (line + 1, 1),
            _ => column += 1,
        }
        before = c;
    }
    Location { line, column }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16le(text: &str) -> Vec<u8> {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        [0xff, 0xfe].into_iter().chain(units).collect()
    }

    #[test]
    fn what_editors_write_is_the_same_text() {
        let text = "prompt: 猫 🐈\r\nsteps: 3\r\n";
        let utf16be = text.encode_utf16().flat_map(u16::to_be_bytes);
        let utf16be: Vec<u8> = [0xfe, 0xff].into_iter().chain(utf16be).collect();
        for bytes in [
            text.as_bytes().to_vec(),
            format!("\u{feff}{text}").into_bytes(),
            utf16le(text),
            utf16be,
        ] {
            assert_eq!(decode(&bytes).as_deref(), Ok(text), "{bytes:?}");
        }
    }

    #[test]
    fn files_of_other_kinds_are_named() {
        for (start, expected) in [
            (&b"\xff\xd8\xff\xe0\0\x10JFIF"[..], "a JPEG picture"),
            (b"PK\x03\x04\x14\0", "a document of Office"),
            (b"{\\rtf1\\ansi", "RTF"),
            (b"%PDF-1.7\n", "a PDF document"),
            (b"\0\0\0\x1cftypheic", "HEIC"),
        ] {
            let error = decode(start).unwrap_err().to_string();
            assert!(error.starts_with("not a text, but "), "{error}");
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn other_encodings_are_named_with_their_place() {
        let mut half = utf16le("a: 1\nb: ");
        half.extend([0x08, 0xd8, b'x', 0]);
        let mut odd = utf16le("a: 1\n");
        odd.push(b'x');
        for (bytes, expected) in [
            (
                b"a: 1\r\nb: sch\xf6n\n".to_vec(),
                "line 2, column 7: not UTF-8 text: byte 0xF6, which is `ö` in Latin-1: save it as UTF-8",
            ),
            (
                "\u{feff}a: 1\n".bytes().chain([0x93]).collect(),
                "line 2, column 1: not UTF-8 text: byte 0x93, as in Windows-1252 or another old encoding: save it as UTF-8",
            ),
            (
                b"a\0:\0 \x001\0".to_vec(),
                "not UTF-8 text, but UTF-16 without a byte order mark: save it as UTF-8",
            ),
            (
                b"\0a\0:\0 \x001".to_vec(),
                "not UTF-8 text, but UTF-16 without a byte order mark: save it as UTF-8",
            ),
            (
                vec![0xff, 0xfe, 0, 0, b'a', 0, 0, 0],
                "not UTF-8 text, but UTF-32: save it as UTF-8",
            ),
            (
                half,
                "line 2, column 4: half a character of UTF-16: save the file as UTF-8",
            ),
            (
                odd,
                "line 2, column 1: half a character of UTF-16: save the file as UTF-8",
            ),
        ] {
            let error = decode(&bytes).unwrap_err();
            assert_eq!(error.to_string(), expected, "{bytes:?}");
        }
    }
}
