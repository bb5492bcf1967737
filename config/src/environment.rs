//! `FRAMEPACKD_SECTION_KEY` variables.

use std::ffi::OsString;

use framepack_yaml::{Mistake, Node, Problem, ProblemKind, Problems, scalar, suggest};

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
}

/// A variable that sets a key.
#[derive(Debug)]
pub(crate) struct Variable<'s> {
    pub(crate) name: String,
    text: &'s str,
}

impl<'s> Environment<'s> {
    pub(crate) fn new(variables: &'s [(String, OsString)]) -> Self {
        Self {
            variables,
            settings: Vec::new(),
            problems: Problems::default(),
        }
    }

    /// The variable that sets a key. An empty one counts as not set.
    pub(crate) fn of_key(&mut self, key: &str) -> Option<Variable<'s>> {
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
        let text = value.to_str()?;
        Some(Variable { name, text })
    }

    /// What `read` makes of a variable; `None` if it is wrong, which is noted.
    pub(crate) fn value<T>(
        &mut self,
        variable: &Variable<'s>,
        shape: Shape,
        read: impl Fn(&Node) -> Result<T, Mistake>,
    ) -> Option<T> {
        let Variable { name, text } = variable;
        let value = match shape {
            Shape::One => read_one(text, read),
            // Nobody, as in the file.
            Shape::List if *text == "[]" => read(&Node::List(Vec::new())),
            Shape::List => read(&list(text.split(',').map(|item| item.trim().to_owned()))),
            Shape::Paths => {
                let paths = std::env::split_paths(text);
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
