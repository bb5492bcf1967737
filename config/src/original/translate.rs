//! From names and values of the Python application to keys and values of the configuration.
//!
//! Most names stand for themselves. Those of storage types and of step caches are looked at together: [`super::storage`],
//! [`super::cache`].

use framepack_yaml::{Location, Problem, ProblemKind};

use crate::allocator;

use super::{
    cache,
    given::Given,
    name::{Meaning, Rule},
    storage,
    table::{self, PREFIX},
    translated::Translated,
};

/// When an idle worker frees device memory by default.
const IDLE_SECS: &str = "300";

/// What variables of the environment mean. Variables that are not the Python application's are passed over, and an empty
/// one counts as not set.
pub fn settings(variables: &[(String, String)]) -> Translated {
    let mut translated = Translated::default();
    let mut given = Vec::new();
    for (name, text) in variables.iter().filter(|(_, text)| !text.trim().is_empty()) {
        match table::variable(name) {
            Some(variable) => given.push(Given::new(variable, name, text)),
            None => unknown(name, None, &mut translated),
        }
    }
    translate(&given, &mut translated);
    translated
}

/// A variable that is none of the Python application's: misspelt, or of a version that is not known here. Those of other
/// programs are passed over.
pub(super) fn unknown(name: &str, at: Option<Location>, translated: &mut Translated) {
    if let Some(near) = table::near(name) {
        let problem = Problem::new(ProblemKind::UnknownKey, name, "unknown variable");
        translated.problem_at(at, problem.hint(format!("did you mean `{near}`?")));
    } else if name.starts_with(PREFIX) {
        translated.note_of(name, "not a variable of the Python application; ignored");
    }
}

/// What names mean, variables before flags.
pub(super) fn translate(given: &[Given], translated: &mut Translated) {
    for one in given {
        let value = match one.value() {
            Ok(value) => value,
            Err(mistake) => {
                translated.problem(one, mistake);
                continue;
            }
        };
        match &one.name.meaning {
            Meaning::Sets { keys, rule, .. } => apply(*rule, keys, (one, &value), translated),
            Meaning::Inactive(reason) => translated.note(one, format!("inactive: {reason}")),
            Meaning::NotNeeded(reason) => translated.note(one, format!("not needed: {reason}")),
        }
    }
    storage::choose(given, translated);
    cache::choose(given, translated);
}

fn apply(
    rule: Rule,
    keys: &'static [&'static str],
    (given, value): (&Given, &str),
    translated: &mut Translated,
) {
    let text = match rule {
        Rule::OnOff if value == "1" => "on",
        Rule::OnOff => "off",
        Rule::ZeroIsAuto if value == "0" => "auto",
        Rule::Same | Rule::ZeroIsAuto => value,
        Rule::Stands(text) => text,
        Rule::ZeroIsNever if value == "0" => "never",
        Rule::ZeroIsNever => return confirm(keys, IDLE_SECS, given, translated),
        Rule::Allocator => return allocator(keys, given, translated),
        // With the others of their kind.
        Rule::Storage | Rule::Cache | Rule::OfCache(_) => return,
    };
    for key in keys {
        translated.set(key, text, &[given]);
    }
}

fn confirm(keys: &'static [&'static str], text: &str, given: &Given, translated: &mut Translated) {
    for key in keys {
        translated.confirm(key, text, given);
    }
}

fn allocator(keys: &'static [&'static str], given: &Given, translated: &mut Translated) {
    match allocator::parse(&given.text) {
        Ok(read) => {
            for correction in &read.corrections {
                translated.note(given, format!("corrected: {correction}"));
            }
            for key in keys {
                translated.set(key, &read.text, &[given]);
            }
        }
        Err(mistake) => translated.problem(given, mistake),
    }
}
