//! What a colour profile (ICC) is called.

const HEADER_BYTES: usize = 128;

/// The name of a profile by which colours look otherwise than without it; `None` for sRGB and for greys.
pub(super) fn foreign(profile: &[u8]) -> Option<String> {
    if profile.get(16..20)? == b"GRAY" {
        return None;
    }
    let name = name(profile).unwrap_or_else(|| "without a name".to_owned());
    let is_srgb = ["sRGB", "IEC61966-2.1", "IEC 61966-2.1", "c2"]
        .iter()
        .any(|part| name.contains(part));
    (!is_srgb).then_some(name)
}

/// The text of its description.
fn name(profile: &[u8]) -> Option<String> {
    let count = number(profile, HEADER_BYTES)?;
    let tags = profile.get(HEADER_BYTES + 4..)?.chunks_exact(12);
    let tag = tags.take(count).find(|tag| tag.starts_with(b"desc"))?;
    let (at, len) = (number(tag, 4)?, number(tag, 8)?);
    let description = profile.get(at..at.checked_add(len)?)?;
    let text = match description.get(..4)? {
        b"desc" => {
            let len = number(description, 8)?;
            let text = description.get(12..12_usize.checked_add(len)?)?;
            String::from_utf8_lossy(text).into_owned()
        }
        // Texts in several languages, of which the first will do.
        b"mluc" => {
            let (len, at) = (number(description, 20)?, number(description, 24)?);
            let text = description.get(at..at.checked_add(len)?)?;
            let units = text
                .chunks_exact(2)
                .map(|unit| u16::from_be_bytes([unit[0], unit[1]]));
            char::decode_utf16(units)
                .map(|c| c.unwrap_or('?'))
                .collect()
        }
        _ => return None,
    };
    let is_shown = |c: &char| !c.is_control();
    let text: String = text.chars().filter(is_shown).take(60).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(u32::from_be_bytes(bytes) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A profile of this colour space with nothing but a description.
    fn profile(space: [u8; 4], description: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; HEADER_BYTES];
        bytes[16..20].copy_from_slice(&space);
        bytes.extend(1_u32.to_be_bytes());
        bytes.extend(b"desc");
        bytes.extend((HEADER_BYTES as u32 + 16).to_be_bytes());
        bytes.extend((description.len() as u32).to_be_bytes());
        bytes.extend(description);
        bytes
    }

    fn old(name: &str) -> Vec<u8> {
        let len = (name.len() as u32).to_be_bytes();
        [b"desc\0\0\0\0", &len[..], name.as_bytes()].concat()
    }

    fn new(name: &str) -> Vec<u8> {
        let text: Vec<u8> = name.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let numbers = [1, 12, 0, text.len() as u32, 28]
            .map(u32::to_be_bytes)
            .concat();
        [b"mluc\0\0\0\0", &numbers[..], &text].concat()
    }

    #[test]
    fn other_profiles_than_srgb_are_named() {
        let cases = [
            (profile(*b"RGB ", &new("Display P3")), Some("Display P3")),
            (
                profile(*b"RGB ", &old("Adobe RGB (1998)\0")),
                Some("Adobe RGB (1998)"),
            ),
            (
                profile(*b"CMYK", &old("Coated FOGRA39\0")),
                Some("Coated FOGRA39"),
            ),
            (profile(*b"RGB ", &old("sRGB IEC61966-2.1\0")), None),
            (profile(*b"RGB ", &new("sRGB built-in")), None),
            (profile(*b"GRAY", &new("Dot Gain 20%")), None),
            (profile(*b"RGB ", b"junk"), Some("without a name")),
            (vec![0; 7], None),
        ];
        for (profile, expected) in cases {
            assert_eq!(foreign(&profile).as_deref(), expected);
        }
    }

    #[test]
    fn a_damaged_profile_is_no_reason_to_stop() {
        let whole = profile(*b"RGB ", &new("Display P3"));
        for len in 0..whole.len() {
            let _ = foreign(&whole[..len]);
        }
        let mut wild = whole;
        wild[HEADER_BYTES..].fill(0xFF);
        assert_eq!(foreign(&wild).as_deref(), Some("without a name"));
    }
}
