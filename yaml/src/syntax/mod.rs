//! A parser's error in words that help: which line is meant, what is wrong there, and what to write instead.
//!
//! The parser says where it gave up, which is often a line later, and what it expected there. So the lines are looked
//! at as people write them: a key, a colon, a text. Only files that are no YAML come here.

mod line;
mod mistake;
mod quote;

pub(crate) use self::line::is_block_header;
pub use self::quote::quoted;
use self::{line::Line, mistake::Finding};
use crate::{
    Location, Problem, ProblemKind,
    parse::{SECOND_DOCUMENT, TAG},
};

const UNFITTING: &str = "begin the line in the same column as the keys that it belongs to; a text with special characters goes in quotes";

/// What the parser said of a place, with the place and the words for people.
pub(crate) fn explain(text: &str, at: Location, said: String) -> Problem {
    let lines = Line::all(text);
    let problem = Problem {
        location: Some(at),
        ..Problem::new(ProblemKind::Syntax, "", said)
    };
    if problem.message == SECOND_DOCUMENT {
        return second_document(&lines, problem);
    }
    if is_ours(&problem.message) {
        if is_behind_digit_and_comma(&lines, at) {
            return problem.hint("write a decimal number with a point; a comma ends the value");
        }
        return problem;
    }
    let found = order(&problem.message, at.line, lines.len())
        .into_iter()
        .find_map(|number| {
            let line = &lines[number - 1];
            let below = lines[number..].iter().find(|line| !line.is_blank());
            mistake::find(line, below, &problem.message).map(|finding| (line, finding))
        });
    match found {
        Some((line, finding)) => located(line, finding),
        None => in_general(&lines, problem),
    }
}

/// Whether a limit of ours was met, and the words are for people already.
fn is_ours(said: &str) -> bool {
    let is_tag = said.ends_with(TAG);
    let parsers = [
        "expected",
        "found",
        "allowed in this context",
        "unknown anchor",
        "control characters",
        "could not",
        "cannot",
    ];
    !is_tag && !parsers.iter().any(|word| said.contains(word))
        || said.contains("expected text as a key")
        || said.contains("aliases expanded")
}

/// Whether this is the fraction of `{seconds: 2,5}`.
fn is_behind_digit_and_comma(lines: &[Line<'_>], at: Location) -> bool {
    let line = lines.get(at.line - 1).map_or("", |line| line.text);
    let before: String = line.chars().take(at.column - 1).collect();
    let number = before.strip_suffix(',');
    number.is_some_and(|number| number.ends_with(|c: char| c.is_ascii_digit()))
}

/// The lines in the order in which they are to blame: where what the parser was reading began, where it gave up, and
/// those above.
fn order(said: &str, last: usize, lines: usize) -> Vec<usize> {
    let began = said.split(" at line ").nth(1);
    let began = began.and_then(|rest| rest.split(' ').next()?.parse().ok());
    let is_within = [
        "quoted scalar",
        "block scalar",
        "simple key",
        "alias",
        "anchor",
    ];
    let is_within = is_within.iter().any(|what| said.contains(what));
    let first = is_within.then(|| began.unwrap_or(1));
    let last = last.min(lines);
    first
        .into_iter()
        .filter(|line| (1..=lines).contains(line))
        .chain((1..=last).rev())
        .collect()
}

fn located(line: &Line<'_>, finding: Finding<'_>) -> Problem {
    let path = finding
        .key
        .filter(|_| line.indent() == 0)
        .unwrap_or_default();
    Problem {
        location: Some(Location {
            line: line.number,
            column: line.column(finding.at),
        }),
        ..Problem::new(ProblemKind::Syntax, path, finding.what).hint(finding.hint)
    }
}

/// No single character is to blame: the indentation is, or a bracket that is missing.
fn in_general(lines: &[Line<'_>], problem: Problem) -> Problem {
    let said = problem.message.clone();
    let number = problem.location.map_or(1, |at| at.line).min(lines.len());
    let line = &lines[number - 1];
    let above = lines[..number - 1].iter().rfind(|line| !line.is_blank());
    if said.contains("mapping values are not allowed")
        && let Some(finding) = above.and_then(|above| mistake::misplaced(line, above))
    {
        return located(line, finding);
    }
    if said.contains("could not find expected ':'") {
        let at = order(&said, number, lines.len())
            .first()
            .map_or(number, |line| *line);
        let line = &lines[at - 1];
        return located(line, without_colon(line));
    }
    if said.contains("document start") {
        return too_far_left(problem);
    }
    let open = lines[..number]
        .iter()
        .rev()
        .find_map(|line| Some((line, mistake::open_quote(line)?)));
    if let Some((line, finding)) = open {
        return located(line, finding);
    }
    let hint = match () {
        () if said.contains("flow mapping") => {
            "close it with `}`; a text with brackets or commas in it goes in quotes"
        }
        () if said.contains("flow sequence") => {
            "close it with `]`; a text with brackets or commas in it goes in quotes"
        }
        () if said.contains("directive") => "a line can't begin with `%`",
        () => UNFITTING,
    };
    problem.hint(hint)
}

fn without_colon<'t>(line: &Line<'t>) -> Finding<'t> {
    let text = line.text.trim();
    let hint = match text.split_once(' ') {
        Some((key, value)) if !value.trim().contains(' ') => {
            format!(
                "write `{key}: {}`; a line that goes on with the text above is indented",
                value.trim()
            )
        }
        _ => "indent it if it goes on with the text above; a key has a colon and a space behind it"
            .to_owned(),
    };
    Finding {
        key: None,
        at: line.indent(),
        what: "the line has no colon, so it is no key".to_owned(),
        hint,
    }
}

/// Something follows the document: another one, or a line that is too far to the left.
fn second_document(lines: &[Line<'_>], problem: Problem) -> Problem {
    let number = problem.location.map_or(1, |at| at.line).min(lines.len());
    let begun = |line: &&Line<'_>| line.text.starts_with("---") || line.text.starts_with("...");
    let above = &lines[..number];
    let content = above
        .iter()
        .position(|line| !line.is_blank() && !begun(&line));
    if above[content.unwrap_or(0)..]
        .iter()
        .any(|line| begun(&line))
    {
        return problem.hint(
            "write each document into a file of its own; a text with a line `---` goes in quotes",
        );
    }
    too_far_left(problem)
}

fn too_far_left(problem: Problem) -> Problem {
    let what = "it begins further left than the lines above, so it belongs to none of them";
    Problem {
        message: what.to_owned(),
        ..problem
    }
    .hint("begin all keys that belong together in the same column")
}
