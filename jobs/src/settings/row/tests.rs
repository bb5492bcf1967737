//! How texts outside a file are read.

use crate::settings::PRESET;

#[test]
fn names_outside_a_file_are_lists_as_yaml_has_them_or_separated_by_commas() {
    for (text, expected) in [
        ("hands", "hands"),
        ("hands,quality", "hands,quality"),
        ("hands, quality", "hands,quality"),
        ("[]", ""),
        (" [ ] ", ""),
        ("[hands]", "hands"),
        ("[hands,quality]", "hands,quality"),
        ("[hands, \"quality\"]", "hands,quality"),
    ] {
        let value = PRESET.read_text(text).unwrap();
        assert_eq!(value.text(), Some(expected), "{text}");
    }
    for text in ["[[hands]]", "[{a: b}]", "[1]", ""] {
        assert!(PRESET.read_text(text).is_err(), "{text}");
    }
}
