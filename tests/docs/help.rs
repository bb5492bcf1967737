//! A call held against what the programs' own `--help` says: its subcommand and its flags exist.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::Command,
};

use framepack_jobs::JobSpec;

use crate::shell::{Call, PROGRAMS};

/// The programs' help, each page asked for once.
pub(crate) struct Help {
    programs: PathBuf,
    pages: HashMap<Vec<String>, Option<String>>,
}

impl Help {
    pub(crate) fn of(programs: &Path) -> Self {
        Self {
            programs: programs.to_owned(),
            pages: HashMap::new(),
        }
    }

    /// What is wrong with a call of one of the project's programs; other programs' calls are right.
    pub(crate) fn check(&mut self, call: &Call) -> Result<(), String> {
        let Some((program, arguments)) = call.split_first() else {
            return Ok(());
        };
        if !PROGRAMS.contains(&program.as_str()) {
            return Ok(());
        }
        if program == "framepackctl" && arguments.first().is_some_and(|word| word == "models") {
            let mut models = arguments.to_vec();
            "framepack-models".clone_into(&mut models[0]);
            return self.check(&models);
        }
        let mut path = vec![program.clone()];
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let page = self
                .page(&path)
                .ok_or_else(|| format!("no help of {path:?}"))?;
            if word.starts_with('-') && word.len() > 1 {
                let flag = word.split('=').next().unwrap_or(word);
                let takes_value = takes_value(&page, flag)
                    .ok_or_else(|| format!("{} has no {flag}", path.join(" ")))?;
                if takes_value && !word.contains('=') {
                    let value = words
                        .next()
                        .ok_or_else(|| format!("{flag} lacks its value"))?;
                    setting(flag, value)?;
                }
            } else if takes_command(&page) {
                if is_left_open(word) {
                    return Ok(());
                }
                path.push(word.clone());
                if self.page(&path).is_none() {
                    return Err(format!("there is no command `{}`", path.join(" ")));
                }
            }
        }
        Ok(())
    }

    /// The help of a command; `None` if there is no such command.
    fn page(&mut self, path: &[String]) -> Option<String> {
        if let Some(page) = self.pages.get(path) {
            return page.clone();
        }
        let program = self.programs.join(&path[0]);
        let output = Command::new(&program)
            .args(&path[1..])
            .arg("--help")
            .output()
            .unwrap_or_else(|why| panic!("{}: {why}: `make build` builds it", program.display()));
        let text = String::from_utf8(output.stdout).unwrap();
        let usage = format!("Usage: {}", path.join(" "));
        let page = (output.status.success() && text.contains(&usage)).then_some(text);
        self.pages.insert(path.to_vec(), page.clone());
        page
    }
}

/// Whether the page is of a command that has commands.
fn takes_command(page: &str) -> bool {
    let mut lines = page.lines();
    let usage = lines.find(|line| line.starts_with("Usage: "));
    usage.is_some_and(|usage| {
        ["<COMMAND>", "[COMMAND]"]
            .iter()
            .any(|word| usage.ends_with(word))
    })
}

/// Whether a flag takes a value; `None` if there is no such flag on a page of help.
fn takes_value(page: &str, flag: &str) -> Option<bool> {
    page.lines().map(str::trim_start).find_map(|line| {
        let names = line
            .strip_prefix('-')
            .and_then(|_| line.split("  ").next())?;
        let mut known = names.split(", ").map(|name| name.split([' ', '[']).next());
        known
            .any(|name| name == Some(flag))
            .then(|| names.contains(" <"))
    })
}

/// `--set` takes what a job file takes.
fn setting(flag: &str, value: &str) -> Result<(), String> {
    if flag != "--set" || is_left_open(value.split('=').next().unwrap_or(value)) {
        return Ok(());
    }
    let job = "api: framepack/v1\nstart: {image: a.png}\n";
    let parsed = JobSpec::parse_with(job, &[value.to_owned()]);
    parsed
        .map(|_| ())
        .map_err(|problems| format!("--set {value}: {problems}"))
}

/// A word that stands for something: `FILE`, `…`.
fn is_left_open(word: &str) -> bool {
    !word.chars().any(|c| c.is_lowercase() || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{programs, shell::calls};

    #[test]
    fn what_does_not_exist_is_a_mistake() {
        let mut help = Help::of(&programs());
        for right in [
            "framepackctl --socket a run cat.yaml --set steps=2 -o b.mp4",
            "framepackctl models fetch --to DIR --dry-run",
            "framepackctl state …",
            "framepackctl list --json=id,name",
            "framepackd --config FILE config show --origin idle",
            "framepack-worker forward transformer --model DIR",
            "ls --nonsense",
        ] {
            let call = calls(right).remove(0);
            assert_eq!(help.check(&call), Ok(()), "{right}");
        }
        for wrong in [
            "framepackctl runn cat.yaml",
            "framepackctl run --imag cat.jpg",
            "framepackctl run -x",
            "framepackctl submit cat.yaml --set stepps=2",
            "framepackctl submit cat.yaml --set steps=1000",
            "framepackctl models fetsh",
            "framepackctl models fetch --tho DIR",
            "framepackd config chek",
            "framepackd --confg FILE",
            "framepack-worker forward transformers",
        ] {
            let call = calls(wrong).remove(0);
            assert!(help.check(&call).is_err(), "{wrong}");
        }
    }
}
