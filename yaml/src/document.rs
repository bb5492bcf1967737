//! A document read key by key, each by its path: every mistake is noted and none is fatal.
//!
//! What was asked for is what is known: [`Document::finish`] reports every other key, with a suggestion.

use crate::{
    Mistake, Node, Problem, ProblemKind, Problems,
    characters::{invisible, named, visible},
    node::join,
    suggest,
};

/// A document that is being read.
#[derive(Debug)]
pub struct Document<'n> {
    root: &'n Node,
    known: Vec<&'static str>,
    problems: Problems,
}

impl<'n> Document<'n> {
    /// A document of which nothing is known yet.
    pub fn new(root: &'n Node) -> Self {
        Self {
            root,
            known: Vec::new(),
            problems: Problems::default(),
        }
    }

    /// What stands at `path` (`guidance.cfg`); `None` also for a key without a value.
    pub fn get(&mut self, path: &'static str) -> Option<&'n Node> {
        self.known.push(path);
        self.find(path).filter(|node| **node != Node::Null)
    }

    fn find(&self, path: &str) -> Option<&'n Node> {
        let mut node = self.root;
        for key in path.split('.') {
            let Node::Map(entries) = node else {
                return None;
            };
            node = &entries.iter().find(|(name, _)| name == key)?.1;
        }
        Some(node)
    }

    /// What `read` makes of the value at `path`; `None` if there is none, or a wrong one.
    pub fn value<T>(
        &mut self,
        path: &'static str,
        read: impl FnOnce(&'n Node) -> Result<T, Mistake>,
    ) -> Option<T> {
        let node = self.get(path)?;
        read(node).map_err(|mistake| self.note(path, mistake)).ok()
    }

    /// Notes a mistake at `path`.
    pub fn note(&mut self, path: &str, mistake: Mistake) {
        self.problems.push(Problem::at(path, mistake));
    }

    /// Notes what is wrong in a part that was read as a document of its own.
    pub fn extend(&mut self, problems: Problems) {
        self.problems.extend(problems);
    }

    /// The keys that are there with nothing in them, of those that were asked for and the mappings that they are in.
    pub fn empty_keys(&self) -> Vec<&'static str> {
        let mut empty = Vec::new();
        for known in &self.known {
            let ends = known.match_indices('.').map(|(at, _)| at);
            for end in ends.chain([known.len()]) {
                let path = &known[..end];
                if self.find(path) == Some(&Node::Null) && !empty.contains(&path) {
                    empty.push(path);
                }
            }
        }
        empty
    }

    /// Everything that is wrong: unknown keys first.
    pub fn finish(self) -> Problems {
        let mut problems = Problems::default();
        self.look_for_unknown_keys("", self.root, &mut problems);
        problems.extend(self.problems);
        problems
    }

    fn look_for_unknown_keys(&self, path: &str, node: &Node, problems: &mut Problems) {
        let children = self.children(path);
        let entries = match node {
            Node::Map(entries) => entries,
            Node::Null => return,
            other => {
                let mistake = Mistake::wrong_type("a mapping with keys", other);
                let mistake = without_space(other, &children)
                    .unwrap_or_else(|| mistake.hint(known_here(&children)));
                problems.push(Problem::at(path, mistake));
                return;
            }
        };
        for (key, node) in entries {
            let here = join(path, key);
            if !children.contains(&key.as_str()) {
                problems.push(self.unknown_key(&here, key, &children));
            } else if !self.known.contains(&here.as_str()) {
                self.look_for_unknown_keys(&here, node, problems);
            }
        }
    }

    fn unknown_key(&self, path: &str, key: &str, known: &[&str]) -> Problem {
        let unseen = invisible(key);
        let message = match unseen {
            Some((_, c)) => format!("unknown key, with {} in it", named(c)),
            None => "unknown key".to_owned(),
        };
        let bare = visible(key);
        let bare = bare.trim_matches([' ', '“', '”', '„', '‘', '’', '«', '»', '•']);
        let hint = if known.contains(&bare) {
            format!("write `{bare}` without anything before or behind it")
        } else if let Some(section) = self.section_of(bare) {
            match (unseen, section) {
                (Some((0, _)), _) => format!("indent `{bare}` with ordinary spaces"),
                (_, "") => format!("begin `{bare}` in column 1: it belongs at the top of the file"),
                (_, section) => format!("write it below `{section}`"),
            }
        } else {
            match suggest(bare, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => known_here(known),
            }
        };
        Problem::new(ProblemKind::UnknownKey, path, message).hint(hint)
    }

    /// The path of the mapping in which there is a key of this name; none where there are several.
    fn section_of(&self, key: &str) -> Option<&'static str> {
        if self.children("").contains(&key) {
            return Some("");
        }
        let mut found = self
            .known
            .iter()
            .filter_map(|known| known.rsplit_once('.'))
            .filter(|(_, name)| *name == key)
            .map(|(section, _)| section);
        found
            .next()
            .filter(|section| found.all(|other| other == *section))
    }

    /// Known keys of the mapping at `path`, in the order in which they were asked for.
    fn children(&self, path: &str) -> Vec<&'static str> {
        let mut children = Vec::new();
        for known in &self.known {
            let below = match path {
                "" => Some(*known),
                path => known
                    .strip_prefix(path)
                    .and_then(|rest| rest.strip_prefix('.')),
            };
            let key = below.map(|below| below.split('.').next().unwrap_or(below));
            if let Some(key) = key
                && !children.contains(&key)
            {
                children.push(key);
            }
        }
        children
    }
}

/// What is meant by `image:photo.jpg` where keys must be.
fn without_space(node: &Node, known: &[&str]) -> Option<Mistake> {
    let Node::Text(text) = node else {
        return None;
    };
    let (key, value) = text.split_once(':')?;
    let message = format!("no space behind the colon of `{key}`");
    known
        .contains(&key)
        .then(|| Mistake::new(ProblemKind::WrongType, message))
        .map(|mistake| mistake.hint(format!("write `{key}: {value}`")))
}

fn known_here(keys: &[&str]) -> String {
    format!("known keys here: {}", keys.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    #[test]
    fn what_is_asked_for_is_known_and_the_rest_is_a_mistake() {
        let root = parse("a: 1\nb: {c: 2, e: {f: 3}, x: 4}\nd: no\nempty:\n").unwrap();
        let mut document = Document::new(&root);
        assert_eq!(
            document.value("a", |node| node.integer(&(0..=9_u32))),
            Some(1)
        );
        assert_eq!(document.get("b.c"), Some(&Node::Int(2)));
        let inner = Node::Map(vec![("f".to_owned(), Node::Int(3))]);
        assert_eq!(document.get("b.e"), Some(&inner));
        assert_eq!(document.value("d.z", Node::boolean), None);
        assert_eq!(document.value("empty", Node::boolean), None);
        let expected = "\
b.x: unknown key (did you mean `c`?)
d: expected a mapping with keys; found `no` (known keys here: z)";
        assert_eq!(document.empty_keys(), ["empty"]);
        assert_eq!(document.finish().to_string(), expected);
    }
}
