//! Comments: where one begins on a line.

/// The bytes at which a comment would begin in a value: each `#` with a space or a tab before it.
pub(crate) fn comments(value: &str) -> impl Iterator<Item = usize> + '_ {
    value
        .match_indices('#')
        .map(|(at, _)| at)
        .filter(|at| value[..*at].ends_with([' ', '\t']))
}

/// The value on a line, without the comment behind it.
pub(crate) fn without_comment(value: &str) -> &str {
    let end = comments(value).next().unwrap_or(value.len());
    value[..end].trim_end()
}
