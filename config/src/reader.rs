//! Reads settings one by one, each from the strongest source that has it: the environment, then the file.
//!
//! A key is asked for once, with its default and how it is read. What was asked for is what is known: other keys of the
//! file and other `FRAMEPACKD_` variables are mistakes.

mod rows;

use std::path::{Path, PathBuf};

use framepack_jobs::{
    Row, Settings,
    settings::{JOB_KEYS, Origin, Scope, Setting, TABLE},
};
use framepack_yaml::{
    Document, Mistake, Node, Problem, ProblemKind, Problems, Style, Written, written,
};
use serde::Serialize;

use crate::{
    Load,
    environment::{Environment, Shape},
};

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

/// Sources that are being read.
pub(crate) struct Reader<'s> {
    load: &'s Load<'s>,
    environment: Environment<'s>,
    file: Document<'s>,
    /// Required keys that nobody set, and what is wrong in presets.
    problems: Problems,
    /// What the profile and presets that the configuration names set, from the weakest on.
    named: Vec<(Origin, Settings)>,
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
            environment: Environment::new(load.environment),
            file: Document::new(root),
            problems: Problems::default(),
            named: Vec::new(),
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
        self.shaped(key.into(), Shape::One, default, read)
    }

    /// The mapping at a key whose keys people choose.
    pub(crate) fn mapping(&mut self, key: &'static str) -> &'s [(String, Node)] {
        match self.file.get(key) {
            Some(Node::Map(entries)) => entries,
            Some(other) => {
                let mistake = Mistake::wrong_type("a mapping with keys", other);
                self.file.note(key, mistake);
                &[]
            }
            None => &[],
        }
    }

    /// Notes what is wrong below a key.
    pub(crate) fn note_all(&mut self, problems: Problems) {
        self.file.extend(problems);
    }

    /// A list, or its default. In a variable, its items are separated by commas.
    pub(crate) fn list<T: Serialize>(
        &mut self,
        key: &'static str,
        default: T,
        read: impl Fn(&Node) -> Result<T, Mistake>,
    ) -> T {
        self.shaped(key.into(), Shape::List, default, read)
    }

    fn shaped<T: Serialize>(
        &mut self,
        key: Key,
        shape: Shape,
        default: T,
        read: impl Fn(&Node) -> Result<T, Mistake>,
    ) -> T {
        let found = self.find(key, shape, read);
        let (value, origin) = found.unwrap_or((default, Origin::Default));
        self.record(key, &value, origin);
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
        let read = |node: &Node| check(path(node.text()?)?);
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
        let read = |node: &Node| -> Result<Vec<PathBuf>, Mistake> {
            let paths = node.texts()?.into_iter();
            paths.map(|text| path(text).map(PathBuf::from)).collect()
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

    /// Notes a value that does not go with another one.
    pub(crate) fn note(&mut self, key: &str, mistake: Mistake) {
        self.file.note(key, mistake);
    }

    /// The same of a value that comes from here.
    pub(crate) fn note_of(&mut self, origin: Option<&Origin>, key: &str, mistake: Mistake) {
        match origin {
            Some(Origin::Environment { variable }) => {
                self.problems.push(Problem::at(variable.clone(), mistake));
            }
            _ => self.file.note(key, mistake),
        }
    }

    /// What was read, or everything that is wrong.
    pub(crate) fn finish(self, text: &str) -> Result<Read, Problems> {
        let is_setting = |path: &str| self.settings.iter().any(|setting| setting.key == path);
        let empty = self
            .file
            .empty_keys()
            .into_iter()
            .filter(|path| is_setting(path));
        let empty = empty.filter_map(|path| Some(left_empty(text, path)?.left_empty(path, None)));
        let of_environment = self.environment.notes();
        let notices = self
            .notices
            .into_iter()
            .chain(of_environment)
            .chain(empty)
            .collect();
        let mut problems = match self.file.finish().or(()) {
            Ok(()) => Problems::default(),
            Err(problems) => problems.map(explain).located_in(text),
        };
        problems.extend(self.problems.map(|problem| not_set(problem, text)));
        problems.extend(self.environment.finish());
        problems.or(Read {
            settings: self.settings,
            notices,
        })
    }

    /// What `read` makes of the strongest source's value, and which source that is. A mistake is noted, also in a
    /// source that is overridden, and counts as not set.
    fn find<T>(
        &mut self,
        key: Key,
        shape: Shape,
        read: impl Fn(&Node) -> Result<T, Mistake>,
    ) -> Option<(T, Origin)> {
        let names = [Some(key.name), key.formerly].into_iter().flatten();
        let mut found = None;
        for name in names.clone() {
            if let Some(variable) = self.environment.of_key(name) {
                if variable.yields && names.clone().any(|name| self.file.get(name).is_some()) {
                    continue;
                }
                let value = self.environment.value(&variable, shape, &read);
                let variable = variable.name;
                let value = value.map(|value| (value, Origin::Environment { variable }));
                found.get_or_insert(value);
                self.notice(key, name);
            }
        }
        for name in names {
            if self.file.get(name).is_some() {
                let value = self.file.value(name, &read);
                let of = name.to_owned();
                let value = value.map(|value| (value, Origin::File { key: of }));
                found.get_or_insert(value);
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

    fn is_given(&mut self, key: &'static str) -> bool {
        self.environment.of_key(key).is_some() || self.file.get(key).is_some()
    }

    /// A folder that another program's variable names; an empty one names none.
    pub(crate) fn variable(&self, name: &str) -> Option<PathBuf> {
        let mut variables = self.load.environment.iter();
        let (_, value) = variables.find(|(variable, _)| variable == name)?;
        (!value.is_empty()).then(|| self.load.current_dir.join(value))
    }

    /// A folder beside the configuration.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        let file = self.load.current_dir.join(self.load.file);
        file.with_file_name(name)
    }

    /// What relative paths of a source are relative to.
    fn folder(&self, origin: &Origin) -> PathBuf {
        let current = self.load.current_dir;
        if matches!(origin, Origin::Environment { .. }) {
            return current.to_owned();
        }
        let file = current.join(self.load.file);
        file.parent().unwrap_or(current).to_owned()
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
            inactive: None,
        });
    }
}

/// A key with nothing behind it: `null` and `~` say that the default is meant.
fn left_empty<'t>(text: &'t str, path: &str) -> Option<Written<'t>> {
    written(text, path, &Node::Null).filter(|written| written.style == Style::Nothing)
}

/// Says of a required key why nobody set it, where it is there and empty.
fn not_set(mut problem: Problem, text: &str) -> Problem {
    let empty = left_empty(text, &problem.path).filter(|written| written.comment.is_some());
    if let Some(written) = empty {
        problem.message = format!("{}: {}", problem.message, written.because());
        problem.hint = written.in_quotes(&problem.path);
        problem.location = Some(written.location);
    }
    problem
}

/// An empty path would be the configuration's own folder.
fn path(text: &str) -> Result<&Path, Mistake> {
    if text.is_empty() {
        let mistake = Mistake::out_of_range("expected a path; found an empty text");
        return Err(mistake.hint("leave the value out for the default"));
    }
    Ok(Path::new(text))
}

/// Keys of a job that a farm does not set are no typing errors.
fn explain(problem: Problem) -> Problem {
    let is_of_a_job = |row: &&Row| {
        let section = row.key.split('.').next();
        row.scope == Scope::Job && [Some(row.key), section].contains(&Some(&problem.path))
    };
    let is_of_a_job = TABLE.iter().any(is_of_a_job) || JOB_KEYS.contains(&problem.path.as_str());
    if problem.kind == ProblemKind::UnknownKey && is_of_a_job {
        return problem.hint("set it in the job file");
    }
    problem
}
