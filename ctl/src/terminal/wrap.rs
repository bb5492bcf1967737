//! Text of many words in lines of a given width.

use super::cut::{beginning, columns, escaped};

/// The text's lines, broken between words where they would be wider than `most`; a longer word is broken anywhere.
pub(crate) fn wrapped(text: &str, most: usize) -> Vec<String> {
    let most = most.max(2);
    text.lines().flat_map(|line| broken(line, most)).collect()
}

fn broken(line: &str, most: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut current = String::new();
    for word in line.split(' ').map(escaped) {
        let needed = columns(&current) + usize::from(!current.is_empty()) + columns(&word);
        if needed <= most {
            if !current.is_empty() {
                current.push(' ');
            }
            current += &word;
            continue;
        }
        if !current.is_empty() {
            lines.push(std::mem::take(&mut current));
        }
        let mut rest = word.as_str();
        while columns(rest) > most {
            let part = beginning(rest, most);
            lines.push(part.to_owned());
            rest = &rest[part.len()..];
        }
        rest.clone_into(&mut current);
    }
    lines.push(current);
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
        assert_eq!(
            wrapped("/a/long/path.mp4 x", 7),
            ["/a/long", "/path.m", "p4 x"]
        );
        assert_eq!(wrapped("", 7), [] as [&str; 0]);
        assert_eq!(wrapped("日本語", 2), ["日", "本", "語"]);
    }
}
