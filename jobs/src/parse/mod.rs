//! Job file to [`JobSpec`]: each key by itself, every mistake noted.

mod overrides;
mod remarks;
mod schedule;

pub(crate) use self::overrides::put;

use std::path::{Component, Path, PathBuf};

use framepack_yaml::{Document, Mistake, Node, Problem, ProblemKind, Problems};

use crate::{
    API, JobSpec, NameTemplate, Settings, name, path,
    settings::{self, Origin, Origins, Row, Scope, TABLE, Value},
    unavailable::{explain, not_available},
};

const MAX_KEY_CHARS: usize = 200;

impl JobSpec {
    /// Reads a job file. The error lists every mistake with its place in the text.
    pub fn parse(text: &str) -> Result<Self, Problems> {
        Self::parse_with(text, &[])
    }

    /// The same with keys that were set beside the file, as `steps=32`, and win over it.
    pub fn parse_with(text: &str, set: &[String]) -> Result<Self, Problems> {
        let root = framepack_yaml::parse(text).map_err(|problem| problem.in_schema(is_section))?;
        let (root, keys) = overrides::applied(root, set)?;
        let read = read(&root, text).map_err(|problems| {
            let located = problems.map(explain).located_in(text);
            located.map(|problem| overrides::named(problem, &keys))
        });
        let mut spec = read?;
        for key in &keys {
            if let Some(origin) = spec.origins.get_mut(key) {
                *origin = Origin::Set;
            }
        }
        Ok(spec)
    }
}

/// Whether a job file has keys below this one.
fn is_section(path: &str) -> bool {
    let rows = TABLE.iter().filter(|row| row.scope != Scope::Farm);
    let sections = rows.filter_map(|row| row.key.split_once('.'));
    let mut sections = sections
        .map(|(section, _)| section)
        .chain(["retry", "window"]);
    sections.any(|section| section == path)
}

fn read(root: &Node, text: &str) -> Result<JobSpec, Problems> {
    kind(root)?;
    let mut document = Document::new(root);
    document.get("kind");
    api(&mut document);
    let mut spec = JobSpec {
        name: document.value("name", name),
        key: document.value("key", key),
        output_dir: document.value("output.dir", output_dir),
        output_name: document.value("output.name", output_name),
        settings: settings(&mut document),
        origins: Origins::new(),
        schedule: schedule::read(&mut document),
        warnings: Vec::new(),
    };
    let keys = spec
        .settings
        .iter()
        .map(|(key, _)| (key.to_owned(), Origin::Job));
    spec.origins = keys.collect();
    contradictions(&mut document, &spec.settings);
    spec.warnings = remarks::of(&mut document, text);
    document.finish().or(spec)
}

/// What a job may set of the table.
fn settings(document: &mut Document<'_>) -> Settings {
    let mut settings = Settings::default();
    for row in TABLE.iter().filter(|row| row.scope != Scope::Farm) {
        if let Some(value) = document.value(row.key, |node| asked(row, node)) {
            settings.set(row.key, value);
        }
    }
    settings
}

/// Notes settings of which one can't have what the other asks for, where the job itself says both.
fn contradictions(document: &mut Document<'_>, settings: &Settings) {
    for (row, value) in settings::contradictions(|row| settings.get(row)) {
        let message = format!(
            "`{}` contradicts `vae.mode: reference`, which decodes without it",
            settings::written(row, value)
        );
        let mistake = Mistake::out_of_range(message);
        document.note(row.key, mistake.hint(settings::DECODING_HINT));
    }
}

/// A value that a job may ask for itself: it does not run without what it says.
fn asked(row: &Row, node: &Node) -> Result<Value, Mistake> {
    let value = row.read(node)?;
    match row.refuses(&value) {
        Some(reason) => {
            let message = format!("not available in this version: {reason}");
            Err(Mistake::new(ProblemKind::NotAvailable, message).hint("remove it"))
        }
        None => Ok(value),
    }
}

/// Anything but a job has other keys, so its refusal is all there is to say.
fn kind(root: &Node) -> Result<(), Problem> {
    let Node::Map(entries) = root else {
        let message = format!("expected the keys of a job; found {root}");
        return Err(Problem::new(ProblemKind::WrongType, "", message));
    };
    match entries.iter().find(|(key, _)| key == "kind") {
        None | Some((_, Node::Null)) => Ok(()),
        Some((_, Node::Text(kind))) if kind == "Job" => Ok(()),
        Some((_, Node::Text(kind))) if matches!(kind.as_str(), "Batch" | "Preset") => Err(
            not_available("kind", "a file describes one job, of kind Job")
                .hint("write one file for each video"),
        ),
        Some((_, other)) => {
            let message = format!("{other} is not a kind; expected Job");
            Err(Problem::new(ProblemKind::OutOfRange, "kind", message))
        }
    }
}

fn api(document: &mut Document<'_>) {
    let write = format!("write `api: {API}`");
    let read = document.value("api", |node| match node.text()? {
        API => Ok(()),
        other => {
            let message = format!("`{other}` is not a supported version");
            Err(Mistake::out_of_range(message).hint(&write))
        }
    });
    if read.is_none() && document.get("api").is_none() {
        let missing = Mistake::new(ProblemKind::MissingKey, "required, but missing");
        document.note("api", missing.hint(&write));
    }
}

/// A name that file systems take as it is.
fn name(node: &Node) -> Result<String, Mistake> {
    let text = node.name()?;
    name::written(text).map_err(|why| {
        Mistake::out_of_range(format!(
            "{node} is not a name: {why}; a name has 1 to {} characters, and none of `/ \\ : * ? \" < > |`",
            name::MAX_CHARS
        ))
        .hint(format!("write `{}`", name::from_stem(text, "video")))
    })
}

fn key(node: &Node) -> Result<String, Mistake> {
    let key = node.name()?;
    let chars = key.chars().count();
    if chars == 0 || chars > MAX_KEY_CHARS {
        return Err(Mistake::out_of_range(format!(
            "{chars} characters; 1 to {MAX_KEY_CHARS} are accepted"
        )));
    }
    Ok(key.to_owned())
}

/// A folder, with `\` read as `/`.
fn output_dir(node: &Node) -> Result<PathBuf, Mistake> {
    let text = node.name()?.replace('\\', "/");
    let inside = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    let is_inside = Path::new(&text).components().all(inside);
    if !is_inside || path::has_drive(&text) || text.starts_with("~/") {
        let message = format!("{node} is not a folder below the outputs folder");
        let escape = Mistake::new(ProblemKind::PathEscape, message);
        return Err(escape.hint("give a relative path without `..`"));
    }
    // `./shots/.` is `shots`, and `.` the outputs folder itself.
    let parts = Path::new(&text).components();
    let parts = parts.filter(|part| matches!(part, Component::Normal(_)));
    Ok(parts.collect())
}

fn output_name(node: &Node) -> Result<NameTemplate, Mistake> {
    let template = node.name()?.parse();
    template.map_err(|error: crate::InvalidTemplate| Mistake::out_of_range(error.to_string()))
}
