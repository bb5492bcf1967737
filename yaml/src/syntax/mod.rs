//! A parser's error in words that help: which line is meant, what is wrong there, and what to write instead.
//!
//! The parser says where it gave up, which is often a line later, and what it expected there. So the lines are looked
//! at as people write them: a key, a colon, a text. Only files that are no YAML come here.

mod colon;
mod finding;
mod flow;
mod indentation;
mod line;
mod quote;
mod refused;
mod said;
mod scan;
mod value;

pub(crate) use self::line::is_block_header;
pub use self::quote::quoted;
pub(crate) use self::refused::explain_refusal;
use self::{
    finding::Finding,
    line::{Inside, Line},
    said::{Met, Said, Within},
};
use crate::{Location, Problem, ProblemKind, node::join};

const UNFITTING: &str = "begin the line in the same column as the keys that it belongs to; a text with special characters goes in quotes";

/// What the parser said of a place, with the place and the words for people.
pub(crate) fn explain(text: &str, at: Location, words: String) -> Problem {
    let lines = Line::all(text);
    let said = Said::of(&words);
    match find(&lines, at, &said) {
        Some((line, finding)) => located(&lines, &line, finding),
        None => in_general(&lines, at, words, &said),
    }
}

/// What is wrong, and the line on which it is: the one where the parser gave up, the one above that ended a text too
/// early, or the one where what the parser was reading began.
fn find<'t>(lines: &[Line<'t>], at: Location, said: &Said) -> Option<(Line<'t>, Finding<'t>)> {
    let number = at.line.min(lines.len());
    let (above, line) = (&lines[..number - 1], lines[number - 1]);
    if let Some(found) = lines
        .iter()
        .find_map(|line| Some((*line, fence(line, at)?)))
    {
        return Some(found);
    }
    let of_line = |finding: Finding<'t>| (line, finding);
    let began = said
        .began
        .filter(|began| (1..=lines.len()).contains(&began.line));
    if let Some(began) =
        began.filter(|_| said.within == Within::Quoted && said.met == Met::EndOfFile)
    {
        return never_closed(lines, began).or_else(|| on_line(lines, began.line, said));
    }
    let here = indentation::no_spaces(&line)
        .or_else(|| indentation::list_item(&line, at.column))
        .or_else(|| indentation::misplaced(&line, above, at.column))
        .map(of_line)
        .or_else(|| indentation::ended_by_comment(&line, above));
    if here.is_some() {
        return here;
    }
    let is_flow = matches!(said.within, Within::FlowMap | Within::FlowList);
    let brackets = Some(began.unwrap_or(at)).filter(|_| is_flow);
    let began_line = began.filter(|_| said.within != Within::Other);
    let enclosing = match line.inside {
        Inside::Enclosed(first) => Some(first),
        Inside::Nothing | Inside::BlockText | Inside::Text => None,
    };
    quote::over_lines(lines, &line, said)
        .map(of_line)
        .or_else(|| on_line(lines, began_line?.line, said))
        .or_else(|| on_line(lines, enclosing?, said))
        .or_else(|| on_line(lines, number, said))
        .or_else(|| ended_by_separator(lines, number, said))
        .or_else(|| flow::in_brackets(lines, brackets?, at))
}

/// What is wrong on the line with this number.
fn on_line<'t>(lines: &[Line<'t>], number: usize, said: &Said) -> Option<(Line<'t>, Finding<'t>)> {
    let line = lines[number - 1];
    let below = lines[number..].iter().find(|line| !line.is_blank());
    let finding = indentation::no_spaces(&line).or_else(|| value::find(&line, below, said));
    finding.map(|finding| (line, finding))
}

/// A line that has a character in it which YAML ends lines at and editors do not, so that the parser counts more lines.
fn ended_by_separator<'t>(
    lines: &[Line<'t>],
    number: usize,
    said: &Said,
) -> Option<(Line<'t>, Finding<'t>)> {
    let ends = ['\u{85}', '\u{2028}', '\u{2029}'];
    let line = lines[..number]
        .iter()
        .rfind(|line| line.text.contains(ends))?;
    on_line(lines, line.number, said)
}

/// A quote within brackets that is never closed.
fn never_closed<'t>(lines: &[Line<'t>], began: Location) -> Option<(Line<'t>, Finding<'t>)> {
    let line = lines[began.line - 1];
    let at = line.byte(began.column);
    let entry = line.entry().filter(|entry| entry.value_at == at);
    if entry.is_some() {
        return None;
    }
    let before = &line.text[..at];
    let key = before[before.rfind(['{', '[', ',']).map_or(0, |at| at + 1)..].trim();
    let key = key.strip_suffix(':').unwrap_or("");
    let text = quote::meant(&line.text[at..]).trim_end_matches(['}', ']']);
    let finding = Finding {
        key: Some(key).filter(|key| !key.is_empty()),
        at,
        what: "this quote is never closed".to_owned(),
        hint: quote::in_quotes(key, text),
    };
    Some((line, finding))
}

/// A line of backquotes, as around a listing in Markdown.
fn fence<'t>(line: &Line<'t>, at: Location) -> Option<Finding<'t>> {
    let is_fence = line.text.trim_start().starts_with("```");
    (is_fence && line.number == at.line && line.inside == Inside::Nothing).then(|| Finding {
        key: None,
        at: line.indent(),
        what: "a line of Markdown, which puts listings between backquotes".to_owned(),
        hint: "remove it, and the other line of backquotes".to_owned(),
    })
}

fn located(lines: &[Line<'_>], line: &Line<'_>, finding: Finding<'_>) -> Problem {
    let mut path = indentation::path_above(line, lines);
    if let Some(key) = finding.key {
        // The key of an item in brackets is below the one before them; a text that goes on has its key above.
        let outer = line.entry().map(|entry| entry.key);
        for key in outer.filter(|outer| *outer != key).into_iter().chain([key]) {
            if path.rsplit('.').next() != Some(key) {
                path = join(&path, key);
            }
        }
    } else {
        path.clear();
    }
    Problem {
        location: Some(Location {
            line: line.number,
            column: line.column(finding.at),
        }),
        hint_in_section: colon::below(line, finding.at).map(String::into_boxed_str),
        ..Problem::new(ProblemKind::Syntax, path, finding.what).hint(finding.hint)
    }
}

/// No single character is to blame: the indentation is, or a bracket that is missing.
fn in_general(lines: &[Line<'_>], at: Location, words: String, said: &Said) -> Problem {
    let problem = Problem {
        location: Some(at),
        ..Problem::new(ProblemKind::Syntax, "", words)
    };
    let number = at.line.min(lines.len());
    if said.met == Met::NoColon {
        let began = said.began.map_or(number, |began| began.line);
        let line = &lines[began.clamp(1, lines.len()) - 1];
        return located(lines, line, colon::without_colon(line));
    }
    if said.met == Met::FurtherLeft {
        return too_far_left(problem);
    }
    let open = lines[..number]
        .iter()
        .rev()
        .find_map(|line| Some((line, quote::open_quote(line)?)));
    if let Some((line, finding)) = open {
        return located(lines, line, finding);
    }
    let hint = match said.within {
        Within::FlowMap => "close it with `}`; a text with brackets or commas in it goes in quotes",
        Within::FlowList => {
            "close it with `]`; a text with brackets or commas in it goes in quotes"
        }
        Within::Directive => "a line can't begin with `%`",
        Within::Quoted | Within::BlockText | Within::Key | Within::Anchor | Within::Other => {
            UNFITTING
        }
    };
    // Said by the location already.
    let place = format!(" at line {} column {}", at.line, at.column);
    Problem {
        message: problem.message.replacen(&place, "", 1),
        ..problem
    }
    .hint(hint)
}

fn too_far_left(problem: Problem) -> Problem {
    let what = "it begins further left than the lines above, so it belongs to none of them";
    Problem {
        message: what.to_owned(),
        ..problem
    }
    .hint("begin all keys that belong together in the same column")
}
