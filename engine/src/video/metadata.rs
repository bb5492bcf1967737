//! What a video says about itself: title, how it was made, and by what.
//!
//! Written as `QuickTime` / iTunes metadata (`udta/meta/ilst`), which ffprobe, players and file managers show.

use super::atom::Atom;

/// Texts in the video's header.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata {
    /// Title: the job's name.
    pub title: String,
    /// Comment: prompt, seed and settings as one JSON object.
    pub comment: serde_json::Value,
}

impl Metadata {
    /// The box `udta` that holds it.
    pub(super) fn to_atom(&self) -> Atom {
        let mut items = vec![
            item(*b"\xA9nam", &self.title),
            item(
                *b"\xA9too",
                concat!("framepackd ", env!("CARGO_PKG_VERSION")),
            ),
        ];
        if !self.comment.is_null() {
            items.push(item(*b"\xA9cmt", &self.comment.to_string()));
        }
        let meta = Atom {
            fields: vec![0; 4], // version and flags
            ..Atom::parent(*b"meta", vec![handler(), Atom::parent(*b"ilst", items)])
        };
        Atom::parent(*b"udta", vec![meta])
    }
}

/// Says that `meta` is in the iTunes format.
fn handler() -> Atom {
    let mut fields = vec![0; 8]; // version, flags, reserved
    fields.extend(b"mdirappl");
    fields.extend([0; 9]); // reserved, empty name
    Atom::leaf(*b"hdlr", fields)
}

fn item(kind: [u8; 4], text: &str) -> Atom {
    const UTF8: [u8; 4] = [0, 0, 0, 1];
    const NO_LOCALE: [u8; 4] = [0; 4];
    let data = [&UTF8[..], &NO_LOCALE, text.as_bytes()].concat();
    Atom::parent(kind, vec![Atom::leaf(*b"data", data)])
}
