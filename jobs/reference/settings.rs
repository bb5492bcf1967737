//! docs/SETTINGS.md, made from the table.

use std::fmt::Write;

use framepack_jobs::{
    Row,
    settings::{Counts, Profile, Scope, Standing, TABLE},
};

const INTRODUCTION: &str = "\
<!-- Made by `make docs` from jobs/src/settings/table.rs. -->
# Settings

Everything that affects a job's video, or the time that it takes. A key with a dot is a key in a mapping: `guidance.cfg` is written
`guidance: {cfg: 2}`.

A *job* sets it in its file. The *farm* sets it in the daemon's configuration, under the same key, or in its environment
(`FRAMEPACKD_GUIDANCE_CFG`), for all jobs that do not set it themselves. Such farm-wide defaults are not part of a job's
`key`: a file that is dropped again under other defaults is still a duplicate, and its report says what differs.

Of several values for a key the strongest counts: `--set KEY=VALUE` of `framepackctl submit` or `plan`, the job file, the profile
or preset that the job names, the daemon's environment (`FRAMEPACKD_…`, then the names of the Python application; both set to
different values are an error), the configuration file, the profile or preset that the configuration names, the default. The
environment of `framepackctl` is never read. What *counts at the start* of a job is the farm's value when its run begins; what
does not is the one when it was accepted.

`framepackd config show --origin` prints the farm's values and where each comes from; a job's report has the same for what its
last run used (`settings`). What is *not built* does nothing in this version. A job that asks for it itself is refused with the
reason; a job for which a profile, a preset or the farm asks runs without it, and `plan`, report and `config show` say
`inactive` and why. [The job file](JOB.md) has
an example of each key, and the keys that say when a job runs and where its video goes.

Settings of the VAE can contradict each other: `vae.mode: reference` decodes without a chunk, a blend or quality, and
`vae.quality: on` without a chunk or blend of its own choice. A job file or `--set` with `vae.mode: reference` and one of the
three is refused. Otherwise the stronger source wins, the reference where both are equally strong, and quality over any chunk
and blend; what is overruled is `inactive`, with the reason, in the same places.

`framepackctl reload` has the daemon read its configuration again. Of a farm-wide default that was changed, the new value is for
*new jobs*, and those that are queued keep the one that they were accepted with; or for the *next runs*, also of queued jobs; or
it takes a *restart* of the daemon. Running jobs keep what they began with.

| key | type and range | default | set by | | after a reload | in the Python application |
|---|---|---|---|---|---|---|
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
    page.push_str(PROFILES);
    for profile in Profile::all() {
        let _ = write!(page, "\n```yaml\n{}```\n", profile.described());
    }
    page
}

const PROFILES: &str = "
## Profiles and presets

`profile` and `preset` name sets of settings: those below, and the presets that the configuration has under `presets`. A job's
profile replaces the farm's, and its presets replace the farm's. Presets win over the profile, the last one over the others, and what a job or the configuration sets
itself over all of them. `config show --profile NAME` prints one.
";

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
    let note = match (row.standing, row.counts) {
        (Standing::Unbuilt(_), _) => "not built",
        (Standing::FallsBack(_), _) => "falls back",
        (Standing::Built, Counts::AtStart) if row.scope == Scope::Both => "counts at the start",
        (Standing::Built, _) => "",
    };
    let applies = row
        .applies()
        .map_or("–".to_owned(), |applies| applies.to_string());
    // Writing into a string does not fail.
    let _ = writeln!(
        page,
        "| `{}` | {} | {} | {scope} | {note} | {applies} | {original} |",
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
}
