//! Keys that are set beside a job file, as `--set steps=32`: they stand in the place of the file's.

use framepack_yaml::{Node, Problem, ProblemKind, Problems};

use crate::settings::{Kind, TABLE};

/// Keys of text that are not in the table.
const TEXTS: [&str; 5] = ["name", "key", "group", "output.dir", "output.name"];

/// The file's keys with those of `set`, and what the latter are called.
pub(super) fn applied(mut root: Node, set: &[String]) -> Result<(Node, Vec<String>), Problems> {
    let mut problems = Problems::default();
    let mut keys = Vec::new();
    for text in set {
        match text.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => {
                let key = key.trim();
                if keys.iter().any(|known| known == key) {
                    let path = format!("--set {key}");
                    let problem = Problem::new(ProblemKind::WrongType, path, "set more than once");
                    problems.push(problem.hint("give it once"));
                    continue;
                }
                match node_of(key, value) {
                    Some(node) => put(&mut root, key, node),
                    None => remove(&mut root, key),
                }
                keys.push(key.to_owned());
            }
            _ => {
                let message = format!("`{text}` is not KEY=VALUE");
                let problem = Problem::new(ProblemKind::WrongType, "--set", message);
                problems.push(problem.hint("write `--set steps=32`"));
            }
        }
    }
    problems.or((root, keys))
}

/// A mistake in a key that was set beside the file is not at a place in the file.
pub(super) fn named(mut problem: Problem, keys: &[String]) -> Problem {
    let is_below = |key: &String| {
        let below = key.strip_prefix(problem.path.as_str());
        below.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    if let Some(key) = keys.iter().find(|key| is_below(key)) {
        problem.path = format!("--set {key}");
        problem.location = None;
    }
    problem
}

/// Keys beside those of the table are read as YAML; text needs no quotes. `None`: nothing, so that the key has its default.
fn node_of(key: &str, value: &str) -> Option<Node> {
    let row = TABLE.into_iter().find(|row| row.key == key);
    let may_be_empty = row.is_some_and(|row| matches!(row.kind, Kind::Text { .. }));
    if value.trim().is_empty() && !may_be_empty {
        return None;
    }
    if TEXTS.contains(&key) {
        return Some(Node::Text(value.to_owned()));
    }
    Some(row.map_or_else(|| in_brackets(value), |row| row.node_of(value)))
}

/// A value that may be a list, as in `after=[3, 4]`.
fn in_brackets(value: &str) -> Node {
    let read = framepack_yaml::parse(&format!("value: {value}"));
    let is_in_brackets = value.trim_start().starts_with(['[', '{']);
    match read {
        Ok(Node::Map(mut entries)) if is_in_brackets && entries.len() == 1 => entries.remove(0).1,
        _ => framepack_yaml::scalar(value),
    }
}

/// Takes away what is at a path.
fn remove(node: &mut Node, path: &str) {
    let Node::Map(entries) = node else { return };
    match path.split_once('.') {
        None => entries.retain(|(key, _)| key != path),
        Some((section, rest)) => {
            if let Some((_, inner)) = entries.iter_mut().find(|(key, _)| key == section) {
                remove(inner, rest);
            }
            let is_left = |(key, node): &(String, Node)| {
                key != section || !matches!(node, Node::Map(inner) if inner.is_empty())
            };
            entries.retain(is_left);
        }
    }
}

/// Puts a value at a path, in the place of whatever is in its way.
pub(crate) fn put(node: &mut Node, path: &str, value: Node) {
    let (key, rest) = match path.split_once('.') {
        Some((key, rest)) => (key, Some(rest)),
        None => (path, None),
    };
    if !matches!(node, Node::Map(_)) {
        *node = Node::Map(Vec::new());
    }
    let Node::Map(entries) = node else {
        return;
    };
    let place = entries.iter().position(|(name, _)| name == key);
    let place = place.unwrap_or_else(|| {
        entries.push((key.to_owned(), Node::Null));
        entries.len() - 1
    });
    match rest {
        Some(rest) => put(&mut entries[place].1, rest, value),
        None => entries[place].1 = value,
    }
}

#[cfg(test)]
mod tests {
    use crate::{Dependency, JobId, JobSpec, Value, settings::Origin};

    const TEXT: &str = "api: framepack/v1\nstart: {image: a.png}\nsteps: 8\nguidance: {cfg: 2}\n";

    fn parsed(set: &[&str]) -> Result<JobSpec, String> {
        let set: Vec<String> = set.iter().map(ToString::to_string).collect();
        JobSpec::parse_with(TEXT, &set).map_err(|problems| problems.to_string())
    }

    #[test]
    fn what_is_set_beside_the_file_wins_and_is_named() {
        let spec = parsed(&[
            "steps=32",
            "guidance.rescale=0.5",
            "prompt=12 cats",
            "name=12",
        ])
        .unwrap();
        let steps = spec.settings.iter().find(|(key, _)| *key == "steps");
        assert_eq!(steps, Some(("steps", &Value::Integer(32))));
        assert_eq!(spec.origins["steps"], Origin::Set);
        assert_eq!(spec.origins["guidance.rescale"], Origin::Set);
        assert_eq!(spec.origins["guidance.cfg"], Origin::Job);
        assert_eq!(spec.name.as_deref(), Some("12"));
        let prompt = spec.settings.iter().find(|(key, _)| *key == "prompt");
        assert_eq!(prompt, Some(("prompt", &Value::from("12 cats"))));
    }

    #[test]
    fn nothing_means_the_default_and_brackets_a_list() {
        let spec = parsed(&["steps=", "guidance.cfg=", "group= ", "prompt="]).unwrap();
        let keys: Vec<&str> = spec.settings.iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["prompt", "start.image"]);
        assert_eq!(spec.warnings, Vec::<String>::new());
        let spec = parsed(&["after=[3, shot-1]"]).unwrap();
        let named = Dependency::Named("shot-1".to_owned());
        assert_eq!(spec.schedule.after, [Dependency::Number(JobId(3)), named]);
    }

    #[test]
    fn presets_are_set_as_the_file_has_them() {
        for (set, expected) in [
            ("preset=[]", ""),
            ("preset=[hands,quality]", "hands,quality"),
            ("preset=hands, quality", "hands,quality"),
        ] {
            let spec = parsed(&[set]).unwrap();
            let preset = spec.settings.iter().find(|(key, _)| *key == "preset");
            assert_eq!(preset, Some(("preset", &Value::from(expected))), "{set}");
        }
    }

    #[test]
    fn a_mistake_in_it_is_not_located_in_the_file() {
        for (set, expected) in [
            ("steps=0", "--set steps: 0 is out of range (1 to 100)"),
            ("step=3", "--set step: unknown key (did you mean `steps`?)"),
            (
                "steps",
                "--set: `steps` is not KEY=VALUE (write `--set steps=32`)",
            ),
            (
                "memory.host_budget_gb=4",
                "--set memory.host_budget_gb: the farm's, not a job's",
            ),
            (
                "storage.transformer=nf4",
                "--set storage.transformer: not available in this version: ",
            ),
        ] {
            let error = parsed(&[set]).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
        let twice = parsed(&["steps=3", "steps=4"]).unwrap_err();
        assert_eq!(twice, "--set steps: set more than once (give it once)");
    }
}
