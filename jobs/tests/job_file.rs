//! What is made of job files, good and bad.

use framepack_jobs::{
    Dependency, JobSpec, Model, Problems, Schedule, SeedSpec, Surroundings, Validated,
    settings::Farm,
};

const SMALLEST: &str = "api: framepack/v1\nstart: {image: cat.jpg}\n";

fn surroundings() -> Surroundings {
    Surroundings {
        file_stem: "my cat".to_owned(),
        bundle_latent_window: 9,
        farm: Farm::default(),
    }
}

fn validated(text: &str) -> Result<Validated, Problems> {
    JobSpec::parse(text)?.validate(&surroundings())
}

/// The smallest job with more keys.
fn with(keys: &str) -> Result<Validated, Problems> {
    validated(&format!("{SMALLEST}{keys}"))
}

#[track_caller]
fn assert_refused(text: &str, expected: &str) {
    let problems = validated(text).expect_err("the file is refused");
    assert_eq!(problems.to_string(), expected, "\n{text}");
}

#[test]
fn the_smallest_job_has_the_originals_defaults() {
    let job = validated(SMALLEST).unwrap();
    assert_eq!(job.name, "my cat");
    assert_eq!(job.warnings, Vec::<String>::new());
    let json = serde_json::to_value(&job.spec).unwrap();
    let expected = serde_json::json!({
        "model": "original",
        "start": {"image": "cat.jpg"},
        "prompt": "",
        "negative_prompt": "",
        "seed": "auto",
        "length": {"seconds": 5.0},
        "steps": null,
        "guidance": {"distilled": 10.0, "cfg": 1.0, "rescale": 0.0},
        "size": {"bucket": null},
        "latent_window": null,
        "output": {"dir": "", "name": "{name}-{seed}", "crf": 16},
    });
    assert_eq!(json, expected);
}

#[test]
fn every_key_arrives() {
    let text = "
api: framepack/v1
kind: Job
name: dancer.1
key: shot-042
model: f1
start: {image: inputs/dancer.png}
prompt: She dances.
negative_prompt: blurry
seed: 18446744073709551615
length: {seconds: 120}
steps: 30
guidance: {distilled: 1, cfg: 2.5, rescale: 0.7}
size: {bucket: 512}
latent_window: 9
output: {dir: shots/042, name: 'take {seed}', crf: 1}
";
    let Validated {
        name,
        key,
        spec,
        warnings,
        ..
    } = validated(text).unwrap();
    assert_eq!(
        (name.as_str(), key.as_deref()),
        ("dancer.1", Some("shot-042"))
    );
    assert_eq!(spec.model, Model::F1);
    assert_eq!(spec.seed, SeedSpec::Fixed(u64::MAX));
    assert_eq!(spec.length.secs.to_bits(), 120_f64.to_bits());
    assert_eq!((spec.steps, spec.latent_window), (Some(30), Some(9)));
    assert_eq!(spec.size.bucket, Some(512));
    assert_eq!(spec.output.dir.to_str(), Some("shots/042"));
    assert_eq!(spec.output.name.fill(&name, 7), "take 7");
    assert_eq!(warnings, Vec::<String>::new());
}

#[test]
fn json_is_accepted_as_well() {
    let text = r#"{"api": "framepack/v1", "start": {"image": "a.png"}, "steps": 7}"#;
    assert_eq!(validated(text).unwrap().spec.steps, Some(7));
}

#[test]
fn the_key_is_the_content_not_its_spelling() {
    let key = |text: &str| validated(text).unwrap().key_for("image", 1);
    let spelt =
        "# a comment\nstart:\n  image: \"cat.jpg\"\nlength: {seconds: 5}\napi: framepack/v1\n";
    assert_eq!(key(SMALLEST), key(spelt));
    assert_eq!(key(SMALLEST).len(), 64);
    for line in ["steps: 25", "name: other"] {
        assert_ne!(key(SMALLEST), with(line).unwrap().key_for("image", 1));
    }
    let smallest = validated(SMALLEST).unwrap();
    assert_ne!(key(SMALLEST), smallest.key_for("another image", 1));
    assert_eq!(with("key: k").unwrap().key_for("image", 1), "k");
    assert_eq!(key(SMALLEST), smallest.key_for("image", 2));
    let random = with("seed: random").unwrap();
    assert_ne!(random.key_for("image", 1), random.key_for("image", 2));
}

#[test]
fn what_has_no_effect_is_told() {
    for (keys, expected) in [
        (
            "negative_prompt: blurry",
            "negative_prompt: not used, since guidance.cfg is 1",
        ),
        (
            "guidance: {rescale: 0.5}",
            "guidance.rescale: not used, since guidance.cfg is 1",
        ),
        (
            "output: {crf: 60}",
            "output.crf: 60 is encoded as 51, the maximum of x264",
        ),
        (
            "output: {crf: 0}",
            "output.crf: 0 is lossless, in H.264's profile High 4:4:4 Predictive, which browsers, Windows and telephones \
             refuse to play; 1 looks the same and plays everywhere",
        ),
        (
            "latent_window: 5",
            "latent_window: 5, but the model was trained for 9",
        ),
    ] {
        assert_eq!(with(keys).unwrap().warnings, [expected]);
    }
    assert_eq!(with("output: {crf: 60}").unwrap().spec.output.crf, 51);
    let used = with("negative_prompt: blurry\nguidance: {cfg: 2, rescale: 0.5}").unwrap();
    assert_eq!(used.warnings, Vec::<String>::new());
}

#[test]
fn ranges_are_closed_and_types_are_kept() {
    for (keys, expected) in [
        (
            "steps: 0",
            "line 3, column 8: steps: 0 is out of range (1 to 100)",
        ),
        (
            "steps: 101",
            "line 3, column 8: steps: 101 is out of range (1 to 100)",
        ),
        (
            "steps: 2.5",
            "line 3, column 8: steps: expected a whole number, 1 to 100; found 2.5",
        ),
        (
            "steps: yes",
            "line 3, column 8: steps: expected a whole number, 1 to 100; found `yes`",
        ),
        (
            "length: {seconds: 0.5}",
            "line 3, column 19: length.seconds: 0.5 is out of range (1 to 120)",
        ),
        (
            "length: {seconds: .nan}",
            "line 3, column 19: length.seconds: NaN is out of range (1 to 120)",
        ),
        (
            "length: 5",
            "line 3, column 9: length: expected a mapping with keys; found 5 (known keys here: seconds)",
        ),
        (
            "guidance: {distilled: 33}",
            "line 3, column 23: guidance.distilled: 33 is out of range (1 to 32)",
        ),
        (
            "guidance: {cfg: [1]}",
            "line 3, column 17: guidance.cfg: expected a number, 1 to 32; found a list",
        ),
        (
            "guidance: {rescale: -0.1}",
            "line 3, column 21: guidance.rescale: -0.1 is out of range (0 to 1)",
        ),
        (
            "seed: -1",
            "line 3, column 7: seed: -1 is out of range (0 to 18446744073709551615)",
        ),
        (
            "seed: 18446744073709551616",
            "line 3, column 7: seed: 18446744073709551616 is out of range (0 to 18446744073709551615)",
        ),
        (
            "seed: often",
            "line 3, column 7: seed: expected auto, random or a whole number from 0 to 2^64-1; found `often`",
        ),
        (
            "latent_window: 34",
            "line 3, column 16: latent_window: 34 is out of range (1 to 33)",
        ),
        (
            "size: {bucket: 600}",
            "line 3, column 16: size.bucket: 600 is not a bucket; expected one of 128, 256, 384, 512, 640, 768 (the nearest is 640)",
        ),
        (
            "output: {crf: 101}",
            "line 3, column 15: output.crf: 101 is out of range (0 to 100)",
        ),
        (
            "prompt: 12",
            "line 3, column 9: prompt: expected text; found 12 (put it in quotes: \"12\")",
        ),
        (
            "model: f2",
            "line 3, column 8: model: `f2` is not a model; expected original or f1 (did you mean `f1`?)",
        ),
        (
            "name: cat/dog",
            "line 3, column 7: name: `cat/dog` is not a name: it has `/`, which file systems do not take; a name has 1 to 128 characters, and none of `/ \\ : * ? \" < > |` (write `cat_dog`)",
        ),
        (
            "key: ''",
            "line 3, column 6: key: 0 characters; 1 to 200 are accepted",
        ),
    ] {
        assert_refused(&format!("{SMALLEST}{keys}\n"), expected);
    }
}

#[test]
fn misspelt_keys_get_a_suggestion() {
    for (keys, expected) in [
        (
            "step: 5",
            "line 3, column 1: step: unknown key (did you mean `steps`?)",
        ),
        (
            "guidance: {distiled: 5}",
            "line 3, column 12: guidance.distiled: unknown key (did you mean `distilled`?)",
        ),
        (
            "output:\n  format: mov",
            "line 4, column 3: output.format: unknown key (known keys here: dir, name, crf)",
        ),
    ] {
        assert_refused(&format!("{SMALLEST}{keys}\n"), expected);
    }
}

#[test]
fn keys_of_later_versions_are_refused_with_the_reason() {
    for (keys, expected) in [
        (
            "caches: {teacache: {enabled: true}}",
            "line 3, column 1: caches: not available in this version: one step cache is active at a time: `cache.kind` names it (remove it)",
        ),
        (
            "output: {fps: 24}",
            "line 3, column 10: output.fps: not available in this version: videos have 30 frames a second (remove it)",
        ),
        (
            "prompt: [{from: 0s, text: a}]",
            "line 3, column 1: prompt: not available in this version: a video has one prompt (write one text)",
        ),
        (
            "kind: Batch\nmatrix: {seed: [1, 2]}",
            "line 3, column 1: kind: not available in this version: a file describes one job, of kind Job (write one file for each video)",
        ),
    ] {
        assert_refused(&format!("{SMALLEST}{keys}\n"), expected);
    }
}

#[test]
fn outputs_stay_in_their_folder() {
    for dir in ["/etc", "../x", "a/../../x"] {
        let expected = format!(
            "line 3, column 15: output.dir: `{dir}` is not a folder below the outputs folder (give a relative path without `..`)"
        );
        assert_refused(&format!("{SMALLEST}output: {{dir: {dir}}}\n"), &expected);
    }
    assert_refused(
        &format!("{SMALLEST}output: {{name: ../x}}\n"),
        "line 3, column 16: output.name: `../x` has a `/`; folders belong in output.dir",
    );
}

#[test]
fn required_keys_are_named() {
    assert_refused(
        "start: {image: a.png}\n",
        "api: required, but missing (write `api: framepack/v1`)",
    );
    assert_refused(
        "api: framepack/v1\n",
        "start.image: required, but missing (write `start: {image: photo.jpg}`)",
    );
    assert_refused(
        "api: framepack/v2\nstart: {image: a.png}\n",
        "line 1, column 6: api: `framepack/v2` is not a supported version (write `api: framepack/v1`)",
    );
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = "
api: framepack/v1
start: {imag: a.png}
steps: many
guidance: {distilled: 0, cgf: 2}
";
    let expected = "\
line 3, column 9: start.imag: unknown key (did you mean `image`?)
line 4, column 8: steps: expected a whole number, 1 to 100; found `many`
line 5, column 23: guidance.distilled: 0 is out of range (1 to 32)
line 5, column 26: guidance.cgf: unknown key (did you mean `cfg`?)";
    assert_refused(text, expected);
}

#[test]
fn a_file_that_is_all_mistakes_is_told_in_part() {
    let keys: String = (0..9_000).fold(SMALLEST.to_owned(), |text, i| {
        text + "x" + &i.to_string() + ": 1\n"
    });
    let told = validated(&keys).unwrap_err().to_string();
    assert_eq!(told.lines().count(), 21);
    assert!(told.ends_with("\nand 8980 more mistakes"), "{told}");
}

#[test]
fn yaml_is_taken_in_moderation() {
    for (text, expected) in [
        ("", "line 1, column 1: the file is empty"),
        ("# only a comment\n", "line 2, column 1: the file is empty"),
        (
            "- a\n",
            "line 1, column 1: expected the keys of a job; found a list",
        ),
        (
            "api: framepack/v1\nstart: {image: a.png\n",
            "line 2, column 8: start: this `{` is never closed (close it with `}`; a text with brackets or commas in it goes in quotes)",
        ),
        (
            "steps: 1\nsteps: 2\n",
            "line 2, column 1: `steps` is given twice; first in line 1, column 1 (remove one of the two)",
        ),
        (
            "prompt: !include secret.txt\n",
            "line 1, column 9: prompt: `!` at the beginning of a value is a tag (write `prompt: \"!include secret.txt\"`)",
        ),
        (
            "1: x\n",
            "line 1, column 1: `1` is no key: a key is a word (write the name of a key before the colon, or remove the line)",
        ),
        (
            "a: &a {steps: 1}\n<<: *a\n",
            "line 2, column 1: merge keys (`<<`) are not accepted",
        ),
    ] {
        assert_refused(text, expected);
    }
}

#[test]
fn no_file_makes_the_parser_swell() {
    let deep = format!("prompt: {}{}", "[".repeat(40), "]".repeat(40));
    let long = format!("prompt: {}", "x".repeat(1 << 20));
    let key = format!("{}: 1", "x".repeat(129));
    let wide = format!("prompt: [{}]", "1,".repeat(20_000));
    let mut laughs = vec!["a0: &a0 [lol]".to_owned()];
    for i in 1..12 {
        let below = format!("*a{},", i - 1).repeat(10);
        laughs.push(format!("a{i}: &a{i} [{below}]"));
    }
    let laughs = laughs.join("\n");
    let echo = format!("a: &a {}\nb: [{}]", "x".repeat(1000), "*a,".repeat(2_000));
    for (text, expected) in [
        (echo, "more than 1048576 bytes of text, aliases expanded"),
        (deep, "nested deeper than 32 levels"),
        (
            long,
            "the file has 1048584 bytes; at most 1048576 are accepted",
        ),
        (key, "a key of more than 128 bytes"),
        (wide, "more than 10000 values, aliases expanded"),
        (laughs, "more than 10000 values, aliases expanded"),
    ] {
        let message = validated(&text).unwrap_err().to_string();
        assert!(message.ends_with(expected), "{message}");
    }
}

#[test]
fn when_a_job_runs_and_what_is_done_when_it_fails() {
    let keys = "\
priority: -5
group: night
after: [12, shot-041]
not_before: 2026-11-24T21:00:00+01:00
deadline: \"2026-11-25T06:00:00Z\"
window: \"22:00-07:00\"
retry: {max: 4, on: [oom, gpu, oom], backoff_secs: 0}
";
    let schedule = serde_json::to_value(with(keys).unwrap().schedule).unwrap();
    let expected = serde_json::json!({
        "priority": -5,
        "group": "night",
        "after": [12, "shot-041"],
        "not_before": "2026-11-24T20:00:00.000000Z",
        "deadline": "2026-11-25T06:00:00.000000Z",
        "window": "22:00-07:00",
        "retry": {"max": 4, "on": ["oom", "gpu"], "backoff_secs": 0},
    });
    assert_eq!(schedule, expected);
    let window = with("window: {hours: 22:00-07:00, at_end: section}\n").unwrap();
    assert_eq!(
        serde_json::to_value(window.schedule.window).unwrap(),
        serde_json::json!({"hours": "22:00-07:00", "at_end": "section"})
    );
    for same in [
        "{hours: 22:00-07:00}",
        "{hours: 22:00-07:00, at_end: finish}",
    ] {
        let window = with(&format!("window: {same}\n")).unwrap().schedule.window;
        assert_eq!(
            serde_json::to_value(window).unwrap(),
            "22:00-07:00",
            "{same}"
        );
    }
    let one = with("after: shot-041\n").unwrap().schedule.after;
    assert_eq!(one, [Dependency::Named("shot-041".to_owned())]);
    assert_eq!(validated(SMALLEST).unwrap().schedule, Schedule::default());
}

#[test]
fn when_a_job_runs_is_no_part_of_its_key() {
    let key = |text: &str| with(text).unwrap().key_for("image", 1);
    let schedules = [
        "priority: 3",
        "group: a",
        "after: 1",
        "not_before: 2026-11-24T21:00:00Z",
        "deadline: 2026-11-24T21:00:00Z",
        "window: 22:00-07:00",
        "window: {hours: 22:00-07:00, at_end: step}",
        "retry: {max: 0}",
    ];
    for schedule in schedules {
        assert_eq!(key(schedule), key(""), "{schedule}");
    }
}

#[test]
fn wrong_schedules_say_what_is_wrong() {
    for (key, expected) in [
        (
            "priority: 1001",
            "priority: 1001 is out of range (-1000 to 1000)",
        ),
        (
            "priority: high",
            "priority: expected a whole number, -1000 to 1000; found `high`",
        ),
        (
            "group: a|b",
            "group: `a|b` is not a name: it has `|`, which file systems do not take; a name has 1 to 128 characters, and none of `/ \\ : * ? \" < > |` (write `a_b`)",
        ),
        ("after: 0", "after: 0 is not a job number; the first is 1"),
        (
            "after: {job: 1}",
            "after: expected the number, the name or the key of a job, or a list of them; found a mapping",
        ),
        ("after: ''", "after: 0 characters; 1 to 200 are accepted"),
        (
            "not_before: tomorrow",
            "not_before: `tomorrow` is not a time with a date and an offset (write it like 2026-11-24T06:30:00+01:00, or with Z for UTC)",
        ),
        (
            "deadline: 2026-11-24T06:00:00",
            "deadline: `2026-11-24T06:00:00` is not a time with a date and an offset (write it like 2026-11-24T06:30:00+01:00, or with Z for UTC)",
        ),
        (
            "window: night",
            "window: `night` is not a window like 22:00-07:00 (write it like \"22:00-07:00\", in local time)",
        ),
        (
            "window: {at_end: step}",
            "window: it has no `hours` (write it like {hours: \"22:00-07:00\", at_end: section})",
        ),
        (
            "window: {hours: 22:00-07:00, end: step}",
            "window: unknown key `end` in it (known keys here: hours, at_end)",
        ),
        (
            "window: {hours: 22:00-07:00, at_end: steps}",
            "window: `steps` is not an end of a window; expected finish, section or step (did you mean `step`?)",
        ),
        (
            "window: 22:00-22:00",
            "window: a window must not start and end at the same time (write it like \"22:00-07:00\", in local time)",
        ),
        (
            "retry: 3",
            "retry: expected a mapping with keys; found 3 (known keys here: max, on, backoff_secs)",
        ),
        (
            "retry: {max: 11}",
            "retry.max: 11 is out of range (0 to 10)",
        ),
        (
            "retry: {on: [input]}",
            "retry.on: input failures are never retried: the job would fail in the same way",
        ),
        (
            "retry: {on: [ooms]}",
            "retry.on: `ooms` is not a failure class; expected one of oom, numerics, hang, gpu, io, internal (did you mean `oom`?)",
        ),
        (
            "retry: {on: oom}",
            "retry.on: expected a list of failure classes; found `oom`",
        ),
    ] {
        let problems = with(key).expect_err(key).to_string();
        let (_, message) = problems.split_once(": ").expect("it has a place");
        assert_eq!(message, expected);
    }
    assert_refused(
        &format!("{SMALLEST}not_before: 2026-11-24T06:00:00Z\ndeadline: 2026-11-24T05:00:00Z\n"),
        "line 4, column 11: deadline: 2026-11-24T05:00:00.000000Z is not after not_before, 2026-11-24T06:00:00.000000Z",
    );
}
