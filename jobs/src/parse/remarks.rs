//! What is valid in a job file and reads otherwise than it looks: keys with nothing in them, and texts that a comment
//! or an anchor takes a part of.

use framepack_yaml::{Document, Mistake, Node, ProblemKind, Style, Written, shortened, written};

use crate::settings::{BACKGROUND, IMAGE, NEGATIVE_PROMPT, PROMPT};

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
    if let Some(Node::Text(prompt)) = document.get(PROMPT.key)
        && !prompt.is_empty()
        && prompt.trim().is_empty()
    {
        remarks.push("prompt: only spaces, so the video is made without a prompt; \"\" says the same without a warning".to_owned());
    }
    for path in PROMPTS.into_iter().chain(NAMES) {
        let node = document.get(path);
        if let Some(written) = node.and_then(|node| written(text, path, node)) {
            remarks.extend(cut_off(path, &written));
        }
    }
    remarks
}

/// Whether the value at this path is text, so that quotes make a comment its value.
fn is_text(path: &str) -> bool {
    let others = [BACKGROUND.key, "group"];
    PROMPTS.contains(&path) || NAMES.contains(&path) || others.contains(&path)
}

/// A key with nothing behind it.
fn empty(document: &mut Document<'_>, path: &str, written: &Written<'_>) -> Option<String> {
    let in_quotes = written.in_quotes(path);
    let Some((_, hint)) = NEVER_EMPTY.iter().find(|(never, _)| *never == path) else {
        let is_text = written.is_comment_like_text() && is_text(path);
        return Some(written.left_empty(path, in_quotes.filter(|_| is_text)));
    };
    let mistake = Mistake::new(ProblemKind::EmptyValue, written.because());
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
    let is_text = written.is_comment_like_text();
    (is_text || PROMPTS.contains(&path)).then(|| {
        format!(
            "{path}: `{}` (line {}) is a comment and no part of the text; put the text in quotes if it is",
            shortened(comment),
            at.line,
        )
    })
}
