//! docs/SETTINGS.md, made from the table.

use std::fmt::Write;

use framepack_jobs::{
    Row,
    settings::{Scope, TABLE},
};

const INTRODUCTION: &str = "\
<!-- Made by `make docs` from jobs/src/settings/table.rs. -->
# Settings

Everything that affects a job's video, or the time that it takes. A key with a dot is a key in a mapping: `guidance.cfg` is written
`guidance: {cfg: 2}`.

A *job* sets it in its file. The *farm* sets it in the daemon's configuration, under the same key, or in its environment
(`FRAMEPACKD_GUIDANCE_CFG`), for all jobs that do not set it themselves. Such farm-wide defaults are not part of a job's
`key`: a file that is dropped again under other defaults is still a duplicate, and its report says what differs.

`framepackd config show --origin` prints the farm's values and where each comes from. The other keys of a job file, which
say when it runs and where its video goes, are in [the job file](../README.md#a-job).

| key | type and range | default | set by | in the Python application |
|---|---|---|---|---|
";

/// The page, in Markdown.
pub(crate) fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for row in TABLE {
        add(&mut page, row);
    }
    page.push('\n');
    for row in TABLE {
        let _ = writeln!(page, "- **`{}`**: {}.", row.key, row.about);
    }
    page
}

fn add(page: &mut String, row: &Row) {
    let scope = match row.scope {
        Scope::Job => "job",
        Scope::Farm => "farm",
        Scope::Both => "job, farm",
    };
    let original = match row.original {
        [] => "–".to_owned(),
        names => names.join(", "),
    };
    // Writing into a string does not fail.
    let _ = writeln!(
        page,
        "| `{}` | {} | {} | {scope} | {original} |",
        row.key, row.kind, row.default
    );
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    #[test]
    fn the_page_in_the_documents_is_this_one() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/SETTINGS.md");
        let page = fs::read_to_string(path).unwrap();
        assert!(page == super::page(), "run `make docs`");
    }

    #[test]
    fn the_readmes_list_of_keys_has_all_that_a_job_may_set() {
        let readme = include_str!("../../README.md");
        for row in super::TABLE {
            let listed = readme.contains(&format!("| `{}` |", row.key));
            assert_eq!(listed, row.scope != super::Scope::Farm, "{}", row.key);
        }
    }
}
