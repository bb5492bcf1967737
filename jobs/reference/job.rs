//! docs/JOB.md: every key of a job file. Settings are rows of the table; the other keys are listed in [`schedule`], which
//! tests hold against what the parser accepts.

mod examples;
mod schedule;

use std::fmt::Write;

use framepack_jobs::{
    Row,
    settings::{Scope, Standing, TABLE},
};

const INTRODUCTION: &str = "\
<!-- Made by `make docs` from jobs/src/settings/table.rs and jobs/reference/job. -->
# The job file

A job is a short YAML file: one photo, one sentence.

```yaml
api: framepack/v1
start:
  image: inputs/astronaut.jpg
prompt: A portrait of an astronaut, the camera pans left.
```

These three keys are all that most jobs need; `jobs/examples/` has more jobs. A key with a dot is a key in a mapping: `guidance.cfg` is written as
the examples of the table show, or on lines of its own.

- A video has a whole number of sections of 1.2 s, plus one frame: 36 N + 1 frames at 30 frames per second, so that 5 seconds
  are 145 frames.
- Keys that are misspelt, of the wrong type or out of range are rejected with the key, the line, the range and a suggestion.
  Nothing is rendered from a file with a mistake.
- `framepackctl submit --set KEY=VALUE` sets a key beside the file. Settings that a job does not set come from the farm's
  configuration; [Settings](SETTINGS.md) says which value counts, and lists profiles and presets.
- Where job files go, when they are taken and what may lie beside them is in
  [Operations](OPERATIONS.md#the-jobs-folder).

## When it runs, and where its video goes

";

const TABLE_HEAD: &str = "\
| key | type and range | default | example | meaning |
|---|---|---|---|---|
";

/// The page, in Markdown.
pub(crate) fn page() -> String {
    let mut page = format!("{INTRODUCTION}{TABLE_HEAD}");
    for key in &schedule::KEYS {
        let cells = [key.name, key.range, key.default, key.example, key.about];
        add(&mut page, cells);
    }
    page.push_str("\n## What the video shows, and how it is rendered\n\n");
    page.push_str(TABLE_HEAD);
    for row in TABLE.into_iter().filter(|row| is_offered(row)) {
        let (range, default) = (row.kind.to_string(), row.default.to_string());
        let about = about(row);
        add(
            &mut page,
            [row.key, &range, &default, examples::of(row.key), &about],
        );
    }
    let refused = TABLE.into_iter().filter(|row| is_refused(row));
    let refused: Vec<_> = refused.map(|row| format!("`{}`", row.key)).collect();
    // Writing into a string does not fail.
    let _ = write!(
        page,
        "\nKeys that exist in the Python application and are not built here, so that a job with another value than their \
         default is refused\n(FP2105): {}. [Settings](SETTINGS.md) says why of each.\n",
        refused.join(", ")
    );
    page
}

fn about(row: &Row) -> String {
    match row.standing {
        Standing::FallsBack(_) => format!("{} (not built: it always falls back)", row.about),
        Standing::Built | Standing::Unbuilt(_) => row.about.to_owned(),
    }
}

fn is_offered(row: &Row) -> bool {
    row.scope != Scope::Farm && !is_refused(row)
}

fn is_refused(row: &Row) -> bool {
    row.scope != Scope::Farm && matches!(row.standing, Standing::Unbuilt(_))
}

/// Key, range, default, example and meaning.
fn add(page: &mut String, [key, range, default, example, about]: [&str; 5]) {
    // Writing into a string does not fail.
    let _ = writeln!(
        page,
        "| `{key}` | {range} | {default} | `{example}` | {about} |"
    );
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use framepack_jobs::{JobSpec, Surroundings, Validated, settings::Farm};

    use super::*;

    /// What a job must have beside the example.
    pub(super) fn job_with(example: &str) -> String {
        let mut text = String::new();
        for (key, line) in [
            ("api:", "api: framepack/v1\n"),
            ("start:", "start: {image: cat.jpg}\n"),
        ] {
            if !example.starts_with(key) {
                text.push_str(line);
            }
        }
        let image = match example.strip_prefix("start: {background") {
            Some(rest) => format!("start: {{image: cat.jpg, background{rest}"),
            None => example.to_owned(),
        };
        format!("{text}{image}\n")
    }

    pub(super) fn accepted(example: &str) -> Result<Validated, String> {
        let surroundings = Surroundings {
            file_stem: "cat".to_owned(),
            bundle_latent_window: 9,
            farm: Farm::default(),
        };
        let text = job_with(example);
        let validated = JobSpec::parse(&text).and_then(|spec| spec.validate(&surroundings));
        validated.map_err(|problems| problems.to_string())
    }

    #[test]
    fn the_page_in_the_documents_is_this_one() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/JOB.md");
        let written = fs::read_to_string(path).unwrap();
        assert!(written == page(), "run `make docs`");
    }

    #[test]
    fn each_settings_example_is_accepted_and_sets_that_key() {
        for row in TABLE.into_iter().filter(|row| is_offered(row)) {
            let example = examples::of(row.key);
            let job = accepted(example).unwrap_or_else(|why| panic!("{example}: {why}"));
            assert!(job.origins.contains_key(row.key), "{}: {example}", row.key);
        }
    }

    #[test]
    fn there_is_no_example_of_a_key_that_does_not_exist() {
        for (key, _) in examples::EXAMPLES {
            let rows = TABLE.into_iter().filter(|row| is_offered(row));
            assert_eq!(rows.filter(|row| row.key == key).count(), 1, "{key}");
        }
    }
}
