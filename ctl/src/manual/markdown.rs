//! A document of this project as roff: headings, paragraphs, lists, tables, code. Nothing else is in them.

use clap_mangen::roff::{Inline, Roff, bold, roman};

use super::inline::inlines;

/// Writes the document behind what is there already. Its title is left out.
pub(super) fn write(text: &str, page: &mut Roff) {
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let next = lines.peek().copied().unwrap_or_default();
        if line.trim().is_empty() || line.starts_with("<!--") || line.starts_with("# ") {
        } else if line.starts_with("```") {
            code(
                lines.by_ref().take_while(|line| !line.starts_with("```")),
                page,
            );
        } else if let Some(heading) = line.strip_prefix("## ") {
            page.control("SH", [heading.to_uppercase().as_str()]);
        } else if let Some(heading) = line.strip_prefix("### ") {
            page.control("SS", [heading]);
        } else if is_row(line) && next.starts_with("|-") {
            let header = cells(line);
            lines.next();
            while let Some(row) = lines.next_if(|line| is_row(line)) {
                add_row(&header, &cells(row), page);
            }
        } else {
            let (mark, first) = item(line);
            let mut paragraph = first.to_owned();
            while let Some(more) = lines.next_if(|line| goes_on(line)) {
                paragraph.push(' ');
                paragraph.push_str(more.trim());
            }
            match mark {
                Some(mark) => page.control("IP", [mark, "4"]),
                None => page.control("PP", []),
            };
            page.text(inlines(&paragraph));
        }
    }
}

/// Lines as they are.
pub(super) fn code<'a>(lines: impl Iterator<Item = &'a str>, page: &mut Roff) {
    page.control("PP", []);
    page.control("RS", ["4"]);
    page.control("EX", []);
    for line in lines {
        // An empty line of roff is not one of the text.
        let line = if line.is_empty() { " " } else { line };
        page.text([roman(line)]);
    }
    page.control("EE", []);
    page.control("RE", []);
}

/// The mark of a list's item, and the text behind it.
fn item(line: &str) -> (Option<&str>, &str) {
    if let Some(text) = line.strip_prefix("- ") {
        return (Some("-"), text);
    }
    match line.split_once(". ") {
        Some((number, text)) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
            (Some(number), text)
        }
        _ => (None, line),
    }
}

/// Whether a line belongs to the paragraph before it.
fn goes_on(line: &str) -> bool {
    let begins = ["#", "```", "|", "<!--"]
        .iter()
        .any(|mark| line.starts_with(mark));
    !line.trim().is_empty() && !begins && item(line).0.is_none()
}

fn is_row(line: &str) -> bool {
    line.starts_with('|')
}

/// The cells of a row; `\|` is no border.
fn cells(row: &str) -> Vec<String> {
    let row = row.trim().trim_start_matches('|').trim_end_matches('|');
    let mut cells = vec![String::new()];
    let mut before = ' ';
    for letter in row.chars() {
        match letter {
            '|' if before != '\\' => cells.push(String::new()),
            letter => cells.last_mut().expect("there is always one").push(letter),
        }
        before = letter;
    }
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}

/// The first cell, and below it each other one behind the head of its column.
fn add_row(header: &[String], row: &[String], page: &mut Roff) {
    let Some((first, others)) = row.split_first() else {
        return;
    };
    let filled = others.iter().filter(|cell| !cell.is_empty()).count();
    if filled == 1 && first.starts_with("**") && others.iter().any(|cell| cell.starts_with("**")) {
        let title = format!("{first} {}", others.join(" ")).replace('*', "");
        page.control(
            "SS",
            [title
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .as_str()],
        );
        return;
    }
    page.control("TP", []);
    page.text([bold(first.replace('`', ""))]);
    let mut text: Vec<Inline> = Vec::new();
    for (name, cell) in header.iter().skip(1).zip(others) {
        if cell.is_empty() {
            continue;
        }
        if !text.is_empty() {
            text.push(Inline::LineBreak);
        }
        if !name.is_empty() {
            text.push(roman(format!("{name}: ")));
        }
        text.extend(inlines(cell));
    }
    page.text(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut page = Roff::new();
        write(text, &mut page);
        page.to_roff()
    }

    #[test]
    fn a_row_is_an_entry_with_the_heads_of_its_columns() {
        let table = "| key | range | meaning |\n|---|---|---|\n| `a` | 1 \\| 2 | it is `b` |\n";
        assert_eq!(
            written(table),
            ".TP\n\\fBa\\fR\nrange: 1 | 2\n.br\nmeaning: it is \\fBb\\fR\n"
        );
        let title = "| code | class | meaning |\n|---|---|---|\n| **1xxx** | | **the socket** |\n";
        assert_eq!(written(title), ".SS \"1xxx the socket\"\n");
    }

    #[test]
    fn paragraphs_lists_and_code() {
        let text = "# Title\n\nOne\ntwo.\n- a\n  b\n- c\n\n```yaml\nd: 1\n\n.e\n```\n## Part\n";
        assert_eq!(
            written(text),
            ".PP\nOne two.\n.IP - 4\na b\n.IP - 4\nc\n.PP\n.RS 4\n.EX\nd: 1\n \n\\&.e\n.EE\n.RE\n.SH PART\n"
        );
    }
}
