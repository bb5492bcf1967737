//! `FRAMEPACKD_SECTION_KEY` variables.

use std::{borrow::Cow, ffi::OsString};

use framepack_jobs::settings::TABLE;
use framepack_yaml::{Mistake, Node, Problem, ProblemKind, Problems, scalar, suggest};

use crate::{
    allocator,
    original::{self, Translated},
};

/// What the daemon's variables begin with.
const PREFIX: &str = "FRAMEPACKD_";
/// The variable that framepackctl reads, too, and the key that it stands for.
const SHORT_SOCKET: (&str, &str) = ("FRAMEPACKD_SOCKET", "paths.socket");

/// How a variable's text is one value or several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    One,
    /// Separated by commas.
    List,
    /// Separated by colons, as in `PATH`.
    Paths,
}

/// The variables, and which of them are settings: those that were asked for.
#[derive(Debug)]
pub(crate) struct Environment<'s> {
    variables: &'s [(String, OsString)],
    settings: Vec<String>,
    problems: Problems,
    /// What those of the Python application mean.
    original: Translated,
}

/// A variable that sets a key.
#[derive(Debug)]
pub(crate) struct Variable<'s> {
    /// Its name; those of several where they set the key together.
    pub(crate) name: String,
    /// Whether it only says what is so anyway, and the file is stronger.
    pub(crate) yields: bool,
    text: Cow<'s, str>,
}

impl<'s> Environment<'s> {
    pub(crate) fn new(variables: &'s [(String, OsString)]) -> Self {
        let foreign = variables
            .iter()
            .filter(|(name, _)| !name.starts_with(PREFIX));
        let foreign =
            foreign.filter_map(|(name, value)| Some((name.clone(), value.to_str()?.to_owned())));
        Self {
            variables,
            settings: Vec::new(),
            problems: Problems::default(),
            original: original::settings(&foreign.collect::<Vec<_>>()),
        }
    }

    /// What there is to say of the variables of the Python application.
    pub(crate) fn notes(&self) -> Vec<String> {
        let notes = self.original.notes.iter();
        notes
            .map(|note| format!("{}: {}", note.name, note.text))
            .collect()
    }

    /// The variable that sets a key: the daemon's own, or else the Python application's. Where both do, they have to say
    /// the same.
    pub(crate) fn of_key(&mut self, key: &str) -> Option<Variable<'s>> {
        let own = self.own(key);
        let Some(meant) = self.original.settings.iter().find(|meant| meant.key == key) else {
            return own;
        };
        let original = Variable {
            name: meant.variable(),
            yields: meant.yields,
            text: Cow::Owned(meant.text.clone()),
        };
        let Some(own) = own else {
            return Some(original);
        };
        if !original.yields && !says_the_same(key, &own.text, &original.text) {
            let message = format!(
                "sets {key} to `{}`, and {} to `{}`",
                own.text, original.name, original.text
            );
            let problem = Problem::new(ProblemKind::OutOfRange, own.name.clone(), message);
            self.problems.push(problem.hint("set only one of them"));
        }
        Some(own)
    }

    /// An empty one counts as not set.
    fn own(&mut self, key: &str) -> Option<Variable<'s>> {
        let mut names = vec![format!("{PREFIX}{}", key.to_uppercase().replace('.', "_"))];
        if key == SHORT_SOCKET.1 {
            names.push(SHORT_SOCKET.0.to_owned());
        }
        self.settings.extend(names.iter().cloned());
        names.into_iter().find_map(|name| self.named(name))
    }

    fn named(&self, name: String) -> Option<Variable<'s>> {
        let is_named =
            |(variable, value): &&(String, OsString)| *variable == name && !value.is_empty();
        let (_, value) = self.variables.iter().find(is_named)?;
        let text = Cow::Borrowed(value.to_str()?);
        Some(Variable {
            name,
            yields: false,
            text,
        })
    }

    /// What `read` makes of a variable; `None` if it is wrong, which is noted.
    pub(crate) fn value<T>(
        &mut self,
        variable: &Variable<'s>,
        shape: Shape,
        read: impl Fn(&Node) -> Result<T, Mistake>,
    ) -> Option<T> {
        let Variable { name, text, .. } = variable;
        let value = match shape {
            Shape::One => read_one(text, read),
            // Nobody, as in the file.
            Shape::List if text == "[]" => read(&Node::List(Vec::new())),
            Shape::List => read(&list(text.split(',').map(|item| item.trim().to_owned()))),
            Shape::Paths => {
                let paths = std::env::split_paths(text.as_ref());
                read(&list(paths.map(|path| path.to_string_lossy().into_owned())))
            }
        };
        value
            .map_err(|mistake| self.note(name.clone(), mistake))
            .ok()
    }

    fn note(&mut self, name: String, mistake: Mistake) {
        self.problems.push(Problem::at(name, mistake));
    }

    /// Everything that is wrong. A variable that begins like a setting and is none is misspelt, or of another version.
    pub(crate) fn finish(mut self) -> Problems {
        self.problems
            .extend(std::mem::take(&mut self.original.problems));
        for (name, value) in self.variables {
            if !name.starts_with(PREFIX) {
                continue;
            }
            if self.settings.contains(name) {
                if value.to_str().is_none() {
                    let problem = Problem::new(ProblemKind::OutOfRange, name, "not UTF-8");
                    self.problems.push(problem);
                }
                continue;
            }
            let hint = match suggest(name, self.settings.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("unset it: variables that start with {PREFIX} are settings"),
            };
            let problem = Problem::new(ProblemKind::UnknownKey, name, "unknown variable");
            self.problems.push(problem.hint(hint));
        }
        self.problems
    }
}

/// Whether two texts are the same value of a key.
fn says_the_same(key: &str, one: &str, other: &str) -> bool {
    let row = TABLE.into_iter().find(|row| row.key == key);
    let value = |text| {
        let value = row?.read_text(text).ok()?;
        let (value, _) = allocator::spelled(row?, value).ok()?;
        Some(value)
    };
    one == other || value(one).is_some_and(|one| value(other) == Some(one))
}

fn list(items: impl Iterator<Item = String>) -> Node {
    Node::List(items.map(Node::Text).collect())
}

/// A variable is text, whatever the setting is: it is taken as text where that will do, and else as YAML would.
fn read_one<T>(text: &str, read: impl Fn(&Node) -> Result<T, Mistake>) -> Result<T, Mistake> {
    read(&Node::Text(text.to_owned())).or_else(|mistake| match scalar(text) {
        Node::Text(_) => Err(mistake),
        node => read(&node),
    })
}
