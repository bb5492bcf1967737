//! Which of the VAE's settings counts.

use super::*;
use crate::settings::table::TABLE;

/// What is overruled of settings that are written as in `vae.chunk=2 @job, preset=a+b @file`.
fn overruled(said: &str) -> BTreeMap<&'static str, String> {
    let origin = |from: &str| match from.split_once(' ') {
        Some(("preset", name)) => Origin::Preset {
            name: name.to_owned(),
        },
        Some((_, name)) => Origin::Profile {
            name: name.to_owned(),
        },
        None => match from {
            "set" => Origin::Set,
            "job" => Origin::Job,
            "environment" => Origin::Environment {
                variable: "V".to_owned(),
            },
            _ => Origin::File {
                key: "k".to_owned(),
            },
        },
    };
    let mut given = BTreeMap::new();
    for part in said.split(", ").filter(|part| !part.is_empty()) {
        let (setting, from) = part.split_once(" @").unwrap();
        let (key, text) = setting.split_once('=').unwrap();
        let row = TABLE.into_iter().find(|row| row.key == key).unwrap();
        let value = row.read_text(&text.replace('+', ",")).unwrap();
        given.insert(key, (value, origin(from)));
    }
    Overruled::among(|row| given.get(row.key).cloned()).0
}

fn assert_overruled(table: &[(&str, &str)]) {
    for (said, expected) in table {
        let found: Vec<&str> = overruled(said).into_keys().collect();
        assert_eq!(found.join(" "), *expected, "{said}");
    }
}

#[test]
fn what_contradicts_nothing_counts() {
    assert_overruled(&[
        ("", ""),
        ("vae.mode=reference @job", ""),
        (
            "vae.mode=reference @job, vae.chunk=auto @job, vae.quality=off @job",
            "",
        ),
        (
            "vae.mode=auto @job, vae.chunk=2 @file, vae.blend=0 @file",
            "",
        ),
        (
            "vae.mode=chunked @job, vae.chunk=2 @file, vae.blend=0 @environment",
            "",
        ),
        ("vae.quality=on @preset n, vae.chunk=auto @job", ""),
    ]);
}

#[test]
fn of_contradicting_settings_the_stronger_counts_and_the_reference_of_equal_ones() {
    assert_overruled(&[
        (
            "vae.mode=reference @job, vae.chunk=2 @file, vae.blend=0 @environment, vae.quality=on @profile p",
            "vae.blend vae.chunk vae.quality",
        ),
        ("vae.mode=reference @file, vae.chunk=2 @job", "vae.mode"),
        (
            "vae.mode=reference @environment, vae.blend=0 @set",
            "vae.mode",
        ),
        (
            "vae.mode=reference @environment, vae.quality=on @job",
            "vae.mode",
        ),
        // The environment over the file, the file over presets, presets over the profile, the last preset over others.
        (
            "vae.mode=reference @file, vae.chunk=2 @environment",
            "vae.mode",
        ),
        (
            "vae.mode=reference @environment, vae.chunk=2 @file",
            "vae.chunk",
        ),
        (
            "vae.mode=reference @preset n, vae.chunk=2 @file, preset=n @file",
            "vae.mode",
        ),
        (
            "vae.mode=reference @profile p, vae.quality=on @preset n, preset=n @file",
            "vae.mode",
        ),
        (
            "vae.mode=reference @preset a, vae.chunk=2 @preset b, preset=a+b @job",
            "vae.mode",
        ),
        (
            "vae.mode=reference @preset a, vae.chunk=2 @preset b, preset=b+a @job",
            "vae.chunk",
        ),
        // What the job names is stronger than the farm, and weaker than the job.
        (
            "vae.mode=reference @environment, vae.chunk=2 @profile bnb4, profile=bnb4 @job",
            "vae.mode",
        ),
        (
            "vae.mode=reference @environment, vae.chunk=2 @profile bnb4, profile=bnb4 @file",
            "vae.chunk",
        ),
        (
            "vae.mode=reference @job, vae.chunk=2 @preset a, preset=a @job",
            "vae.chunk",
        ),
        // Equally strong.
        (
            "vae.mode=reference @file, vae.chunk=2 @file, vae.quality=on @file",
            "vae.chunk vae.quality",
        ),
        (
            "vae.mode=reference @preset a, vae.blend=0 @preset a, preset=a @job",
            "vae.blend",
        ),
    ]);
}

#[test]
fn quality_wins_over_any_chunk_and_blend_unless_the_reference_overrules_it() {
    assert_overruled(&[
        (
            "vae.quality=on @file, vae.chunk=2 @job, vae.blend=0 @job",
            "vae.blend vae.chunk",
        ),
        ("vae.quality=on @profile p, vae.chunk=2 @set", "vae.chunk"),
        // A farm that contradicts itself, and a job that is stronger.
        (
            "vae.mode=reference @file, vae.quality=on @file, vae.chunk=2 @job",
            "vae.mode vae.quality",
        ),
        (
            "vae.mode=reference @file, vae.quality=on @environment, vae.chunk=2 @job",
            "vae.chunk vae.mode",
        ),
    ]);
}

#[test]
fn the_reason_names_what_is_stronger_and_who_says_it() {
    let reasons = overruled("vae.mode=reference @job, vae.chunk=2 @environment");
    assert_eq!(
        reasons["vae.chunk"],
        "`vae.mode: reference` (from job file) decodes without it"
    );
    let reasons =
        overruled("vae.mode=reference @file, vae.chunk=2 @job, vae.quality=on @environment");
    assert_eq!(
        reasons["vae.mode"],
        "`vae.chunk: 2` (from job file) is stronger"
    );
    assert_eq!(
        reasons["vae.chunk"],
        "`vae.quality: on` (from V) decodes in larger tiles than any chunk, and fades as it needs"
    );
}

#[test]
fn a_job_contradicts_itself_with_what_the_reference_does_without() {
    let mode = Value::from("reference");
    let (two, on, auto) = (Value::Integer(2), Value::from("on"), Value::from("auto"));
    let keys = |mode: &Value, chunk: &Value| -> Vec<&str> {
        let said = |row: &'static Row| match row.key {
            "vae.mode" => Some(mode.clone()),
            "vae.chunk" => Some(chunk.clone()),
            "vae.quality" => Some(on.clone()),
            _ => None,
        };
        let said: BTreeMap<_, _> = [&VAE_MODE, &VAE_CHUNK, &VAE_QUALITY]
            .into_iter()
            .filter_map(|row| Some((row.key, said(row)?)))
            .collect();
        let found = contradictions(|row| said.get(row.key));
        found.into_iter().map(|(row, _)| row.key).collect()
    };
    assert_eq!(keys(&mode, &two), ["vae.quality", "vae.chunk"]);
    assert_eq!(keys(&mode, &auto), ["vae.quality"]);
    assert!(keys(&auto, &two).is_empty());
}
