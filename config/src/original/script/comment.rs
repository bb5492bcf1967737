//! Start lines that are commented out, as most of the application's own are.

use super::{
    command::{Command, commands},
    program::{is_program, stem},
    shell::is_assignment,
};

/// The script with the command that is commented out on `line` as one that counts; `None` if none is there.
pub(crate) fn uncommented(text: &str, line: usize) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let at = line.checked_sub(1)?;
    let (first, bare) = blocks(&lines)
        .into_iter()
        .find(|(first, bare)| (*first..first + bare.len()).contains(&at))?;
    let mut lines = lines;
    lines[first..first + bare.len()].copy_from_slice(&bare);
    Some(lines.join("\n"))
}

/// The first lines, from 1, of the start lines that are commented out.
pub(crate) fn commented(text: &str) -> Vec<usize> {
    let lines: Vec<&str> = text.lines().collect();
    let blocks = blocks(&lines).into_iter();
    let start_lines = blocks.filter(|(_, bare)| is_start_line(&bare.join("\n")));
    start_lines.map(|(first, _)| first + 1).collect()
}

/// Commands in comments: the index of the first line, and the lines without their signs.
fn blocks<'t>(lines: &[&'t str]) -> Vec<(usize, Vec<&'t str>)> {
    let mut blocks: Vec<(usize, Vec<&str>)> = Vec::new();
    let mut goes_on = false;
    for (at, line) in lines.iter().enumerate() {
        let Some(bare) = bare(line) else {
            goes_on = false;
            continue;
        };
        match blocks.last_mut() {
            Some((_, block)) if goes_on => block.push(bare),
            _ => blocks.push((at, vec![bare])),
        }
        goes_on = bare.trim_end().ends_with('\\');
    }
    blocks
}

fn bare(line: &str) -> Option<&str> {
    let bare = line.trim_start().strip_prefix('#')?;
    Some(bare.trim_start_matches('#').trim_start())
}

/// Whether a comment is a command that starts the application, and no sentence that names it.
fn is_start_line(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    let begins = is_assignment(first) || stem(first).starts_with("python") || is_program(first);
    let is_application = |command: &Command| stem(&command.program).starts_with("demo_gradio");
    begins && commands(text).commands.iter().any(is_application)
}
