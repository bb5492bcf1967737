//! What is valid in a job file and reads otherwise than it looks: keys with nothing in them, and texts that a comment
//! or an anchor takes a part of.

use framepack_yaml::{Document, Mistake, Node, ProblemKind, Style, Written, quoted, written};

use crate::settings::{IMAGE, NEGATIVE_PROMPT, PROMPT};

/// Longest part of a comment that a warning repeats, in characters.
const SHOWN_CHARS: usize = 60;

/// Keys that must have something in them where they are, and how it is written.
const NEVER_EMPTY: [(&str, &str); 3] = [
    (
        PROMPT.key,
        "write `prompt: \"a text\"`, or `prompt: \"\"` for a video without a prompt",
    ),
    ("start", "write `start: {image: photo.jpg}`"),
    (IMAGE.key, "write `image: photo.jpg`"),
];
/// Texts of words, in which a `#` is rather a part of the text than a comment.
const PROMPTS: [&str; 2] = [PROMPT.key, NEGATIVE_PROMPT.key];
/// Names, in which only a `#` with something directly behind it is.
const NAMES: [&str; 5] = [IMAGE.key, "name", "key", "output.dir", "output.name"];

/// Notes keys that must not be empty as mistakes, and returns what else a user should know.
pub(super) fn of(document: &mut Document<'_>, text: &str) -> Vec<String> {
    let mut remarks = Vec::new();
    for path in document.empty_keys() {
        match written(text, path, &Node::Null) {
            Some(written) if written.style == Style::Nothing => {
                remarks.extend(empty(document, path, &written));
            }
            // `null` and `~` say that the default is meant. A program may write them for what it does not know.
            _ if path == PROMPT.key => {
                remarks.push("prompt: null, so the video is made without a prompt; \"\" says the same without a warning".to_owned());
            }
            _ => {}
        }
    }
    for path in PROMPTS.into_iter().chain(NAMES) {
        let node = document.get(path);
        if let Some(written) = node.and_then(|node| written(text, path, node)) {
            remarks.extend(cut_off(path, &written));
        }
    }
    remarks
}

/// A key with nothing behind it.
fn empty(document: &mut Document<'_>, path: &str, written: &Written<'_>) -> Option<String> {
    let because = match written {
        Written {
            comment: Some(comment),
            ..
        } => {
            format!(
                "there is nothing in it, as `{}` is a comment",
                shown(comment)
            )
        }
        Written {
            anchor: Some(anchor),
            ..
        } => {
            format!("there is nothing in it, as `{anchor}` only names an anchor")
        }
        _ => "there is nothing in it".to_owned(),
    };
    let said = written.comment.or(written.anchor);
    let key = path.rsplit('.').next().unwrap_or(path);
    let in_quotes = said.map(|said| format!("write `{key}: {}` if that is the text", quoted(said)));
    let Some((_, hint)) = NEVER_EMPTY.iter().find(|(never, _)| *never == path) else {
        let default = "so the default is used; remove the key, or write a value";
        return Some(format!("{path}: {because}, {default}"));
    };
    let mistake = Mistake::new(ProblemKind::EmptyValue, because);
    document.note(
        path,
        mistake.hint(in_quotes.unwrap_or_else(|| (*hint).to_owned())),
    );
    None
}

/// A text that lost its beginning or its end.
fn cut_off(path: &str, written: &Written<'_>) -> Option<String> {
    let at = written.location;
    if let Some(anchor) = written.anchor {
        return Some(format!(
            "{path}: `{anchor}` ({at}) names an anchor and is no part of the text; put the text in quotes if it is"
        ));
    }
    let comment = written.comment?;
    let is_text = comment
        .chars()
        .nth(1)
        .is_some_and(|c| !c.is_whitespace() && c != '#');
    (is_text || PROMPTS.contains(&path)).then(|| {
        format!(
            "{path}: `{}` (line {}) is a comment and no part of the text; put the text in quotes if it is",
            shown(comment),
            at.line,
        )
    })
}

fn shown(comment: &str) -> String {
    match comment.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &comment[..end]),
        None => comment.to_owned(),
    }
}
