//! What docs/ARCHITECTURE.md says of the engine's rooms, held against the sources: its table of rooms, of which each
//! imports from its own row and from rows further down only, and the paths in its other tables.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use crate::{Sources, circles::Graph};

const ROOMS: &str = "## Inside the engine";
const TABLES_OF_PATHS: [&str; 2] = ["## Glossary", "## Where to add"];

/// All that the table of rooms says wrong.
pub(crate) fn wrong_rooms(document: &str, sources: &Sources, library: &str) -> Vec<String> {
    let rows = rows_of_rooms(document);
    let mut row_of: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        for room in row {
            if let Some(first) = row_of.insert(room, number) {
                wrong.push(format!(
                    "{room} is in rows {} and {}",
                    first + 1,
                    number + 1
                ));
            }
        }
    }
    let there: BTreeSet<_> = sources.keys().map(|file| room(file)).collect();
    for room in &there {
        if !row_of.contains_key(room) {
            wrong.push(format!("{room} is in no row"));
        }
    }
    for room in row_of.keys().filter(|room| !there.contains(*room)) {
        wrong.push(format!("{room} is in the table and not in the sources"));
    }
    for ((from, to), place) in Graph::of(sources, library).of_rooms() {
        let (from, to) = (room(&from), room(&to));
        if let (Some(above), Some(below)) = (row_of.get(from), row_of.get(to))
            && below < above
        {
            let (above, below) = (above + 1, below + 1);
            wrong.push(format!(
                "{place}: {from} (row {above}) imports {to} (row {below})"
            ));
        }
    }
    wrong
}

/// The paths of files and folders in the last cells of the glossary and of what to touch that do not exist.
pub(crate) fn missing_paths(document: &str, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let cells = TABLES_OF_PATHS
        .iter()
        .flat_map(|heading| rows(document, heading))
        .filter_map(|row| row.last().copied());
    let is_path = |said: &&str| {
        let is_source = Path::new(said).extension().is_some_and(|end| end == "rs");
        said.contains('/') && (is_source || said.ends_with('/'))
    };
    let paths = cells.flat_map(quoted).filter(is_path);
    paths
        .filter(|path| !exists(path))
        .map(str::to_owned)
        .collect()
}

/// The rooms in each row; `pipeline.rs` and `pipeline/` are one.
fn rows_of_rooms(document: &str) -> Vec<BTreeSet<&str>> {
    let rows = rows(document, ROOMS);
    rows.iter()
        .map(|row| row.first().into_iter().flat_map(|cell| quoted(cell)))
        .map(|rooms| rooms.map(room).collect())
        .collect()
}

/// The cells of the table under a heading, without its own heading.
fn rows<'a>(document: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    let below = document.lines().skip_while(|line| *line != heading).skip(1);
    let table = below
        .take_while(|line| !line.starts_with("## "))
        .filter(|line| line.starts_with('|'));
    let cells = |line: &'a str| line.trim_matches('|').split('|').collect();
    table.skip(2).map(cells).collect()
}

/// What stands between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The folder or file in `src` itself that a path leads to.
fn room(path: &str) -> &str {
    let room = path.split('/').next().unwrap_or(path);
    room.trim_end_matches(".rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a table with these rows says wrong of a crate where a imports b, and b imports c.
    fn wrong(rows: &[&str]) -> Vec<String> {
        let sources = [
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "mod x; use crate::b::B;"),
            ("a/x.rs", ""),
            ("b/mod.rs", "use crate::c::C; pub struct B;"),
            ("c.rs", "pub struct C;"),
        ];
        let sources = sources.map(|(file, text)| (file.to_owned(), text.to_owned()));
        let rows = rows.join("\n");
        let table = format!(
            "## Glossary\n| `z/` |\n{ROOMS}\n\n|room|what|\n|---|---|\n{rows}\n## Z\n| `z/` |\n"
        );
        wrong_rooms(&table, &sources.into(), "tiny")
    }

    #[test]
    fn rooms_stand_in_one_row_each_and_import_downwards() {
        let (lib, a, b, c) = (
            "|`lib.rs`||",
            "|`a.rs`, `a/`| `b/` |",
            "|`b/`||",
            "|`c.rs`||",
        );
        assert_eq!(wrong(&[lib, a, b, c]), [""; 0]);
        assert_eq!(wrong(&[a, "|`b/`, `c.rs`||", lib]), [""; 0]);
        assert_eq!(wrong(&[lib, a, b]), ["c is in no row"]);
        assert_eq!(
            wrong(&[lib, a, b, c, b]),
            [
                "b is in rows 3 and 5",
                "b/mod.rs:1: crate::c::C: b (row 5) imports c (row 4)"
            ]
        );
        assert_eq!(
            wrong(&[lib, a, c, b]),
            ["b/mod.rs:1: crate::c::C: b (row 4) imports c (row 3)"]
        );
        let gone = wrong(&[lib, a, b, c, "|`d/`||"]);
        assert_eq!(gone, ["d is in the table and not in the sources"]);
    }

    #[test]
    fn paths_in_the_last_cells_of_the_tables_exist() {
        let document = "## Glossary\n|term|meaning|where|\n|---|---|---|\n\
            |t|`done/`|`a/b.rs`, `c/`|\n|u||`not/a path`, `x.rs`|\n\
            ## Between\n|a|b|\n|---|---|\n|t|`e/`|\n\
            ## Where to add\n|add|touch|\n|---|---|\n|t|a row in `d/e.rs`|\n";
        assert_eq!(
            missing_paths(document, |_| false),
            ["a/b.rs", "c/", "d/e.rs"]
        );
        assert_eq!(missing_paths(document, |path| path != "c/"), ["c/"]);
    }
}
