//! What a video says about itself: title, how it was made, when, and by what.
//!
//! Written as `QuickTime` / iTunes metadata (`udta/meta/ilst`), which ffprobe, players and file managers show.

use framepack_jobs::Timestamp;

use super::atom::Atom;

/// Before this no version of the program existed: a clock that says so is wrong.
const FIRST_VERSION: &str = "2025-01-01T00:00:00.000000Z";
/// Seconds from 1904, where the times of mp4 files begin, to 1970.
const FROM_1904_TO_1970_SECS: u64 = 2_082_844_800;

/// When a video was rendered, as far as the clock can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Created(Option<Timestamp>);

impl Created {
    /// The time of the clock, unless it has lost it.
    pub fn at(time: Timestamp) -> Self {
        let first = FIRST_VERSION.parse().expect("it is in the form of a time");
        Self((time >= first).then_some(time))
    }

    /// Seconds since 1904, as in an mp4 file's boxes of version 0; 0, which is no time, where it is not known, and from
    /// 2040 on.
    pub(super) fn mp4_secs(self) -> u32 {
        let secs = self
            .0
            .map(|time| time.as_micros() / 1_000_000 + FROM_1904_TO_1970_SECS);
        secs.and_then(|secs| u32::try_from(secs).ok()).unwrap_or(0)
    }

    /// `2026-11-27T18:35:32Z`
    fn text(self) -> Option<String> {
        let text = self.0?.to_string();
        let (secs, _) = text.split_once('.')?;
        Some(format!("{secs}Z"))
    }
}

/// Texts in the video's header.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata {
    /// Title: the job's name.
    pub title: String,
    /// Comment: prompt, seed and settings as one JSON object.
    pub comment: serde_json::Value,
    /// When it was rendered.
    pub created: Created,
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
        if let Some(day) = self.created.text() {
            items.push(item(*b"\xA9day", &day));
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_unless_the_clock_has_lost_it() {
        let created = |time: &str| Created::at(time.parse().unwrap());
        let now = created("2026-11-27T18:35:32.250000Z");
        assert_eq!(now.mp4_secs(), 3_878_649_332);
        assert_eq!(now.text().as_deref(), Some("2026-11-27T18:35:32Z"));
        for wrong in ["1970-01-01T00:05:00.000000Z", "2024-12-31T23:59:59.999999Z"] {
            assert_eq!(
                (created(wrong).mp4_secs(), created(wrong).text()),
                (0, None)
            );
        }
        let beyond_32_bits = created("2041-01-01T00:00:00.000000Z");
        assert_eq!(beyond_32_bits.mp4_secs(), 0);
        assert!(beyond_32_bits.text().is_some());
    }
}
