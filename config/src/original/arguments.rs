//! Arguments of a start line, as the Python application's parser reads them: `--flag value`, `--flag=value`, and the
//! beginning of a flag where it is that of one alone.

use framepack_yaml::{Location, Mistake, Problem, ProblemKind, suggest};

use super::{
    given::Given,
    name::{Name, Values},
    script::Word,
    table::{self, FLAGS},
    translated::Translated,
};

/// The flags that arguments are. A flag that is given twice counts as the last time.
pub(super) fn flags(words: &[Word], translated: &mut Translated) -> Vec<Given> {
    let mut given: Vec<Given> = Vec::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let (written, value) = match word.text.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
            _ => (word.text.as_str(), None),
        };
        let flag = match find(written) {
            Found::Flag(flag) => flag,
            Found::Several(names) => {
                let message = format!("this may be {}", names.join(" or "));
                let problem = Problem::new(ProblemKind::UnknownKey, written, message);
                translated.problem_at(Some(word.at), problem.hint("write the whole name"));
                continue;
            }
            Found::Near(near) => {
                let problem = Problem::new(ProblemKind::UnknownKey, written, "unknown flag");
                translated.problem_at(
                    Some(word.at),
                    problem.hint(format!("did you mean `{near}`?")),
                );
                continue;
            }
            Found::Nothing => {
                pass_over(word, translated);
                continue;
            }
        };
        let takes_value = flag.values != Values::Flag;
        let mut expansion = word.expansion.clone();
        let value = match value {
            Some(value) if takes_value => value,
            Some(value) => {
                let mistake = Mistake::out_of_range(format!("takes no value; found `{value}`"));
                let hint = format!("write {}", flag.name);
                wrong(flag, word.at, mistake.hint(hint), translated);
                continue;
            }
            None if !takes_value => String::new(),
            None => match words.next_if(|next| !next.text.starts_with('-')) {
                Some(next) => {
                    expansion.clone_from(&next.expansion);
                    next.text.clone()
                }
                None => {
                    let mistake = Mistake::out_of_range("has no value");
                    let hint = format!("write {} and one of: {}", flag.name, flag.values);
                    wrong(flag, word.at, mistake.hint(hint), translated);
                    continue;
                }
            },
        };
        if let Some(expansion) = expansion {
            let text = format!("left out: `{expansion}` is not expanded here");
            translated.note_of(flag.name, text);
            continue;
        }
        given.retain(|one| one.name != flag);
        given.push(Given {
            at: Some(word.at),
            ..Given::new(flag, flag.name, &value)
        });
    }
    given
}

/// A word that is no flag: told, and not used.
fn pass_over(word: &Word, translated: &mut Translated) {
    let text = match &word.expansion {
        Some(expansion) => format!("left out: `{expansion}` is not expanded here"),
        None => "not an argument of the Python application; ignored".to_owned(),
    };
    let name = match &word.expansion {
        Some(expansion) if word.text.is_empty() => expansion,
        _ => &word.text,
    };
    translated.note_of(name, text);
}

fn wrong(flag: &Name, at: Location, mistake: Mistake, translated: &mut Translated) {
    translated.problem_at(Some(at), Problem::at(flag.name, mistake));
}

/// What a word that should be a flag is.
enum Found {
    Flag(&'static Name),
    /// The beginning of several.
    Several(Vec<&'static str>),
    /// Misspelt.
    Near(&'static str),
    Nothing,
}

fn find(written: &str) -> Found {
    if let Some(flag) = table::flag(written) {
        return Found::Flag(flag);
    }
    let Some(bare) = written.strip_prefix("--").filter(|bare| !bare.is_empty()) else {
        return Found::Nothing;
    };
    let begun: Vec<&Name> = FLAGS
        .iter()
        .filter(|flag| flag.name.starts_with(written))
        .collect();
    match begun.as_slice() {
        [flag] => Found::Flag(flag),
        [] => {
            let near = suggest(bare, FLAGS.iter().map(|flag| &flag.name[2..]));
            let near = near.and_then(|near| FLAGS.iter().find(|flag| &flag.name[2..] == near));
            near.map_or(Found::Nothing, |flag| Found::Near(flag.name))
        }
        several => Found::Several(several.iter().map(|flag| flag.name).collect()),
    }
}
