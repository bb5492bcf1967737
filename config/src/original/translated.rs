//! What names of the Python application mean here.

use framepack_yaml::{Location, Mistake, Problem, Problems};

use super::given::Given;

/// What somebody's names mean here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Translated {
    /// The keys that they set, each once.
    pub settings: Vec<Meant>,
    /// What else there is to say of a name.
    pub notes: Vec<Note>,
    /// Names and values that are none.
    pub problems: Problems,
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meant {
    /// The key of the configuration.
    pub key: &'static str,
    /// Its value as text.
    pub text: String,
    /// Who set it, as they were written: one, or several that set it together.
    pub names: Vec<String>,
    /// Whether it only says what is so anyway: whoever else sets the key is stronger.
    pub yields: bool,
}

impl Meant {
    /// Who set it: `FRAMEPACK_USE_BNB and FRAMEPACK_BNB_LOAD_IN_4BIT`.
    pub fn variable(&self) -> String {
        self.names.join(" and ")
    }
}

/// A remark on a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The name as it was written.
    pub name: String,
    /// What there is to say. Lower case, no trailing dot.
    pub text: String,
}

impl Translated {
    /// The value of a key, and who set it.
    pub(super) fn meant(&self, key: &str) -> Option<&Meant> {
        self.settings.iter().find(|meant| meant.key == key)
    }

    /// Sets a key. One that is set already is set by both where they agree; else by the later, which is noted.
    pub(super) fn set(&mut self, key: &'static str, text: &str, by: &[&Given]) {
        let names: Vec<String> = by.iter().map(|given| given.written.clone()).collect();
        let Some(meant) = self.settings.iter_mut().find(|meant| meant.key == key) else {
            let text = text.to_owned();
            self.settings.push(Meant {
                key,
                text,
                names,
                yields: false,
            });
            return;
        };
        if meant.text == text {
            meant.names.extend(names);
            return;
        }
        let winner = names.join(" and ");
        for loser in std::mem::replace(&mut meant.names, names) {
            let text = format!("{winner} is stronger, and sets {key} to {text}");
            self.notes.push(Note { name: loser, text });
        }
        text.clone_into(&mut meant.text);
    }

    /// Says what a key is anyway.
    pub(super) fn confirm(&mut self, key: &'static str, text: &str, by: &Given) {
        if self.meant(key).is_none() {
            self.settings.push(Meant {
                key,
                text: text.to_owned(),
                names: vec![by.written.clone()],
                yields: true,
            });
        }
    }

    pub(super) fn note(&mut self, given: &Given, text: impl Into<String>) {
        self.note_of(&given.written, text);
    }

    pub(super) fn note_of(&mut self, name: &str, text: impl Into<String>) {
        self.notes.push(Note {
            name: name.to_owned(),
            text: text.into(),
        });
    }

    /// That a name was given more than once: the last value counts, and earlier ones do not.
    pub(super) fn repeated(&mut self, name: &str, counts: &str, overruled: &[(String, Location)]) {
        if overruled.is_empty() {
            return;
        }
        let times = overruled.len() + 1;
        let is_secret = name.contains("TOKEN");
        let others = overruled.iter().filter(|(value, _)| value != counts);
        let others = others.map(|(value, at)| match value.as_str() {
            _ if is_secret => format!("that on line {}", at.line),
            "" => format!("the empty one on line {}", at.line),
            value => format!("`{value}` on line {}", at.line),
        });
        let others: Vec<String> = others.collect();
        let text = match (counts, others.is_empty()) {
            (_, true) => format!("given {times} times, each time the same"),
            ("", false) => format!(
                "given {times} times: the last, which is empty, counts, and not {}",
                others.join(", ")
            ),
            (_, false) if is_secret => format!(
                "given {times} times: the last counts, and not {}",
                others.join(", ")
            ),
            (counts, false) => format!(
                "given {times} times: the last, `{counts}`, counts, and not {}",
                others.join(", ")
            ),
        };
        self.note_of(name, text);
    }

    pub(super) fn problem(&mut self, given: &Given, mistake: Mistake) {
        self.problem_at(given.at, Problem::at(given.written.clone(), mistake));
    }

    pub(super) fn problem_at(&mut self, at: Option<Location>, mut problem: Problem) {
        problem.location = at;
        self.problems.push(problem);
    }
}
