//! Whole screens, as text.

mod keys;

use ratatui::{Terminal as Drawing, backend::TestBackend, style::Modifier};

use super::*;
use crate::{
    commands::top::{
        event::{Event, Remark, View},
        preview::Shown,
        update::{Effect, update},
    },
    farm::example,
    terminal::{
        Colour, Reader,
        picture::{Palette, Picture},
        symbol::Symbols,
    },
};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

fn top() -> Top {
    let view = View {
        farm: example::farm(),
        queue: example::queue(),
    };
    Top::new(
        view,
        Terminal {
            reader: Reader::Person,
            width: 80,
            colour: Colour::On,
            symbols: Symbols::Unicode,
        },
    )
}

fn drawn(top: &Top, (width, height): (u16, u16)) -> Drawing<TestBackend> {
    let mut drawing = Drawing::new(TestBackend::new(width, height)).unwrap();
    drawing
        .draw(|frame| draw(top, example::now(), frame))
        .unwrap();
    drawing
}

/// The screen's lines, without spaces at their ends.
fn screen(top: &Top, size: (u16, u16)) -> String {
    let drawing = drawn(top, size);
    let buffer = drawing.backend().buffer();
    let cells: Vec<_> = buffer
        .content
        .iter()
        .map(ratatui::buffer::Cell::symbol)
        .collect();
    let lines = cells.chunks(usize::from(size.0));
    let lines: Vec<String> = lines
        .map(|line| line.concat().trim_end().to_owned())
        .collect();
    lines.join("\n") + "\n"
}

#[track_caller]
fn assert_screen(found: &str, expected: &str) {
    assert!(found == expected, "the screen is now:\n{found}");
}

/// Presses keys, and returns what is to be done for the last one.
fn press(top: &mut Top, keys: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    for key in keys.chars() {
        let code = if key == '\u{1b}' {
            KeyCode::Esc
        } else {
            KeyCode::Char(key)
        };
        let key = KeyEvent::new(code, KeyModifiers::NONE);
        effects = update(top, Event::Key(key), example::now());
    }
    effects
}

#[test]
fn a_terminal_of_80_by_24() {
    assert_screen(&screen(&top(), (80, 24)), include_str!("screens/80x24.txt"));
}

#[test]
fn a_terminal_of_132_by_43() {
    assert_screen(
        &screen(&top(), (132, 43)),
        include_str!("screens/132x43.txt"),
    );
}

#[test]
fn no_size_is_too_small() {
    for size in [(1, 1), (20, 3), (40, 8), (80, 1), (3, 60)] {
        let mut top = top();
        for keys in ["", "j", "?", "\u{1b}l", "\u{1b}c"] {
            press(&mut top, keys);
            drawn(&top, size);
        }
    }
}

#[test]
fn help_fits_80_by_24_and_any_key_leaves_it() {
    let mut top = top();
    press(&mut top, "?");
    assert_screen(&screen(&top, (80, 24)), include_str!("screens/help.txt"));
    press(&mut top, "j");
    assert!(screen(&top, (80, 24)).contains("Queue (2)"));
}

#[test]
fn without_a_daemon_it_says_so_and_shows_what_was() {
    let mut top = top();
    let lost = |top: &mut Top| update(top, Event::Lost("no such file".to_owned()), example::now());
    lost(&mut top);
    let shown = screen(&top, (80, 24));
    assert!(shown.contains("✖ no answer for 0.0 s, trying"), "{shown}");
    assert!(shown.contains("317  shot042/s7"), "{shown}");
    assert_eq!(press(&mut top, "p"), []);
    assert!(screen(&top, (80, 24)).contains("framepackd does not answer"));
    let view = top.view.clone();
    update(&mut top, Event::View(Box::new(view)), example::now());
    assert!(!screen(&top, (80, 24)).contains("no answer"));
}

#[test]
fn the_selected_line_is_reversed_whatever_the_colours() {
    for colour in [Colour::On, Colour::Off] {
        let mut top = top();
        top.terminal.colour = colour;
        press(&mut top, "j");
        let drawing = drawn(&top, (80, 24));
        let buffer = drawing.backend().buffer();
        let reversed: Vec<u16> = (0..24)
            .filter(|y| buffer[(40, *y)].modifier.contains(Modifier::REVERSED))
            .collect();
        let shown = screen(&top, (80, 24));
        let line = shown
            .lines()
            .position(|line| line.contains("318  shot042/s8"));
        assert_eq!(reversed, [line.unwrap() as u16], "{shown}");
        let is_coloured = buffer
            .content
            .iter()
            .any(|cell| cell.fg != ratatui::style::Color::Reset);
        assert_eq!(is_coloured, colour == Colour::On);
    }
}

#[test]
fn the_selection_stays_with_its_job_and_then_at_its_place() {
    let mut top = top();
    press(&mut top, "j");
    assert_eq!(top.selected, Some(framepack_jobs::JobId(318)));
    let mut view = top.view.clone();
    view.queue.jobs.swap(1, 2);
    update(
        &mut top,
        Event::View(Box::new(view.clone())),
        example::now(),
    );
    assert_eq!(top.selected, Some(framepack_jobs::JobId(318)));
    view.queue.jobs.pop();
    update(&mut top, Event::View(Box::new(view)), example::now());
    assert_eq!(top.selected, Some(framepack_jobs::JobId(319)));
}

#[test]
fn what_failed_is_in_a_line_and_shown_whole_by_a_key() {
    let mut top = top();
    let mut other = top.view.farm.failures[0].clone();
    other.id = framepack_jobs::JobId(299);
    other.message = "the device is out of memory, although ".repeat(3);
    top.view.farm.failures.push(other);
    let shown = screen(&top, (80, 24));
    let line = "✖ 2 failed in the last 24 h (f shows why): 314, 299\n";
    assert!(shown.contains(line), "{shown}");
    press(&mut top, "f");
    let shown = screen(&top, (80, 24));
    let first = "✖ 314 shot041/s2, 25 min ago: latents hold NaN in section 2 [FP5004]\n";
    assert!(shown.contains(first), "{shown}");
    let words: Vec<&str> = shown.split_whitespace().collect();
    let whole = "although the device is out of memory, although [FP5004]";
    assert!(words.join(" ").contains(whole), "{shown}");
    press(&mut top, "\u{1b}");
    assert!(screen(&top, (80, 24)).contains("Queue (2)"));
    top.view.farm.failures.clear();
    assert!(!screen(&top, (80, 24)).contains("failed in"));
    press(&mut top, "f");
    assert!(screen(&top, (80, 24)).contains("Failed in the last 24 h\n  nothing"));
}

#[test]
fn a_header_has_whole_facts() {
    let mut top = top();
    top.view.farm.uptime_secs = 12.0 * 86_400.0 + 7200.0;
    top.view.farm.queued = 1250;
    let shown = screen(&top, (76, 24));
    let header = "● framepackd 0.1.0  1 running, 1250 waiting, all done in 5 to 8 h\n";
    assert!(shown.starts_with(header), "{shown}");
    let shown = screen(&top, (40, 24));
    assert!(
        shown.starts_with("● framepackd  1 running, 1250 waiting\n"),
        "{shown}"
    );
}

#[test]
fn a_long_queue_shows_the_selected_job() {
    let mut top = top();
    let mut view = top.view.clone();
    let waiting = view.queue.jobs[1].clone();
    view.queue.jobs.extend((400..500).map(|id| {
        let id = framepack_jobs::JobId(id);
        framepack_ipc::queue::QueueEntry {
            id,
            ..waiting.clone()
        }
    }));
    update(&mut top, Event::View(Box::new(view)), example::now());
    for (keys, first, last) in [("g", "318", "409"), ("G", "488", "499")] {
        press(&mut top, keys);
        let shown = screen(&top, (80, 24));
        let lines: Vec<&str> = shown.lines().collect();
        assert!(
            lines[11].contains(first) && lines[22].contains(last),
            "{shown}"
        );
    }
}

#[test]
fn a_log_shows_its_end_until_it_is_scrolled() {
    let mut top = top();
    assert!(matches!(press(&mut top, "l")[..], [Effect::Follow(_)]));
    let job = framepack_jobs::JobId(317);
    let lines = |range: std::ops::Range<u32>| range.map(|n| format!("line {n}.")).collect();
    update(&mut top, Event::Log(job, lines(0..50)), example::now());
    let shown = screen(&top, (80, 24));
    assert!(shown.contains("Log of job 317 shot042/s7"), "{shown}");
    assert!(shown.contains("line 49."), "{shown}");
    press(&mut top, "kk");
    update(&mut top, Event::Log(job, lines(50..60)), example::now());
    let shown = screen(&top, (80, 24));
    assert!(
        shown.contains("line 47.") && !shown.contains("line 48."),
        "{shown}"
    );
    press(&mut top, "G");
    assert!(screen(&top, (80, 24)).contains("line 59."));
    assert_eq!(press(&mut top, "\u{1b}"), [Effect::LeaveLog]);
}

#[test]
fn a_question_has_its_keys_whatever_the_jobs_name() {
    let mut top = top();
    let name = "a name that is far too long for a screen of eighty columns".to_owned();
    for entry in &mut top.view.queue.jobs {
        entry.name.clone_from(&name);
    }
    press(&mut top, "jc");
    let shown = screen(&top, (80, 24));
    let question = shown.lines().last().unwrap();
    assert!(
        question.contains("? y: yes, v: with a video of what it has, n: no"),
        "{shown}"
    );
}

#[test]
fn a_running_job_is_pictured_where_there_is_room_and_colour() {
    let mut top = top();
    top.palette = Palette::TrueColour;
    let job = framepack_jobs::JobId(317);
    let (of, white) = ("section 3/4 step 18/25".to_owned(), [255, 255, 255]);
    let picture = Picture {
        width: 60,
        height: 20,
        pixels: vec![white; 60 * 20],
    };
    update(
        &mut top,
        Event::Preview(Some(Shown { job, of, picture })),
        example::now(),
    );
    let shown = screen(&top, (132, 43));
    let line = shown
        .lines()
        .position(|line| line == "Job 317: section 3/4 step 18/25");
    let line = line.unwrap_or_else(|| panic!("{shown}")) as u16;
    let drawing = drawn(&top, (132, 43));
    let cell = &drawing.backend().buffer()[(59, line + 10)];
    let color = ratatui::style::Color::Rgb(255, 255, 255);
    assert_eq!((cell.symbol(), cell.fg, cell.bg), ("▀", color, color));
    let small = screen(&top, (80, 24));
    assert!(
        small.contains("Job 317:") && small.contains("319"),
        "{small}"
    );
    assert!(!screen(&top, (80, 20)).contains("Job 317:"));
    top.terminal.colour = Colour::Off;
    assert!(!screen(&top, (132, 43)).contains("Job 317:"));
}
