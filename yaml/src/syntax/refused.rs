//! A document that the parser understands and that is refused all the same, in words that help.

use super::{line::Line, located, quote::in_quotes, said::Said, too_far_left, value};
use crate::{
    Location, Place, Problem, ProblemKind,
    comment::without_comment,
    locate,
    node::join,
    refusal::{NoKey, Refusal},
};

/// Why the value at `path` is refused, and what to do about it.
pub(crate) fn explain_refusal(text: &str, at: Location, path: &str, refusal: Refusal) -> Problem {
    let lines = Line::all(text);
    let problem = Problem {
        location: Some(at),
        ..Problem::new(ProblemKind::Syntax, path, refusal.to_string())
    };
    match refusal {
        Refusal::SecondDocument => second_document(&lines, problem),
        Refusal::Twice(key) => match locate(text, &join(path, &key), Place::Key) {
            Some(first) => Problem {
                message: format!("{}; first in {first}", problem.message),
                ..problem
            }
            .hint("remove one of the two"),
            None => problem,
        },
        Refusal::Key(no_key) => {
            on_its_line(&lines, at).unwrap_or_else(|| problem.hint(key(&lines, at, &no_key)))
        }
        Refusal::Tag => on_its_line(&lines, at).unwrap_or_else(|| {
            problem.hint("remove it; a text with `!` at its beginning goes in quotes")
        }),
        Refusal::MergeKey | Refusal::Deep | Refusal::Large { .. } | Refusal::LongKey => problem,
    }
}

fn on_its_line(lines: &[Line<'_>], at: Location) -> Option<Problem> {
    let line = lines.get(at.line - 1)?;
    let finding = value::find(line, None, &Said::of(""))?;
    Some(located(lines, line, finding))
}

/// What to do about something that is no key, where no other mistake explains it.
fn key(lines: &[Line<'_>], at: Location, no_key: &NoKey) -> String {
    let line = lines.get(at.line - 1);
    let text = line.map_or("", |line| line.text);
    let before: String = text.chars().take(at.column - 1).collect();
    let number = before.trim_end().strip_suffix(',');
    let is_fraction = number.is_some_and(|number| number.ends_with(|c: char| c.is_ascii_digit()));
    let value = line
        .and_then(Line::own_entry)
        .filter(|entry| entry.value.starts_with(['{', '[']));
    match (no_key, value) {
        (NoKey::Scalar(_), _) if is_fraction => {
            "write a decimal number with a point; a comma ends the value".to_owned()
        }
        (NoKey::Map | NoKey::List, Some(entry)) => {
            in_quotes(entry.key, without_comment(entry.value))
        }
        _ => "write the name of a key before the colon, or remove the line".to_owned(),
    }
}

/// Something follows the document: another one, or a line that is too far to the left.
fn second_document(lines: &[Line<'_>], problem: Problem) -> Problem {
    let number = problem.location.map_or(1, |at| at.line).min(lines.len());
    let is_begin = |line: &Line<'_>| line.text.starts_with("---") || line.text.starts_with("...");
    let above = &lines[..number];
    let content = above
        .iter()
        .position(|line| !line.is_blank() && !is_begin(line));
    let behind = &above[content.unwrap_or(0)..];
    match behind.iter().find(|line| is_begin(line)) {
        Some(begin) => Problem {
            location: Some(Location {
                line: begin.number,
                column: 1,
            }),
            ..problem
        }
        .hint(
            "write each document into a file of its own; a text with a line `---` goes in quotes",
        ),
        None => too_far_left(problem),
    }
}
