//! The terminal's colours by what a text means, as [`crate::terminal::style`] has them for lines that are printed.

use ratatui::style::{Color, Modifier, Style as Drawn};

use crate::terminal::{Colour, style::Style};

pub(super) fn of(style: Style, colour: Colour) -> Drawn {
    if colour == Colour::Off {
        return Drawn::new();
    }
    let coloured = |color| Drawn::new().fg(color);
    match style {
        Style::Plain => Drawn::new(),
        Style::Heading | Style::Strong => Drawn::new().add_modifier(Modifier::BOLD),
        Style::Dim => Drawn::new().add_modifier(Modifier::DIM),
        Style::Good => coloured(Color::Green),
        Style::Active => coloured(Color::Cyan).add_modifier(Modifier::BOLD),
        Style::Waiting => coloured(Color::Blue),
        Style::Held => coloured(Color::Magenta),
        Style::Bad => coloured(Color::Red).add_modifier(Modifier::BOLD),
        Style::Warning => coloured(Color::Yellow),
        Style::Hint => coloured(Color::Cyan),
    }
}
