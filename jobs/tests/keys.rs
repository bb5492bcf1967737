//! A job's key decides whether it is a duplicate, and its seed: it must not move when settings are added.

use std::{fs, path::Path};

use framepack_jobs::{
    JobSpec, Settings, Surroundings, Validated, Value,
    settings::{BACKGROUND, Farm, Origin, TABLE},
};

/// Keys of the examples, of a picture whose hash is 64 zeros, as the first version made them.
const KEYS: [(&str, &str); 9] = [
    (
        "all-keys",
        "c22fcb7e61709dad110215037f31d6e82bba6b939562bf375a93d3889d919a82",
    ),
    (
        "bouncing-ball",
        "ed8e29c3953a220d76917183c07ee2f01365ffdda925355bdec9e90b5768f76f",
    ),
    (
        "circling-hexagon-f1",
        "b5d6d060ec5e5bed53ed66c4d266bc3aace0c471b46bf35d1a3e800177d56724",
    ),
    (
        "growing-square",
        "b3a650519e15b5065017194697e39759f12878689b8df81234f72aac992d21f1",
    ),
    (
        "overnight",
        "06f31b4cdb49c2ba2729d05b8206a3dd13e9fbda00ea21c0de1ed61dd8fc3bae",
    ),
    (
        "photo-pan",
        "36de402ccf6720c55204abdae9e8f98ea0f31d8f11367c7537e0b7abfc500f5b",
    ),
    (
        "quickstart",
        "54ec73a96034ad668cef8230cf3d2b0153bd4869e2c33d24a52aa5b674714106",
    ),
    (
        "star-to-the-right",
        "59905dd9e9b9a49d83391d58ef80d62c02767ddeeb6fc898aff7f8c986a498ea",
    ),
    (
        "two-objects",
        "0835e24b3312b9723e4ba9d04c3a999db12546e43355bc188078e9e52c49b5c8",
    ),
];

fn validated(text: &str, stem: &str, farm_defaults: &Settings) -> Validated {
    let mut farm = Farm::default();
    for row in TABLE {
        if let Some(value) = farm_defaults.get(row) {
            let origin = Origin::File {
                key: row.key.to_owned(),
            };
            farm.set(row, value.clone(), origin);
        }
    }
    let surroundings = Surroundings {
        file_stem: stem.to_owned(),
        bundle_latent_window: 9,
        farm,
    };
    JobSpec::parse(text)
        .and_then(|spec| spec.validate(&surroundings))
        .unwrap_or_else(|problems| panic!("{stem}:\n{problems}"))
}

fn key(job: &Validated) -> String {
    job.key_for(&"0".repeat(64), 7)
}

fn farm(settings: &[(&str, Value)]) -> Settings {
    let mut farm = Settings::default();
    for (key, value) in settings {
        farm.set(*key, value.clone());
    }
    farm
}

#[test]
fn keys_of_the_examples_stay_what_they_are() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for (stem, expected) in KEYS {
        let text = fs::read_to_string(folder.join(format!("{stem}.yaml"))).unwrap();
        // Its own key would hide the one that is made.
        let text = text.replace("key: astronaut-take-1\n", "");
        let job = validated(&text, stem, &Settings::default());
        assert_eq!(key(&job), expected, "{stem}");
    }
}

#[test]
fn farm_wide_defaults_are_for_jobs_that_do_not_say_and_leave_their_keys() {
    let farm = farm(&[
        ("steps", Value::Integer(12)),
        ("guidance.distilled", Value::Number(6.0)),
        ("model", Value::from("f1")),
        ("output.crf", Value::Integer(60)),
        ("memory.preserve_gb", Value::Number(6.0)),
    ]);
    let text = "api: framepack/v1\nstart: {image: cat.jpg}\nmodel: original\noutput: {crf: 18}\n";
    let without = validated(text, "cat", &Settings::default());
    let with = validated(text, "cat", &farm);
    assert_eq!(key(&with), key(&without));
    assert_eq!(with.spec, without.spec);
    let applied: Vec<&str> = with.farm_defaults.iter().map(|(key, _)| key).collect();
    assert_eq!(applied, ["guidance.distilled", "steps"]);
    let rendered = with.spec.clone().with(&with.farm_defaults);
    assert_eq!(rendered.steps, Some(12));
    assert_eq!(rendered.guidance.distilled.to_bits(), 6_f64.to_bits());
    assert_eq!(rendered.output.crf, 18);

    let smallest = validated("api: framepack/v1\nstart: {image: a.png}\n", "a", &farm);
    let rendered = smallest.spec.clone().with(&smallest.farm_defaults);
    assert_eq!(rendered.output.crf, 51);
    let farm_key = key(&smallest);
    let steps = "api: framepack/v1\nstart: {image: a.png}\nsteps: 12\n";
    assert_ne!(key(&validated(steps, "a", &Settings::default())), farm_key);
}

#[test]
fn what_the_farm_makes_useless_is_told() {
    let text = "api: framepack/v1\nstart: {image: a.png}\n";
    let farm = farm(&[("guidance.rescale", Value::Number(0.5))]);
    let warnings = validated(text, "a", &farm).warnings;
    assert_eq!(
        warnings,
        ["guidance.rescale: not used, since guidance.cfg is 1"]
    );
}

#[test]
fn what_the_farm_makes_unplayable_is_told_unless_the_job_says_otherwise() {
    let text = "api: framepack/v1\nstart: {image: a.png}\n";
    let lossless = || farm(&[("output.crf", Value::Integer(0))]);
    let warnings = validated(text, "a", &lossless()).warnings;
    assert!(
        warnings[0].starts_with("output.crf: 0 is lossless"),
        "{warnings:?}"
    );
    let own = format!("{text}output: {{crf: 1}}\n");
    assert_eq!(
        validated(&own, "a", &lossless()).warnings,
        Vec::<String>::new()
    );
}

#[test]
fn keys_beside_the_table_are_keys_of_a_job_file() {
    for key in framepack_jobs::settings::JOB_KEYS {
        let entry = match key.split_once('.') {
            Some((section, key)) => format!("{section}: {{{key}: }}"),
            None => format!("{key}: "),
        };
        let problems = match JobSpec::parse(&format!("{entry}\n")) {
            Ok(_) => String::new(),
            Err(problems) => problems.to_string(),
        };
        assert!(!problems.contains("unknown key"), "{key}: {problems}");
    }
}

#[test]
fn the_background_counts_where_it_is_not_white() {
    let text = |background: &str| {
        format!("api: framepack/v1\nstart: {{image: a.png, background: {background}}}\n")
    };
    let black = farm(&[("start.background", Value::from("#000000"))]);
    let job = |background: &str, farm: &Settings| validated(&text(background), "a", farm);
    let without = validated("api: framepack/v1\nstart: {image: a.png}\n", "a", &black);
    let white = job("\"#FFFFFF\"", &black);
    assert_eq!(key(&white), key(&without));
    assert_ne!(key(&job("\"#fffffe\"", &black)), key(&white));
    let rendered = |job: &framepack_jobs::Validated| {
        let spec = job.spec.clone().with(&job.farm_defaults);
        spec.settings.get(&BACKGROUND).cloned()
    };
    assert_eq!(rendered(&white), None, "a job's own white is white");
    assert_eq!(rendered(&without), Some(Value::from("#000000")));
    let own = rendered(&job("\"#A0b0C0\"", &black));
    assert_eq!(own, Some(Value::from("#a0b0c0")));

    for (wrong, says) in [
        ("123456", "in quotes"),
        ("\"white\"", "#ffffff"),
        ("\"#fff\"", "#rrggbb"),
    ] {
        let problems = JobSpec::parse(&text(wrong)).unwrap_err();
        let problem = problems.iter().next().unwrap();
        let said = format!("{problem} {}", problem.hint.as_deref().unwrap_or_default());
        assert!(said.contains(says), "{wrong}: {said}");
    }
}
