//! An imported start line as YAML.

use std::fmt;

use super::import::{Imported, start_lines};

impl fmt::Display for Imported {
    /// Comments, then the keys by section.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head(f)?;
        for note in &self.translated.notes {
            writeln!(
                f,
                "# {}: {}",
                comment(&self.as_written(&note.name)),
                comment(&note.text)
            )?;
        }
        if self.translated.settings.is_empty() {
            return writeln!(f, "# Nothing has to be set: the defaults are meant.");
        }
        let mut sections: Vec<&str> = Vec::new();
        for meant in &self.translated.settings {
            let section = meant.key.split('.').next().unwrap_or(meant.key);
            if !sections.contains(&section) {
                sections.push(section);
            }
        }
        for section in sections {
            writeln!(f)?;
            self.section(section, f)?;
        }
        Ok(())
    }
}

impl Imported {
    fn head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = self.lines;
        let lines = if first == last {
            format!("line {first}")
        } else {
            format!("lines {first} to {last}")
        };
        match self.program.as_str() {
            "" => writeln!(f, "# The variables on {lines}.")?,
            program => writeln!(f, "# The start line on {lines}: {}.", comment(program))?,
        }
        if let Some(others) = start_lines(&self.others, &self.commented) {
            writeln!(f, "# Other {others}. `--line N` imports another one.")?;
        }
        writeln!(
            f,
            "# Put these keys into a configuration, which also needs `paths` and `models`: into the section of the same name,"
        )?;
        writeln!(
            f,
            "# where it has one, since no section may stand there twice."
        )?;
        for remark in &self.remarks {
            writeln!(f, "# {}", comment(remark))?;
        }
        Ok(())
    }

    /// A section with its keys, or a key that stands for itself.
    fn section(&self, section: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_of_it = |key: &str| key.split('.').next() == Some(section);
        let settings = self.translated.settings.iter();
        for (index, meant) in settings.filter(|meant| is_of_it(meant.key)).enumerate() {
            let (indent, key) = match meant.key.split_once('.') {
                Some((_, key)) => ("  ", key),
                None => ("", meant.key),
            };
            if index == 0 && !indent.is_empty() {
                writeln!(f, "{section}:")?;
            }
            let names: Vec<String> = meant
                .names
                .iter()
                .map(|name| self.as_written(name))
                .collect();
            writeln!(f, "{indent}# {}", comment(&names.join(", ")))?;
            writeln!(f, "{indent}{key}: {}", scalar(&meant.text))?;
        }
        Ok(())
    }

    /// A name with its value, as the start line has it; a password without.
    fn as_written(&self, name: &str) -> String {
        let written = self.written.iter().find(|(written, _)| written == name);
        match written {
            Some((name, value)) if value.is_empty() || name.contains("TOKEN") => name.clone(),
            Some((name, value)) if name.starts_with("--") => format!("{name} {value}"),
            Some((name, value)) => format!("{name}={value}"),
            None => name.to_owned(),
        }
    }
}

/// A value as YAML: in quotes, unless it is a plain word or number.
fn scalar(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

/// A text that stays on the line of its comment.
fn comment(text: &str) -> String {
    let breaks = |c: char| {
        c.is_control()
            || matches!(
                c,
                '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
            )
    };
    text.chars()
        .map(|c| if breaks(c) { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests;
