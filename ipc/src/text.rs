//! What programs write for people in the same way: tables, durations, and paths in commands that are advised.

use std::path::Path;

use framepack_jobs::on_one_line;
use unicode_width::UnicodeWidthStr;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Lines of cells under a header, each column as wide as its widest cell.
pub fn table<const COLUMNS: usize>(header: [&str; COLUMNS], rows: &[[String; COLUMNS]]) -> String {
    let header = header.map(str::to_owned);
    let lines: Vec<[String; COLUMNS]> = std::iter::once(&header)
        .chain(rows)
        .map(|row| row.each_ref().map(|cell| one_line(cell)))
        .collect();
    let width = |column: usize| lines.iter().map(|line| line[column].width()).max();
    let widths: [usize; COLUMNS] = std::array::from_fn(|column| width(column).unwrap_or(0));
    let mut text = String::new();
    for line in &lines {
        let cells = line.iter().zip(widths);
        let padded =
            cells.map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.width())));
        text += padded.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}

/// A cell must break neither its line nor its column, and a terminal obeys nothing in it.
pub fn one_line(cell: &str) -> String {
    on_one_line(&cell.replace(['\t', '\n', '\r'], " "))
}

/// A text for people whose lines and tabs stay: what a terminal would obey, or what is not seen, is shown by its number.
pub fn harmless(text: &str) -> String {
    let parts = text.split_inclusive(['\n', '\t']);
    let shown = parts.map(|part| {
        let kept = part.trim_end_matches(['\n', '\t']);
        on_one_line(kept) + &part[kept.len()..]
    });
    shown.collect()
}

/// A duration in its two largest units: `0.4 s`, `38 s`, `4 min 10 s`, `2 h 5 min`, `1 d 4 h`.
pub fn span(secs: f64) -> String {
    let secs = secs.max(0.0);
    if secs < 9.95 {
        return format!("{secs:.1} s");
    }
    let secs = secs.round() as u64;
    let (large, small) = match secs {
        ..MINUTE => return format!("{secs} s"),
        MINUTE..HOUR => ((MINUTE, "min"), (1, "s")),
        HOUR..DAY => ((HOUR, "h"), (MINUTE, "min")),
        DAY.. => ((DAY, "d"), (HOUR, "h")),
    };
    let whole = format!("{} {}", secs / large.0, large.1);
    match secs % large.0 / small.0 {
        0 => whole,
        rest => format!("{whole} {rest} {}", small.1),
    }
}

/// A path as a shell takes it, in quotes where it needs them.
pub fn shell_quoted(path: &Path) -> String {
    let path = path.display().to_string();
    // Only a zero byte can't be quoted, and no path has one.
    shlex::try_quote(&path).map_or_else(|_| path.clone(), Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [
            ["1", "größer", "done"],
            ["12", "a\tb", ""],
            // Letters that take two columns, and marks that take none.
            ["13", "猫が", "done"],
            ["14", "กี่", "done"],
        ];
        let expected = "\
ID  NAME    STATE
1   größer  done
12  a b
13  猫が    done
14  กี่       done
";
        let rows = rows.map(|row| row.map(str::to_owned));
        assert_eq!(table(["ID", "NAME", "STATE"], &rows), expected);
    }

    #[test]
    fn a_terminal_finds_nothing_to_obey() {
        let text = "a\tb\u{1b}[2J\n\n\u{9b}c\u{202e}d\r\u{200f}e\u{2066}\n";
        assert_eq!(
            harmless(text),
            "a\tb\\u{1b}[2J\n\n\\u{9b}c\\u{202e}d\\r\\u{200f}e\\u{2066}\n"
        );
        assert_eq!(one_line("a\tb\nc\u{202e}"), "a b c\\u{202e}");
    }

    #[test]
    fn path_comes_back_from_a_shell_as_it_was() {
        for path in [
            "/models",
            "/my models/it's",
            "~/x",
            "/a$HOME`id`\"",
            "-x",
            "/größer",
        ] {
            let quoted = shell_quoted(Path::new(path));
            let words = shlex::split(&quoted).unwrap();
            assert_eq!(words, [path], "{quoted}");
        }
        assert_eq!(
            shell_quoted(Path::new("/srv/my-models_2")),
            "/srv/my-models_2"
        );
    }

    #[test]
    fn durations_have_their_two_largest_units() {
        for (secs, expected) in [
            (-1.0, "0.0 s"),
            (0.44, "0.4 s"),
            (9.94, "9.9 s"),
            (9.96, "10 s"),
            (59.4, "59 s"),
            (59.6, "1 min"),
            (250.0, "4 min 10 s"),
            (1500.0, "25 min"),
            (7500.0, "2 h 5 min"),
            (86_400.0 * 3.0 + 4.5 * 3600.0, "3 d 4 h"),
        ] {
            assert_eq!(span(secs), expected);
        }
    }
}
