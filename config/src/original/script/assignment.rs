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
    /// Values of earlier assignments of the name, which do not count, and where they are.
    pub(crate) overruled: Vec<(String, Location)>,
}

pub(super) fn assignment(word: Word) -> Assignment {
    // An assignment has one; another word would be a name without a value.
    let (name, value) = word.text.split_once('=').unwrap_or((&word.text, ""));
    Assignment {
        name: name.to_owned(),
        value: value.to_owned(),
        at: word.at,
        expansion: word.expansion,
        overruled: Vec::new(),
    }
}

/// The last one counts, in the place of the first.
pub(super) fn set(assignments: &mut Vec<Assignment>, mut assignment: Assignment) {
    match assignments
        .iter_mut()
        .find(|one| one.name == assignment.name)
    {
        Some(one) => {
            let mut overruled = std::mem::take(&mut one.overruled);
            overruled.push((std::mem::take(&mut one.value), one.at));
            overruled.append(&mut assignment.overruled);
            assignment.overruled = overruled;
            *one = assignment;
        }
        None => assignments.push(assignment),
    }
}
