use super::*;

const WINDOW: Window = Window {
    columns: 40,
    rows: 10,
    cell_px: None,
};

fn picture(width: usize, rows: &[[u8; 3]]) -> Picture {
    Picture {
        width,
        height: rows.len(),
        pixels: rows.iter().flat_map(|row| vec![*row; width]).collect(),
    }
}

#[test]
fn kitty_gets_the_png_itself_in_pieces_and_the_cursor_stands_behind_it() {
    let base64 = "A".repeat(KITTY_CHUNK + 1);
    let encoded = Encoded {
        base64: &base64,
        size_px: (800, 200),
    };
    let Drawing { text, rows } = kitty(encoded, WINDOW);
    assert_eq!(rows, 5);
    let first = format!(
        "\x1b_Ga=T,f=100,i=1,p=1,q=2,C=1,c=40,r=5,m=1;{}\x1b\\",
        "A".repeat(KITTY_CHUNK)
    );
    assert_eq!(text, format!("{first}\x1b_Gm=0;A\x1b\\\n\n\n\n\n"));
}

#[test]
fn a_sixel_picture_is_drawn_six_rows_at_a_time_colour_by_colour() {
    let cell_px = Some((1, 1));
    let window = Window {
        columns: 500,
        rows: 500,
        cell_px,
    };
    let rows = [[[255; 3]; 3], [[0; 3]; 3], [[255; 3]; 3]].concat();
    let Drawing { text, rows } = sixel(&picture(SMALL_PX, &rows), window);
    assert_eq!(rows, 9);
    assert!(
        text.starts_with("\x1bP0;1q\"1;1;400;9#0;2;0;0;0#1;2;0;0;20"),
        "{text}"
    );
    assert!(text.contains("#251;2;100;100;100"), "{text}");
    // White above black, then white alone in the three rows that are left.
    let bands = "#0!400w$#251!400F$-#251!400F$-\x1b\\\n";
    assert!(text.ends_with(bands), "{text}");
}

#[test]
fn small_pictures_are_enlarged_and_none_leaves_the_window() {
    let (size, cells) = WINDOW.cells((120, 40));
    assert_eq!((size, cells), ((360, 120), (36, 6)));
    let (size, cells) = WINDOW.cells((1200, 400));
    assert_eq!((size, cells), ((400, 133), (40, 7)));
    let drawing = blocks(
        &picture(300, &[[1, 2, 3]; 100]),
        WINDOW,
        Palette::TrueColour,
    );
    assert_eq!(drawing.rows, 7);
    assert_eq!(drawing.text.lines().count(), 7);
}
