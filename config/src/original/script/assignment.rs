//! Assignments of variables.

use framepack_yaml::Location;

use super::lex::Word;

/// `NAME=value`, as it reaches a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assignment {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) at: Location,
    /// What a shell would have replaced in the value.
    pub(crate) expansion: Option<String>,
}

pub(super) fn assignment(word: Word) -> Assignment {
    // An assignment has one; another word would be a name without a value.
    let (name, value) = word.text.split_once('=').unwrap_or((&word.text, ""));
    Assignment {
        name: name.to_owned(),
        value: value.to_owned(),
        at: word.at,
        expansion: word.expansion,
    }
}

/// The last one counts, in the place of the first.
pub(super) fn set(assignments: &mut Vec<Assignment>, assignment: Assignment) {
    match assignments
        .iter_mut()
        .find(|one| one.name == assignment.name)
    {
        Some(one) => *one = assignment,
        None => assignments.push(assignment),
    }
}
