//! Text of many words in lines of a given width.

use super::cut::{columns, escaped};

/// The text's lines, broken between words where they would be wider than `most`. A longer word stays whole, so that a
/// path can be copied.
pub(crate) fn wrapped(text: &str, most: usize) -> Vec<String> {
    text.lines().flat_map(|line| broken(line, most)).collect()
}

fn broken(line: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in line.split(' ').map(escaped) {
        match lines.last_mut() {
            Some(last) if columns(last) + 1 + columns(&word) <= most => {
                last.push(' ');
                *last += &word;
            }
            _ => lines.push(word),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(
            wrapped("a cat yawns\nat dawn", 7),
            ["a cat", "yawns", "at dawn"]
        );
        assert_eq!(wrapped("in /a/long.mp4 x", 7), ["in", "/a/long.mp4", "x"]);
        assert_eq!(wrapped("", 7), [] as [&str; 0]);
        assert_eq!(wrapped("日本 語", 4), ["日本", "語"]);
    }
}
