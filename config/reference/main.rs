//! Writes docs/FROM-FRAMEPACK.md from the table of the Python application's names: `make docs`.

use std::{
    fmt::Write,
    io::{self, Write as _},
    process::ExitCode,
};

use framepack_config::original::{
    FLAGS, FUNCTIONS, Meaning, Name, PARAMETERS, Parameter, Pick, START_LINES, import, variables,
};

const INTRODUCTION: &str = "\
<!-- Made by `make docs` from config/src/original/table; change it there. -->
# Coming from the Python application

Every environment variable, flag, parameter and start line of the FramePack application in Python, what it means here, and
what it really did there: it was read, and parts of it were run. Where a later version of it differs, both are told.

- `framepackd config import-env start.sh` reads a start line and prints the configuration that it means, with a comment for
  each name that has no key; `demo_gradio_f1.py` is `model: f1`. `-` reads standard input. Of a script with several start
  lines it takes the first and names the others, also those that are commented out; `--line N` takes the one on line N. Nothing is executed, and `$NAME` is not expanded.
  Of a variable or flag that is given more than once the last value counts, and of two names of one key the stronger; a
  comment says which it is, and what does not count.
- The daemon also reads these variables in its own environment. Those of the same keys that begin with `FRAMEPACKD_` are
  equal to them: both may be set if they agree. The environment is stronger than the configuration.
- A misspelt name, and a value that is none, is an error with the name, what is allowed and what to write. In the Python
  application everything but `1` was off, and a number that is none ended the program.
- *Inactive* means that there is no such thing here, with the reason; *not needed*, that it is so without a setting.

[SETTINGS.md](SETTINGS.md) has the keys with their ranges and defaults. What a key's machinery can't do on this machine or in
this version is `inactive` in `config show`, in plans and in reports, with the reason, and the job runs without it; a job
whose own file asks for it, or `--set`, is refused.

## Start lines

";

const LEVELS: &str = "\
The four levels of memory use are profiles, too: 1 is `profile: standard`, 2 `bnb4`, 3 (\"GPU Memory Preservation\" at 10 to
12) `aggressive`, 4 `extreme`. `framepackd config show --profile NAME` prints a profile's settings.

";

const VARIABLES: &str = "\
## Environment variables

| variable | values | default there | here | what it did there |
|---|---|---|---|---|
";

const FLAGS_HEAD: &str = "
## Flags

| flag | values | default there | here | what it did there |
|---|---|---|---|---|
";

const PARAMETERS_HEAD: &str = "
## Parameters of the web page

They are keys of a job file, and most of them also of the configuration, for jobs that do not set them.

| parameter | values and default there | here | what it did there |
|---|---|---|---|
";

const FUNCTIONS_HEAD: &str = "
## Functions

| function | values there | here | what it did there |
|---|---|---|---|
";

/// The page, in Markdown.
fn page() -> Result<String, Box<dyn std::error::Error>> {
    let mut page = INTRODUCTION.to_owned();
    for line in &START_LINES[..3] {
        writeln!(
            page,
            "**{}** ({}); the profile made from it is `{}`:\n",
            line.place, line.title, line.profile
        )?;
        writeln!(
            page,
            "```sh no-run: starts the Python application\n{}```\n\nbecomes\n",
            line.text
        )?;
        writeln!(page, "```yaml\n{}```\n", import(line.text, Pick::First)?)?;
    }
    page.push_str(LEVELS);
    page.push_str(VARIABLES);
    for name in variables() {
        page.push_str(&row(name));
    }
    page.push_str(FLAGS_HEAD);
    for name in &FLAGS {
        page.push_str(&row(name));
    }
    for (head, rows) in [
        (PARAMETERS_HEAD, &PARAMETERS[..]),
        (FUNCTIONS_HEAD, &FUNCTIONS),
    ] {
        page.push_str(head);
        for row in rows {
            let Parameter {
                name,
                values,
                here,
                there,
            } = row;
            writeln!(page, "| {name} | {values} | {here} | {there} |")?;
        }
    }
    Ok(page)
}

fn row(name: &Name) -> String {
    let here = match &name.meaning {
        Meaning::Sets { how, .. } => (*how).to_owned(),
        Meaning::Inactive(reason) => format!("*inactive*: {reason}"),
        Meaning::NotNeeded(reason) => format!("*not needed*: {reason}"),
    };
    let Name {
        name,
        values,
        default,
        there,
        ..
    } = name;
    format!("| `{name}` | {values} | {default} | {here} | {there} |\n")
}

fn main() -> ExitCode {
    let written = page().and_then(|page| Ok(io::stdout().write_all(page.as_bytes())?));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to do when stderr is gone.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_in_docs_is_this_one() {
        let written = include_str!("../../docs/FROM-FRAMEPACK.md");
        assert!(
            written == super::page().unwrap(),
            "docs/FROM-FRAMEPACK.md is not what the table says: run `make docs`"
        );
    }
}
