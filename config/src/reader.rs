//! Reads settings one by one, each from the strongest source that has it: the environment, then the file.
//!
//! A key is asked for once, with its default and how it is read. What was asked for is what is known: other keys of the
//! file and other `FRAMEPACKD_` variables are mistakes.

use std::path::{Path, PathBuf};

use framepack_jobs::{
    Row, Value,
    settings::{Origin, Scope, Setting, TABLE},
};
use framepack_yaml::{Document, Mistake, Node, Problem, ProblemKind, Problems, scalar, suggest};
use serde::Serialize;

use crate::Load;

/// What the daemon's variables begin with.
const PREFIX: &str = "FRAMEPACKD_";
/// The variable that framepackctl reads, too, and the key that it stands for.
const SHORT_SOCKET: (&str, &str) = ("FRAMEPACKD_SOCKET", "paths.socket");

/// A key, and what it was called before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    name: &'static str,
    formerly: Option<&'static str>,
}

impl From<&'static str> for Key {
    fn from(name: &'static str) -> Self {
        Self {
            name,
            formerly: None,
        }
    }
}

impl Key {
    /// The same key, which is also read by its old name.
    pub(crate) fn formerly(name: &'static str, old: &'static str) -> Self {
        Self {
            name,
            formerly: Some(old),
        }
    }
}

/// How a variable's text is one value or several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    One,
    /// Separated by commas.
    List,
    /// Separated by colons, as in `PATH`.
    Paths,
}

/// Sources that are being read.
pub(crate) struct Reader<'s> {
    load: &'s Load<'s>,
    file: Document<'s>,
    /// Variables that were asked for.
    variables: Vec<String>,
    /// Mistakes in variables, and keys that nobody set.
    problems: Problems,
    settings: Vec<Setting>,
    notices: Vec<String>,
}

/// Everything that a reader has to say in the end.
pub(crate) struct Read {
    pub(crate) settings: Vec<Setting>,
    pub(crate) notices: Vec<String>,
}

impl<'s> Reader<'s> {
    pub(crate) fn new(root: &'s Node, load: &'s Load<'s>) -> Self {
        Self {
            load,
            file: Document::new(root),
            variables: Vec::new(),
            problems: Problems::default(),
            settings: Vec::new(),
            notices: Vec::new(),
        }
    }

    /// A value, or its default.
    pub(crate) fn value<T: Serialize>(
        &mut self,
        key: impl Into<Key>,
        default: T,
        read: impl Fn(&Node) -> Result<T, Mistake>,
    ) -> T {
        let key = key.into();
        let (value, origin) = self
            .find(key, Shape::One, read)
            .unwrap_or((default, Origin::Default));
        self.record(key, &value, origin);
        value
    }

    /// A setting of the table, if somebody has set it.
    pub(crate) fn row(&mut self, row: &'static Row) -> Option<Value> {
        let found = self.find(row.key.into(), Shape::One, |node| row.read(node));
        let (set, origin) = match found {
            Some((value, origin)) => (Some(value), origin),
            None => (None, Origin::Default),
        };
        let shown = set.clone().or_else(|| row.default_value());
        self.record(row.key.into(), &shown, origin);
        set
    }

    /// A list, or its default. In a variable, its items are separated by commas.
    pub(crate) fn list<T: Serialize>(
        &mut self,
        key: &'static str,
        default: T,
        read: impl Fn(&Node) -> Result<T, Mistake>,
    ) -> T {
        let found = self.find(key.into(), Shape::List, read);
        let (value, origin) = found.unwrap_or((default, Origin::Default));
        self.record(key.into(), &value, origin);
        value
    }

    /// A path that need not be set, absolute.
    pub(crate) fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        self.path_that(key, |path| Ok(path.to_owned()))
    }

    /// The same for paths that `check` accepts.
    pub(crate) fn path_that(
        &mut self,
        key: &'static str,
        check: impl Fn(&Path) -> Result<PathBuf, Mistake>,
    ) -> Option<PathBuf> {
        let read = |node: &Node| check(Path::new(node.text()?));
        let found = self.find(key.into(), Shape::One, read);
        let found = found.map(|(path, origin)| (self.folder(&origin).join(path), origin));
        self.record_optional(key, found)
    }

    /// A path that must be set; empty where it is not.
    pub(crate) fn required_path(&mut self, key: &'static str) -> PathBuf {
        let is_given = self.is_given(key);
        let path = self.path(key);
        if path.is_none() && !is_given {
            let problem = Problem::new(ProblemKind::MissingKey, key, "required, but not set");
            self.problems.push(problem);
        }
        path.unwrap_or_default()
    }

    /// Paths, absolute, or their default.
    pub(crate) fn paths(&mut self, key: &'static str, default: Vec<PathBuf>) -> Vec<PathBuf> {
        let read = |node: &Node| {
            let paths = node.texts()?;
            Ok(paths.into_iter().map(PathBuf::from).collect::<Vec<_>>())
        };
        let (paths, origin) = match self.find(key.into(), Shape::Paths, read) {
            Some((paths, origin)) => {
                let folder = self.folder(&origin);
                let paths = paths.iter().map(|path| folder.join(path)).collect();
                (paths, origin)
            }
            None => (default, Origin::Default),
        };
        self.record(key.into(), &paths, origin);
        paths
    }

    /// Notes a mistake of the whole: of a value that does not go with another one.
    pub(crate) fn note(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// What was read, or everything that is wrong.
    pub(crate) fn finish(mut self, text: &str) -> Result<Read, Problems> {
        self.look_for_unknown_variables();
        let mut problems = match self.file.finish().or(()) {
            Ok(()) => Problems::default(),
            Err(problems) => problems.map(explain).located_in(text),
        };
        problems.extend(self.problems);
        problems.or(Read {
            settings: self.settings,
            notices: self.notices,
        })
    }

    /// What `read` makes of the strongest source's value, and which source that is. A mistake is noted, and counts as
    /// not set.
    fn find<T>(
        &mut self,
        key: Key,
        shape: Shape,
        read: impl Fn(&Node) -> Result<T, Mistake>,
    ) -> Option<(T, Origin)> {
        let names = [Some(key.name), key.formerly];
        let mut found = None;
        for name in names.into_iter().flatten() {
            let variable = self.variable(name);
            if let (None, Some((variable, text))) = (&found, variable) {
                found = Some(self.in_variable(variable, &text, shape, &read));
                self.notice(key, name);
            }
        }
        for name in names.into_iter().flatten() {
            let node = self.file.get(name);
            if let (None, Some(node)) = (&found, node) {
                let value = read(node).map_err(|mistake| self.file.note(name, mistake));
                found = Some(value.ok().map(|value| {
                    (
                        value,
                        Origin::File {
                            key: name.to_owned(),
                        },
                    )
                }));
                self.notice(key, name);
            }
        }
        found.flatten()
    }

    fn notice(&mut self, key: Key, name: &'static str) {
        if key.formerly == Some(name) {
            let new = key.name;
            self.notices.push(format!(
                "{name} is now called {new}; the old name still works"
            ));
        }
    }

    /// The variable that sets a key, and its text. An empty one counts as not set.
    fn variable(&mut self, key: &str) -> Option<(String, String)> {
        let mut names = vec![variable(key)];
        if key == SHORT_SOCKET.1 {
            names.push(SHORT_SOCKET.0.to_owned());
        }
        let mut found = None;
        for name in names {
            let of_name =
                |(variable, text): &&(String, String)| *variable == name && !text.is_empty();
            let given = self.load.environment.iter().find(of_name);
            found = found.or_else(|| given.cloned());
            self.variables.push(name);
        }
        found
    }

    fn in_variable<T>(
        &mut self,
        name: String,
        text: &str,
        shape: Shape,
        read: impl Fn(&Node) -> Result<T, Mistake>,
    ) -> Option<(T, Origin)> {
        let texts = |parts: Vec<String>| Node::List(parts.into_iter().map(Node::Text).collect());
        let value = match shape {
            Shape::One => read_text(text, read),
            Shape::List => read(&texts(
                text.split(',').map(|part| part.trim().to_owned()).collect(),
            )),
            Shape::Paths => {
                let paths = std::env::split_paths(text);
                read(&texts(
                    paths
                        .map(|path| path.to_string_lossy().into_owned())
                        .collect(),
                ))
            }
        };
        match value {
            Ok(value) => Some((value, Origin::Environment { variable: name })),
            Err(mistake) => {
                self.problems.push(Problem::at(name, mistake));
                None
            }
        }
    }

    fn is_given(&mut self, key: &'static str) -> bool {
        self.variable(key).is_some() || self.file.get(key).is_some()
    }

    /// What relative paths of a source are relative to.
    fn folder(&self, origin: &Origin) -> PathBuf {
        let current = self.load.current_dir;
        match origin {
            Origin::Environment { .. } => current.to_owned(),
            Origin::File { .. } | Origin::Default | Origin::Unknown => {
                let file = current.join(self.load.file);
                file.parent().unwrap_or(current).to_owned()
            }
        }
    }

    fn record_optional<T: Serialize>(
        &mut self,
        key: &'static str,
        found: Option<(T, Origin)>,
    ) -> Option<T> {
        let (value, origin) = match found {
            Some((value, origin)) => (Some(value), origin),
            None => (None, Origin::Default),
        };
        self.record(key.into(), &value, origin);
        value
    }

    fn record<T: Serialize>(&mut self, key: Key, value: &T, origin: Origin) {
        self.settings.push(Setting {
            key: key.name.to_owned(),
            // A path that is not UTF-8 has no JSON; the daemon refuses it when it starts.
            value: serde_json::to_value(value).unwrap_or_default(),
            origin,
        });
    }

    /// A variable that begins like a setting and is none is misspelt, or of another version.
    fn look_for_unknown_variables(&mut self) {
        for (name, _) in self.load.environment {
            if !name.starts_with(PREFIX) || self.variables.contains(name) {
                continue;
            }
            let hint = match suggest(name, self.variables.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("unset it: variables that start with {PREFIX} are settings"),
            };
            let problem = Problem::new(ProblemKind::UnknownKey, name, "unknown variable");
            self.problems.push(problem.hint(hint));
        }
    }
}

/// Keys of a job that a farm does not set are no typing errors.
fn explain(problem: Problem) -> Problem {
    let is_of_a_job = |row: &&Row| {
        let section = row.key.split('.').next();
        row.scope == Scope::Job && [Some(row.key), section].contains(&Some(&problem.path))
    };
    if problem.kind == ProblemKind::UnknownKey && TABLE.iter().any(is_of_a_job) {
        return problem.hint("set it in the job file");
    }
    problem
}

/// `FRAMEPACKD_PATHS_JOBS` of `paths.jobs`.
fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase().replace('.', "_"))
}

/// A variable is text, whatever the setting is: it is taken as text where that will do, and else as YAML would.
fn read_text<T>(text: &str, read: impl Fn(&Node) -> Result<T, Mistake>) -> Result<T, Mistake> {
    read(&Node::Text(text.to_owned())).or_else(|mistake| match scalar(text) {
        Node::Text(_) => Err(mistake),
        node => read(&node),
    })
}
