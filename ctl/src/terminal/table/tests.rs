//! Tables of several widths.

use super::*;
use crate::terminal::{Colour, Reader, symbol::Symbols};

const COLUMNS: [Column; 4] = [
    Column::number("ID"),
    Column::text("NAME").cut_to(8),
    Column::text("NOTE").rank(2),
    Column::text("VIDEO").cut_to(6).rank(1),
];

fn terminal(width: usize) -> Terminal {
    Terminal {
        reader: Reader::Person,
        width,
        colour: Colour::Off,
        symbols: Symbols::Unicode,
    }
}

fn shown(width: usize) -> String {
    let mut table = Table::new(COLUMNS);
    table.push(["7", "shot042-take-seven", "a note", "/out/shot042.mp4"].map(Cell::from));
    table.push(["12", "日本語", "", ""].map(Cell::from));
    table.lines(&terminal(width), Headings::Shown).join("\n")
}

#[test]
fn all_of_it_where_there_is_room() {
    let expected = "\
ID  NAME                NOTE    VIDEO
 7  shot042-take-seven  a note  /out/shot042.mp4
12  日本語";
    assert_eq!(shown(80), expected);
}

#[test]
fn least_important_columns_are_cut_then_left_out() {
    let cut = "\
ID  NAME                NOTE    VIDEO
 7  shot042-take-seven  a note  /out…mp4
12  日本語";
    assert_eq!(shown(40), cut);
    let narrower = "\
ID  NAME         NOTE    VIDEO
 7  shot0…seven  a note  /ou…p4
12  日本語";
    assert_eq!(shown(31), narrower);
    let narrow = "\
ID  NAME           VIDEO
 7  shot04…-seven  /ou…p4
12  日本語";
    assert_eq!(shown(25), narrow);
    assert_eq!(
        shown(20),
        "ID  NAME      VIDEO\n 7  shot…ven  /ou…p4\n12  日本語"
    );
    assert_eq!(shown(13), "ID  NAME\n 7  shot…even\n12  日本語");
}

#[test]
fn empty_columns_and_headings_are_left_out() {
    let mut table = Table::new(COLUMNS);
    table.push(["7", "cat", "", "cat.mp4"].map(Cell::from));
    let lines = table.lines(&terminal(80), Headings::Hidden);
    assert_eq!(lines, [" 7  cat   cat.mp4"]);
    let none = Table::new(COLUMNS);
    assert!(none.lines(&terminal(80), Headings::Shown).is_empty());
}

#[test]
fn labels_stand_beside_broken_lines() {
    let pairs = [("job", Cell::from("7")), ("prompt", "a cat yawns".into())];
    let lines = labelled(&pairs, &terminal(14));
    assert_eq!(lines, ["job     7", "prompt  a cat", "        yawns"]);
}

#[test]
fn what_is_wrapped_goes_on_below_and_loses_nothing() {
    let mut table = Table::new([
        Column::number("ID"),
        Column::text("PATH").wrapped_to(6),
        Column::text("WHY").wrapped_to(12).rank(1),
    ]);
    table.push(["7", "/a/long.mp4", "it is not there any more"].map(Cell::from));
    table.push(["12", "", "/a/long/path.mp4"].map(Cell::from));
    let lines = table.lines(&terminal(24), Headings::Shown);
    let expected = [
        "ID  PATH    WHY",
        " 7  /a/lon  it is not",
        "    g.mp4   there any",
        "            more",
        "12          /a/long/path.mp4",
    ];
    assert_eq!(lines, expected);
}
