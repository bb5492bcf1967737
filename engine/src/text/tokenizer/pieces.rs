//! A text cut at the special tokens that are written out in it.

use std::ops::Range;

/// A stretch of a prompt.
pub(super) enum Piece<'a> {
    Special(&'a str),
    Text(&'a str),
}

/// Where the `specials` stand in `text`, in their own letters.
pub(super) fn places(text: &str, specials: &[String]) -> Vec<Range<usize>> {
    let mut places = vec![];
    let mut start = 0;
    while let Some(place) = specials
        .iter()
        .filter_map(|special| {
            let place = start + text[start..].find(special.as_str())?;
            Some(place..place + special.len())
        })
        .min_by_key(|place| place.start)
    {
        start = place.end;
        places.push(place);
    }
    places
}

/// `text` cut into the special tokens at `places`, which are in order, and what is between them.
pub(super) fn pieces(text: &str, places: Vec<Range<usize>>) -> Vec<Piece<'_>> {
    let mut pieces = vec![];
    let mut start = 0;
    for place in places {
        pieces.push(Piece::Text(&text[start..place.start]));
        start = place.end;
        pieces.push(Piece::Special(&text[place]));
    }
    pieces.push(Piece::Text(&text[start..]));
    pieces
}

/// Characters that stand for something else in a pattern. An escaped `<` would: the beginning of a word.
const METACHARACTERS: &str = r"\.+*?()|[]{}^$";

/// A pattern that `text` alone matches.
pub(super) fn escape(text: &str) -> String {
    let literal = |c: char| {
        if METACHARACTERS.contains(c) {
            format!("\\{c}")
        } else {
            c.to_string()
        }
    };
    text.chars().map(literal).collect()
}
