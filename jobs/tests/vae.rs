//! The VAE's settings: what a job file may say, what counts of it, and what the worker is told.
#![expect(clippy::unwrap_used, reason = "a test's fixtures are right")]

use std::path::PathBuf;

use framepack_jobs::{
    BundleDefaults, Code, Job, JobId, JobSpec, JobState, Runs, Source, Surroundings, Validated,
    settings::{Farm, Origin, Presets, TABLE, for_worker, layers, used},
};

const SMALLEST: &str = "api: framepack/v1\nstart: {image: a.png}\n";

/// The farm's settings, as in `vae.chunk=2 @env, profile=bnb4 @file`; profile and preset set what they name.
fn farm(said: &str) -> Farm {
    let mut farm = Farm::default();
    let mut named = [None, None];
    let mut own = Vec::new();
    for part in said.split(", ").filter(|part| !part.is_empty()) {
        let (given, from) = part.split_once(" @").unwrap();
        let (key, text) = given.split_once('=').unwrap();
        let row = TABLE.into_iter().find(|row| row.key == key).unwrap();
        let value = row.read_text(text).unwrap();
        match key {
            "profile" => named[0] = Some(value.clone()),
            "preset" => named[1] = Some(value.clone()),
            _ => {}
        }
        let key = key.to_owned();
        let origin = match from {
            "env" => Origin::Environment { variable: key },
            _ => Origin::File { key },
        };
        own.push((row, value, origin));
    }
    let [profile, preset] = named;
    let beneath = layers(profile.as_ref(), preset.as_ref(), &Presets::new()).unwrap();
    for (origin, settings) in beneath {
        for row in TABLE {
            if let Some(value) = settings.get(row) {
                farm.set(row, value.clone(), origin.clone());
            }
        }
    }
    for (row, value, origin) in own {
        farm.set(row, value, origin);
    }
    farm
}

fn parsed(lines: &str, set: &[&str]) -> Result<JobSpec, String> {
    let set: Vec<String> = set.iter().map(ToString::to_string).collect();
    JobSpec::parse_with(&format!("{SMALLEST}{lines}"), &set)
        .map_err(|problems| problems.to_string())
}

fn validated(lines: &str, set: &[&str], farm: &Farm) -> Validated {
    let surroundings = Surroundings {
        file_stem: "a".to_owned(),
        bundle_latent_window: 9,
        farm: farm.clone(),
    };
    parsed(lines, set).unwrap().validate(&surroundings).unwrap()
}

fn job(validated: Validated) -> Job {
    Job {
        id: JobId(1),
        key: validated.key_for("image", 1),
        name: validated.name,
        state: JobState::Queued,
        submitted_at: "2026-11-23T05:16:08.000001Z".parse().unwrap(),
        source: Source::Folder {
            file: PathBuf::from("a.yaml"),
        },
        spec: validated.spec,
        farm_defaults: validated.farm_defaults,
        origins: validated.origins,
        seed: 1,
        image: PathBuf::from("/a.png"),
        output: PathBuf::from("/a.mp4"),
        schedule: validated.schedule,
        runs: Runs::default(),
        warnings: validated.warnings,
    }
}

#[test]
fn a_job_file_may_say_all_of_the_vae_that_goes_together() {
    for lines in [
        "vae: {mode: auto, chunk: auto, quality: off, blend: auto}",
        "vae: {mode: chunked, chunk: 1, blend: 0}",
        "vae: {chunk: 8, blend: 16, quality: on}",
        "vae: {mode: chunked, quality: on}",
        "vae: {mode: reference, chunk: auto, quality: off, blend: auto}",
        "vae:\n  mode: reference\n  chunk: null",
        // Weaker than the job's own.
        "vae: {chunk: 3}\nprofile: bnb4\npreset: quality",
        "vae: {mode: reference}\nprofile: bnb4\npreset: quality",
    ] {
        assert!(
            parsed(lines, &[]).is_ok(),
            "{lines}: {:?}",
            parsed(lines, &[])
        );
    }
}

#[test]
fn what_is_no_value_of_the_vaes_keys_is_refused_with_the_place() {
    for (lines, expected) in [
        (
            "vae: {chunk: 0}",
            "line 3, column 14: vae.chunk: 0 is out of range (1 to 8)",
        ),
        (
            "vae: {chunk: 9}",
            "line 3, column 14: vae.chunk: 9 is out of range (1 to 8)",
        ),
        (
            "vae: {chunk: off}",
            "line 3, column 14: vae.chunk: `off` is neither auto nor a whole number, 1 to 8",
        ),
        (
            "vae: {blend: 17}",
            "line 3, column 14: vae.blend: 17 is out of range (0 to 16)",
        ),
        (
            "vae: {mode: refrence}",
            "line 3, column 13: vae.mode: `refrence` is not a way of decoding; expected auto, reference or chunked \
             (did you mean `reference`?)",
        ),
        (
            "vae: {quality: 1}",
            "line 3, column 16: vae.quality: expected on or off; found 1 (write `on`)",
        ),
        (
            "vae: {chunks: 2}",
            "line 3, column 7: vae.chunks: unknown key (did you mean `chunk`?)",
        ),
        (
            "vae: 2",
            "line 3, column 6: vae: expected a mapping with keys; found 2 (known keys here: mode, chunk, quality, blend, overlap, \
             tensorrt)",
        ),
        (
            "vae: {dtype: f32}",
            "line 3, column 7: vae.dtype: not available in this version: the VAE computes in the type that it was made for; \
             `vae.quality` takes f32 where it counts (remove it)",
        ),
        (
            "quality_mode: true",
            "line 3, column 1: quality_mode: not available in this version: quality mode is `vae.quality` (remove it)",
        ),
    ] {
        assert_eq!(parsed(lines, &[]).unwrap_err(), expected, "{lines}");
    }
}

#[test]
fn a_job_that_contradicts_itself_is_refused_with_both_keys_and_the_place() {
    let hint = "remove one of the two, or write `vae: {mode: auto}`";
    let contradicts = "contradicts `vae.mode: reference`, which decodes without it";
    for (lines, set, places) in [
        (
            "vae: {mode: reference, chunk: 2}",
            &[][..],
            &["line 3, column 31: vae.chunk: `vae.chunk: 2`"][..],
        ),
        (
            "vae:\n  blend: 0\n  quality: true\n  mode: reference",
            &[],
            &[
                "line 4, column 10: vae.blend: `vae.blend: 0`",
                "line 5, column 12: vae.quality: `vae.quality: on`",
            ],
        ),
        (
            "vae: {mode: reference}",
            &["vae.chunk=1"],
            &["--set vae.chunk: `vae.chunk: 1`"],
        ),
        (
            "vae: {quality: on}",
            &["vae.mode=reference"],
            &["line 3, column 16: vae.quality: `vae.quality: on`"],
        ),
        (
            "",
            &["vae.mode=reference", "vae.blend=4"],
            &["--set vae.blend: `vae.blend: 4`"],
        ),
    ] {
        let expected: Vec<String> = places
            .iter()
            .map(|place| format!("{place} {contradicts} ({hint})"))
            .collect();
        let said = parsed(lines, set).unwrap_err();
        assert_eq!(said, expected.join("\n"), "{lines} {set:?}");
    }
    let text = format!("{SMALLEST}vae: {{mode: reference, chunk: 2}}\n");
    let problems = JobSpec::parse(&text).unwrap_err();
    let codes: Vec<Code> = problems.iter().map(|problem| problem.kind.into()).collect();
    assert_eq!(codes, [Code::OUT_OF_RANGE]);
    // What `--set` takes back contradicts nothing.
    for set in ["vae.chunk=auto", "vae.mode=auto"] {
        assert!(
            parsed("vae: {mode: reference, chunk: 2}", &[set]).is_ok(),
            "{set}"
        );
    }
}

/// A job file's lines, the farm's settings, what the worker is told, and what does nothing, for which report and warnings
/// have a reason.
fn assert_told(table: &[(&str, &str, &str, &str)]) {
    for (lines, said, told, nothing) in table {
        let farm = farm(said);
        let job = job(validated(lines, &[], &farm));
        assert_eq!(worker(&job, &farm), *told, "{lines} {said}");
        let settings = used(&job, &farm, &BundleDefaults::default());
        let inactive = settings.iter().filter(|setting| setting.inactive.is_some());
        let inactive = inactive.map(|setting| setting.key.as_str());
        let warned = job.warnings.iter();
        let warned = warned.filter_map(|warning| Some(warning.split_once(": inactive: ")?.0));
        for found in [inactive.collect::<Vec<_>>(), warned.collect()] {
            let of_the_vae = found.into_iter().filter(|key| key.starts_with("vae."));
            let of_the_vae: Vec<&str> = of_the_vae.collect();
            assert_eq!(of_the_vae.join(" "), *nothing, "{lines} {said}");
        }
    }
}

fn worker(job: &Job, farm: &Farm) -> String {
    let told = for_worker(job, farm);
    let told = told.iter().filter(|(key, _)| key.starts_with("vae."));
    let told: Vec<String> = told.map(|(key, value)| format!("{key}: {value}")).collect();
    told.join(", ").replace('"', "")
}

#[test]
fn the_worker_is_told_what_counts_and_everybody_else_what_does_not() {
    assert_told(&[
        ("", "", "", ""),
        ("vae: {mode: auto, chunk: auto}", "", "", ""),
        ("vae: {chunk: 2}", "", "vae.chunk: 2", ""),
        (
            "vae: {chunk: 2, blend: 0, mode: chunked}",
            "",
            "vae.blend: 0, vae.chunk: 2, vae.mode: chunked",
            "",
        ),
        (
            "vae: {chunk: 2, blend: 8, quality: on}",
            "",
            "vae.quality: on",
            "vae.chunk vae.blend",
        ),
        (
            "vae: {mode: reference}",
            "vae.chunk=2 @file, vae.blend=3 @env, vae.quality=on @env",
            "vae.mode: reference",
            "vae.chunk vae.quality vae.blend",
        ),
        (
            "vae: {chunk: 2}",
            "vae.mode=reference @env",
            "vae.chunk: 2",
            "vae.mode",
        ),
        (
            "",
            "vae.mode=reference @file, vae.chunk=2 @env",
            "vae.chunk: 2",
            "vae.mode",
        ),
        (
            "",
            "vae.mode=reference @file, vae.chunk=2 @file",
            "vae.mode: reference",
            "vae.chunk",
        ),
    ]);
}

#[test]
fn of_profiles_and_presets_the_worker_is_told_what_counts() {
    assert_told(&[
        ("profile: bnb4", "", "vae.chunk: 2", ""),
        (
            "profile: bnb4\npreset: quality",
            "",
            "vae.quality: on",
            "vae.chunk",
        ),
        (
            "vae: {chunk: 4}",
            "profile=extreme @file",
            "vae.chunk: 4",
            "",
        ),
        (
            "vae: {mode: reference}\nprofile: bnb4\npreset: hands",
            "",
            "vae.mode: reference",
            "vae.chunk vae.quality",
        ),
        (
            "profile: bnb4",
            "vae.mode=reference @env",
            "vae.chunk: 2",
            "vae.mode",
        ),
        (
            "",
            "vae.mode=reference @file, profile=bnb4 @file",
            "vae.mode: reference",
            "vae.chunk",
        ),
        ("vae: {quality: off}", "vae.quality=on @env", "", ""),
        (
            "vae: {mode: auto}",
            "vae.mode=reference @env, vae.chunk=3 @file",
            "vae.chunk: 3",
            "",
        ),
        (
            "preset: []",
            "preset=quality @file, vae.chunk=1 @file",
            "vae.chunk: 1",
            "",
        ),
    ]);
}

#[test]
fn the_farms_settings_of_the_vae_are_those_of_when_a_job_was_accepted() {
    let before = farm("vae.chunk=2 @file");
    let accepted = job(validated("", &[], &before));
    let after = farm("vae.quality=on @file, vae.mode=reference @env");
    assert_eq!(worker(&accepted, &after), "vae.chunk: 2");
}

#[test]
fn a_job_that_decodes_otherwise_is_another_job_and_the_defaults_leave_its_key() {
    let nothing = Farm::default();
    let key = |lines: &str, farm: &Farm| validated(lines, &[], farm).key_for("image", 1);
    let plain = key("", &nothing);
    for lines in [
        "vae: {mode: auto, chunk: auto, quality: off, blend: auto}",
        "vae: {}",
    ] {
        assert_eq!(key(lines, &nothing), plain, "{lines}");
    }
    assert_eq!(key("", &farm("vae.chunk=2 @file")), plain);
    let mut keys = vec![plain];
    for lines in [
        "vae: {mode: reference}",
        "vae: {mode: chunked}",
        "vae: {chunk: 2}",
        "vae: {chunk: 3}",
        "vae: {quality: on}",
        "vae: {blend: 0}",
    ] {
        let key = key(lines, &nothing);
        assert!(!keys.contains(&key), "{lines}");
        keys.push(key);
    }
}

#[test]
fn a_reason_names_the_setting_that_counts_and_its_source() {
    let farm = farm("vae.chunk=2 @env");
    let warnings = validated("vae: {mode: reference}", &[], &farm).warnings;
    assert_eq!(
        warnings,
        [
            "vae.chunk: inactive: `vae.mode: reference` (from job file) decodes without it (2, from vae.chunk)"
        ]
    );
}
