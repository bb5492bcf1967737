//! Whether the text of a job file looks whole.

use framepack_yaml as yaml;

/// Why a text looks as if it were still being written: empty, cut off or invalid. `None`: it is valid and ended, by a
/// newline, a line `...` or a comment `# end`.
pub(crate) fn unfinished(text: &str) -> Option<String> {
    let last = text.lines().next_back().unwrap_or_default().trim_end();
    if let Err(problem) = yaml::parse(text) {
        return Some(format!("it is not valid YAML: {problem}"));
    }
    let is_ended = text.ends_with('\n') || last == "..." || last.ends_with("# end");
    (!is_ended).then(|| "it does not end in a newline".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_03_the_end_of_a_file_is_a_newline_dots_or_a_comment() {
        for text in ["a: 1\n", "a: 1\n...", "a: 1\n# end"] {
            assert_eq!(unfinished(text), None, "{text:?}");
        }
        for text in ["", "a: 1", "a: 'end", "a: \"...\n"] {
            assert_ne!(unfinished(text), None, "{text:?}");
        }
    }
}
