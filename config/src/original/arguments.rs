//! Arguments of a start line, as the Python application's parser reads them: `--flag value`, `--flag=value`, and the
//! beginning of a flag where it is that of one alone.

use std::iter::Peekable;

use framepack_yaml::{Location, Mistake, Problem, ProblemKind, suggest};

use super::{
    given::Given,
    name::{Name, Values},
    script::Word,
    table::{self, FLAGS},
    translated::Translated,
};

/// The flags that arguments are. A flag that is given twice counts as the last time, which is noted.
pub(super) fn flags(words: &[Word], translated: &mut Translated) -> Vec<Given> {
    let mut given: Vec<Given> = Vec::new();
    let mut values: Vec<(&'static Name, String, Location)> = Vec::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let (written, value) = match word.text.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
            _ => (word.text.as_str(), None),
        };
        let read = match find(written) {
            Ok(Some(flag)) => value_of(flag, value, word, &mut words)
                .map(|value| (flag, value))
                .map_err(|mistake| Problem::at(flag.name, mistake)),
            Ok(None) => {
                pass_over(word, translated);
                continue;
            }
            Err(problem) => Err(problem),
        };
        match read {
            Err(problem) => translated.problem_at(Some(word.at), problem),
            Ok((flag, (_, Some(expansion)))) => {
                values.push((flag, expansion.clone(), word.at));
                given.retain(|one| one.name != flag);
                let text = format!("left out: `{expansion}` is not expanded here");
                translated.note_of(flag.name, text);
            }
            Ok((flag, (value, None))) => {
                values.push((flag, value.clone(), word.at));
                given.retain(|one| one.name != flag);
                given.push(Given {
                    at: Some(word.at),
                    ..Given::new(flag, flag.name, &value)
                });
            }
        }
    }
    repeated(&values, translated);
    given
}

/// Notes flags that are given more than once.
fn repeated(values: &[(&'static Name, String, Location)], translated: &mut Translated) {
    for (index, (flag, counts, _)) in values.iter().enumerate() {
        let is_same = |(other, _, _): &&(&'static Name, String, Location)| other == flag;
        if !values[index + 1..].iter().any(|other| is_same(&other)) {
            let earlier = values[..index].iter().filter(is_same);
            let earlier: Vec<_> = earlier.map(|(_, value, at)| (value.clone(), *at)).collect();
            translated.repeated(flag.name, counts, &earlier);
        }
    }
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

/// A flag's value, and what a shell would have replaced in it; nothing for a flag that takes none.
fn value_of<'w>(
    flag: &Name,
    behind_sign: Option<String>,
    word: &Word,
    words: &mut Peekable<impl Iterator<Item = &'w Word>>,
) -> Result<(String, Option<String>), Mistake> {
    let takes_value = flag.values != Values::Flag;
    match behind_sign {
        Some(value) if takes_value => Ok((value, word.expansion.clone())),
        Some(value) => {
            let mistake = Mistake::out_of_range(format!("takes no value; found `{value}`"));
            Err(mistake.hint(format!("write {}", flag.name)))
        }
        None if !takes_value => Ok((String::new(), word.expansion.clone())),
        None => {
            let value = words.next_if(|next| !next.text.starts_with('-'));
            let value = value.ok_or_else(|| {
                let hint = format!("write a value behind it: {}", flag.values);
                Mistake::out_of_range("has no value").hint(hint)
            })?;
            Ok((value.text.clone(), value.expansion.clone()))
        }
    }
}

/// The flag that a word is, or the beginning of; `None` if it is none, and like none.
fn find(written: &str) -> Result<Option<&'static Name>, Problem> {
    if let Some(flag) = table::flag(written) {
        return Ok(Some(flag));
    }
    // Word processors make one dash of two hyphens.
    let bare = written.trim_start_matches(['-', '–', '—', '−']);
    if bare.is_empty() || bare.len() == written.len() {
        return Ok(None);
    }
    let wrong = |message: &str| Problem::new(ProblemKind::UnknownKey, written, message);
    let begun = FLAGS.iter().filter(|flag| flag.name.starts_with(written));
    match begun.collect::<Vec<_>>().as_slice() {
        [flag] => Ok(Some(flag)),
        [] => match suggest(bare, FLAGS.iter().map(|flag| &flag.name[2..])) {
            Some(near) => Err(wrong("unknown flag").hint(format!("did you mean `--{near}`?"))),
            None => Ok(None),
        },
        several => {
            let names: Vec<&str> = several.iter().map(|flag| flag.name).collect();
            let message = format!("this may be {}", names.join(" or "));
            Err(wrong(&message).hint("write the whole name"))
        }
    }
}
