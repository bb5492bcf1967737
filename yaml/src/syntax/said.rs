//! What the parser said, as far as it decides which line is to blame. Its words are looked at here only.

use crate::Location;

/// What the parser met, and what it was reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) met: Met,
    pub(super) within: Within,
    /// Where what it was reading began, if not where it gave up.
    pub(super) began: Option<Location>,
}

/// What it met where it gave up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    /// The end of a key without a colon.
    NoColon,
    /// A backslash that makes no character.
    WrongEscape,
    /// The end of the file.
    EndOfFile,
    /// A line further left than the document.
    FurtherLeft,
    Other,
}

/// What it was reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    Quoted,
    BlockText,
    Key,
    Anchor,
    FlowMap,
    FlowList,
    Directive,
    Other,
}

impl Said {
    /// `problem at line 5 column 1, while scanning a quoted scalar at line 4 column 9`
    pub(super) fn of(words: &str) -> Self {
        let (problem, context) = words.split_once(", while ").unwrap_or((words, words));
        let met = [
            ("could not find expected ':'", Met::NoColon),
            ("unknown escape character", Met::WrongEscape),
            ("expected hexadecimal number", Met::WrongEscape),
            ("invalid Unicode character escape", Met::WrongEscape),
            ("unexpected end of stream", Met::EndOfFile),
            ("<document start>", Met::FurtherLeft),
        ];
        let within = [
            ("quoted scalar", Within::Quoted),
            ("block scalar", Within::BlockText),
            ("simple key", Within::Key),
            ("alias", Within::Anchor),
            ("anchor", Within::Anchor),
            ("flow mapping", Within::FlowMap),
            ("flow sequence", Within::FlowList),
            ("directive", Within::Directive),
        ];
        Self {
            met: first_of(&met, problem).unwrap_or(Met::Other),
            within: first_of(&within, context).unwrap_or(Within::Other),
            began: (context != words).then(|| place(context)).flatten(),
        }
    }
}

fn first_of<T: Copy>(words: &[(&str, T)], said: &str) -> Option<T> {
    let found = words.iter().find(|(word, _)| said.contains(word));
    found.map(|(_, meaning)| *meaning)
}

/// `… at line 4 column 9`
fn place(context: &str) -> Option<Location> {
    let (_, place) = context.rsplit_once(" at line ")?;
    let (line, column) = place.split_once(" column ")?;
    Some(Location {
        line: line.parse().ok()?,
        column: column.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With the words of the parser that is linked: other ones of a later version would be noticed here.
    #[test]
    fn the_parsers_words_are_known() {
        let said = |text: &str| {
            let document = serde_yaml::Deserializer::from_str(text).next().unwrap();
            let error = <serde_yaml::Value as serde::Deserialize>::deserialize(document);
            Said::of(&error.expect_err(text).to_string())
        };
        let at = |line, column| Some(Location { line, column });
        for (text, met, within, began) in [
            ("a: \"b\n", Met::EndOfFile, Within::Quoted, at(1, 4)),
            ("a: \"\\q\"\n", Met::WrongEscape, Within::Quoted, at(1, 4)),
            ("a: \"\\xg\"\n", Met::WrongEscape, Within::Quoted, at(1, 4)),
            ("a: | b\n", Met::Other, Within::BlockText, at(1, 4)),
            ("a: 1\nb\nc: 1\n", Met::NoColon, Within::Key, at(2, 1)),
            ("a: ** b\n", Met::Other, Within::Anchor, at(1, 4)),
            ("a: {b: c: d}\n", Met::Other, Within::FlowMap, at(1, 4)),
            ("a: [b\n", Met::Other, Within::FlowList, at(1, 4)),
            ("%a\n", Met::Other, Within::Directive, None),
            ("a: 1\n b: 2\n", Met::Other, Within::Other, None),
        ] {
            let found = said(text);
            assert_eq!((found.met, found.within), (met, within), "{text:?}");
            assert!(
                began.is_none() || found.began == began,
                "{text:?}: {found:?}"
            );
        }
    }
}
