//! Job files as editors, systems and people write them: what is read all the same, and what is said of the rest.

use framepack_jobs::{JobSpec, Problems, Surroundings, Validated, decode, settings::Farm};

const SMALLEST: &str = "api: framepack/v1\nstart: {image: cat.jpg}\n";

fn validated(text: &str) -> Result<Validated, Problems> {
    let surroundings = Surroundings {
        file_stem: "cat".to_owned(),
        bundle_latent_window: 9,
        farm: Farm::default(),
    };
    JobSpec::parse(text)?.validate(&surroundings)
}

#[track_caller]
fn key(text: &str) -> String {
    validated(text)
        .unwrap_or_else(|problems| panic!("{text:?}\n{problems}"))
        .key_for("image", 1)
}

/// What is said of the smallest job with these lines, which begin in line 3.
#[track_caller]
fn refused(lines: &str) -> String {
    let problems = validated(&format!("{SMALLEST}{lines}"));
    problems.expect_err(lines).to_string()
}

#[track_caller]
fn warnings(lines: &str) -> Vec<String> {
    let job = validated(&format!("{SMALLEST}{lines}"));
    job.unwrap_or_else(|problems| panic!("{lines:?}\n{problems}"))
        .warnings
}

#[test]
fn the_same_job_from_another_editor_has_the_same_key() {
    let text = format!("{SMALLEST}prompt: 猫が跳ぶ\n");
    let utf16: Vec<u8> = format!("\u{feff}{text}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for other in [
        format!("\u{feff}{text}"),
        format!("\u{feff}\u{feff}{text}"),
        text.replace('\n', "\r\n"),
        text.replace('\n', "\r"),
        format!("{text}---\n"),
        format!("---\n{text}...\n"),
        format!("%YAML 1.2\n---\n{text}...\n---\n# nothing\n"),
        format!("---\n---\n{text}"),
        text.replace(": 猫", ":\t 猫").replace("ぶ\n", "ぶ  \n"),
        format!("{text}steps: ~\n"),
        decode(&utf16).unwrap(),
    ] {
        assert_eq!(key(&other), key(&text), "{other:?}");
    }
    assert_eq!(
        key(&format!("{text}steps: 7.0\n")),
        key(&format!("{text}steps: 7\n"))
    );
    assert_eq!(
        key(&format!("{text}seed: 1e3\n")),
        key(&format!("{text}seed: 1000\n"))
    );
}

#[test]
fn places_are_those_of_the_editor() {
    for text in ["\u{feff}steps: 0\n", "steps: 0\n", "\r\n\rsteps: 0\r"] {
        let told = validated(text).unwrap_err().to_string();
        let line = if text.starts_with('\r') { 3 } else { 1 };
        let expected = format!("line {line}, column 8: steps: 0 is out of range (1 to 100)\n");
        assert!(told.starts_with(&expected), "{text:?}: {told}");
    }
}

/// Lines of a job file, where something is wrong in them, and what to do.
const WRONG: &[(&str, usize, usize, &str)] = &[
    (
        "prompt: a cat: it jumps\n",
        3,
        14,
        "write `prompt: \"a cat: it jumps\"`",
    ),
    (
        "prompt: the end:\nseed: 1\n",
        3,
        16,
        "write `prompt: \"the end:\"`",
    ),
    (
        "prompt: she says: \"no\"\n",
        3,
        17,
        "write `prompt: 'she says: \"no\"'`",
    ),
    (
        "prompt: it's \"a\": b\n",
        3,
        17,
        "write `prompt: 'it''s \"a\": b'`",
    ),
    ("prompt: \"a\" cat\n", 3, 12, "write `prompt: '\"a\" cat'`"),
    (
        "prompt: \"a \"big\" cat\"\n",
        3,
        13,
        "write `prompt: 'a \"big\" cat'`",
    ),
    (
        "prompt: 'it's raining'\n",
        3,
        13,
        "write `prompt: \"it's raining\"`",
    ),
    (
        "prompt: \"never closed\nseed: 1\n",
        3,
        9,
        "write `prompt: \"never closed\"`",
    ),
    (
        "prompt: 'never closed\nseed: 1\n",
        3,
        9,
        "write `prompt: \"never closed\"`",
    ),
    (
        "prompt: \"a cat\nkey: \"b\"\n",
        3,
        9,
        "write `prompt: \"a cat\"`",
    ),
    (
        "prompt: \"C:\\Users\"\n",
        3,
        12,
        "write `prompt: 'C:\\Users'`",
    ),
    (
        "prompt: *a star* rises\n",
        3,
        9,
        "write `prompt: \"*a star* rises\"`",
    ),
    (
        "prompt: **bold** cat\n",
        3,
        9,
        "write `prompt: \"**bold** cat\"`",
    ),
    ("prompt: @home\n", 3, 9, "write `prompt: \"@home\"`"),
    ("prompt: `a cat`\n", 3, 9, "write `prompt: \"`a cat`\"`"),
    (
        "prompt: %50 of a cat\n",
        3,
        9,
        "write `prompt: \"%50 of a cat\"`",
    ),
    ("prompt: & a cat\n", 3, 9, "write `prompt: \"& a cat\"`"),
    ("prompt: &\n", 3, 9, "write `prompt: \"&\"`"),
    (
        "prompt: !wow a cat\n",
        3,
        9,
        "write `prompt: \"!wow a cat\"`",
    ),
    ("prompt: ! a cat\n", 3, 9, "write `prompt: \"! a cat\"`"),
    ("prompt: | a cat\n", 3, 9, "write `prompt: \"| a cat\"`"),
    ("prompt: > a cat\n", 3, 9, "write `prompt: \"> a cat\"`"),
    ("prompt: >a cat\n", 3, 9, "write `prompt: \">a cat\"`"),
    ("prompt: - a cat\n", 3, 9, "write `prompt: \"- a cat\"`"),
    ("prompt: ? a cat\n", 3, 9, "write `prompt: \"? a cat\"`"),
    ("prompt: , a cat\n", 3, 9, "write `prompt: \", a cat\"`"),
    ("prompt: ] a cat\n", 3, 9, "write `prompt: \"] a cat\"`"),
    ("prompt: } a cat\n", 3, 9, "write `prompt: \"} a cat\"`"),
    (
        "prompt: [wide] a cat\n",
        3,
        9,
        "write `prompt: \"[wide] a cat\"`",
    ),
    (
        "prompt: {wide} a cat\n",
        3,
        9,
        "write `prompt: \"{wide} a cat\"`",
    ),
    ("prompt: [a cat]\n", 3, 9, "put it in quotes: \"[a cat]\""),
    (
        "prompt: {a cat} # one\n",
        3,
        9,
        "put it in quotes: \"{a cat}\"",
    ),
    ("prompt: 2024\n", 3, 9, "put it in quotes: \"2024\""),
    ("prompt: 1e3\n", 3, 9, "put it in quotes: \"1e3\""),
    ("name: 0x10\n", 3, 7, "put it in quotes: \"0x10\""),
    ("prompt: True\n", 3, 9, "put it in quotes: \"True\""),
    (
        "output: {name: 1.50, dir: a}\n",
        3,
        16,
        "put it in quotes: \"1.50\"",
    ),
    (
        "output: {name: {name}-{seed}}\n",
        3,
        16,
        "write `name: \"{name}-{seed}\"`",
    ),
    (
        "output: {dir: a, name: take-{seed}}\n",
        3,
        24,
        "write `name: \"take-{seed}\"`",
    ),
    (
        "output:\n  name: {name}-{seed}\n",
        4,
        9,
        "write `name: \"{name}-{seed}\"`",
    ),
    (
        "output:\n  name: {name}\n",
        4,
        9,
        "put it in quotes: \"{name}\"",
    ),
    ("\tseed: 1\n", 3, 1, "write two spaces instead"),
    ("output:\n\tname: a\n", 4, 1, "write two spaces instead"),
    (
        "output:\n  name: a\n  \tdir: b\n",
        5,
        3,
        "write two spaces instead",
    ),
    ("prompt: >\n\ta cat\n", 4, 1, "write two spaces instead"),
    ("prompt:a cat\nseed: 1\n", 3, 7, "write `prompt: a cat`"),
    ("seed: 1\nprompt:a cat\n", 4, 7, "write `prompt: a cat`"),
    ("prompt：a cat\n", 3, 7, "write `prompt: a cat`"),
    ("prompt:\u{a0}a cat\n", 3, 7, "write `prompt: a cat`"),
    ("seed=1\n", 3, 5, "write `seed: 1`"),
    (
        "seed 1\nsteps: 2\n",
        3,
        1,
        "write `seed: 1`; a line that goes on with the text above is indented",
    ),
    (
        "prompt: a cat\nsits and waits\n",
        4,
        1,
        "indent it if it goes on with the text above; a key has a colon and a space behind it",
    ),
    (
        "prompt: a cat\n  jumps: high\n",
        4,
        3,
        "begin `jumps` in column 1, or put the whole text in quotes",
    ),
    (
        "prompt: a cat #1 of them\n  jumps\n",
        3,
        15,
        "write `prompt: \"a cat #1 of them jumps\"`",
    ),
    (
        "output: {dir: a #b}\n",
        3,
        17,
        "put a text with ` #` in it in quotes",
    ),
    ("prompt: a\u{2028}b\n", 3, 10, "write `prompt: \"ab\"`"),
    (
        "prompt: a\u{0}b\n",
        3,
        10,
        "remove it; a file with many of them is damaged, or of another encoding than UTF-8",
    ),
    ("prompt: a\u{c}b\n", 3, 10, "remove it"),
    (
        "\u{a0}seed: 1\n",
        3,
        1,
        "write `seed` without anything before or behind it",
    ),
    (
        "\u{200b}seed: 1\n",
        3,
        1,
        "write `seed` without anything before or behind it",
    ),
    (
        "“seed”: 1\n",
        3,
        1,
        "write `seed` without anything before or behind it",
    ),
    (
        "---\nprompt: a dog\n",
        3,
        1,
        "write each document into a file of its own; a text with a line `---` goes in quotes",
    ),
    (
        "prompt: \"one\n  two: three: four\"\nsteps: 3\n seed: 4\n",
        6,
        2,
        "begin `seed` in column 1, or put the whole text in quotes",
    ),
    (
        "prompt: one\n  two=three\nsteps: 3\n seed: 4\n",
        6,
        2,
        "begin `seed` in column 1, or put the whole text in quotes",
    ),
    (
        "retry: {max: 1} # see [1] {x}\nsteps: 3\n seed: 4\n",
        5,
        2,
        "begin `seed` in column 1, or put the whole text in quotes",
    ),
    (
        "prompt: |\n  a=b\n  c: d: e\nsteps: 3\n seed: 4\n",
        7,
        2,
        "begin `seed` in column 1, or put the whole text in quotes",
    ),
    (
        "retry: {\n  max: 1 }\n on: b\n",
        5,
        2,
        "begin `on` in column 1",
    ),
    (
        "prompt: \"one\n  two\" three\n",
        4,
        7,
        "put the quote behind all of the text, or write the inner ones as single quotes",
    ),
    (
        "prompt: \"one\n  two \\q\"\n",
        4,
        7,
        "write two backslashes for one, or put the text in single quotes",
    ),
    (
        "prompt: a woman\n  walks #sunset\n  far away\n",
        4,
        9,
        "write `prompt: \"a woman walks #sunset far away\"`",
    ),
    (
        "prompt:\n  a woman\t#sunset\n  far away\n",
        4,
        11,
        "write `prompt: \"a woman\\t#sunset far away\"`",
    ),
    (
        "prompt: a woman\n  # at sunset\n  far away\n",
        4,
        3,
        "remove the comment, or write `prompt: \"a woman # at sunset far away\"`",
    ),
    (
        "prompt: {{cat}} runs\n",
        3,
        9,
        "write `prompt: \"{{cat}} runs\"`",
    ),
    ("prompt: {{cat}}\n", 3, 10, "write `prompt: \"{{cat}}\"`"),
    (
        "1: 2\n",
        3,
        1,
        "write the name of a key before the colon, or remove the line",
    ),
    (
        "~: 2\n",
        3,
        1,
        "write the name of a key before the colon, or remove the line",
    ),
    (
        "true: 2\n",
        3,
        1,
        "write the name of a key before the colon, or remove the line",
    ),
    (
        ": a\n",
        3,
        1,
        "write one, as in `prompt: a`, or remove the line",
    ),
    ("- prompt: a\n", 3, 1, "write `prompt: a`"),
    (
        "- a\n",
        3,
        1,
        "write it below the key that it belongs to, or remove it",
    ),
    ("```\n", 3, 1, "remove it, and the other line of backquotes"),
    ("**prompt**: a\n", 3, 1, "write `prompt: a`"),
    ("`prompt`: a\n", 3, 1, "write `prompt: a`"),
    (
        "prompt: |\n  first\n second: x\n",
        5,
        2,
        "begin `second` in column 1, as `prompt`, or as far to the right as the text above it",
    ),
    (
        "output:\n    crf: 3\n  dir: x\n",
        5,
        3,
        "begin `dir` in column 5, as `crf`, or in column 1, as `output`",
    ),
    ("output: {name: a: b}\n", 3, 17, "write `name: \"a: b\"`"),
    (
        "output: {crf: 3\n",
        3,
        9,
        "close it with `}`; a text with brackets or commas in it goes in quotes",
    ),
    (
        "output: {crf: 3\nsteps: 3\n",
        3,
        9,
        "close it with `}`; a text with brackets or commas in it goes in quotes",
    ),
    ("after: [1, 2}\n", 3, 13, "write `]`"),
    (
        "output: {\n  crf: 3\n  dir: a\n}\n",
        5,
        3,
        "end each item but the last with a comma",
    ),
    ("output: {name: \"a}\n", 3, 16, "write `name: \"a\"`"),
    (
        "length: seconds: 5\n",
        3,
        16,
        "write `length: {seconds: 5}`",
    ),
    ("guidance: cfg: 2\n", 3, 14, "write `guidance: {cfg: 2}`"),
    (
        "output: dir: a, b\n",
        3,
        12,
        "write `output: {dir: \"a, b\"}`",
    ),
    (
        "prompt: style: anime\n",
        3,
        14,
        "write `prompt: \"style: anime\"`",
    ),
    (
        "prompt: 'tis the season\n",
        3,
        9,
        "write `prompt: \"'tis the season\"`",
    ),
    (
        "prompt: \"a\", \"b\"\n",
        3,
        12,
        "write `prompt: '\"a\", \"b\"'`",
    ),
    (
        "prompt: |\n  a\n---\nb: 1\n",
        5,
        1,
        "write each document into a file of its own; a text with a line `---` goes in quotes",
    ),
    ("seed: 1\nseed: 2\n", 4, 1, "remove one of the two"),
    ("steps: 1,5\n", 3, 8, "write a whole number"),
    (
        "output: {dir: \"C:\\videos\"}\n",
        3,
        15,
        "a backslash in double quotes begins an escape; use / or single quotes",
    ),
    (
        "name: \"a\\ab\"\n",
        3,
        7,
        "a backslash in double quotes begins an escape; use / or single quotes",
    ),
    (
        "output: {dir: C:\\videos}\n",
        3,
        15,
        "give a relative path without `..`",
    ),
    ("name: 1.50\n", 3, 7, "put it in quotes: \"1.50\""),
    ("image: a.png\n", 3, 1, "write it below `start`"),
    (
        "guidance: {steps: 3}\n",
        3,
        12,
        "begin `steps` in column 1: it belongs at the top of the file",
    ),
    (
        "output:\n\u{a0}\u{a0}crf: 3\n",
        4,
        1,
        "indent `crf` with ordinary spaces",
    ),
    ("length:\n  seconds:5\n", 4, 3, "write `seconds: 5`"),
];

#[test]
fn what_yaml_reads_otherwise_is_told_with_its_place_and_what_to_write() {
    for &(lines, line, column, hint) in WRONG {
        let problems = validated(&format!("{SMALLEST}{lines}")).expect_err(lines);
        let problem = problems.iter().next().unwrap();
        let at = problem.location.map(|at| (at.line, at.column));
        assert_eq!(at, Some((line, column)), "{lines:?}\n{problems}");
        assert_eq!(problem.hint.as_deref(), Some(hint), "{lines:?}\n{problems}");
    }
    let fenced = format!("```yaml\n{SMALLEST}```\n");
    let told = validated(&fenced).unwrap_err().to_string();
    assert!(
        told.starts_with("line 1, column 1: a line of Markdown"),
        "{told}"
    );
    for (lines, path) in [
        ("seed: 1\nseed: 2\n", ""),
        ("output: {dir: a, dir: b}\n", "output"),
        ("output: {name: a: b}\n", "output.name"),
        ("output:\n  name: a: b\n", "output.name"),
    ] {
        let problems = validated(&format!("{SMALLEST}{lines}")).expect_err(lines);
        assert_eq!(problems.iter().next().unwrap().path, path, "{problems}");
    }
    assert!(refused("seed: 1\nseed: 2\n").contains("first in line 3, column 1"));
    // What is written as the hint says is read.
    assert_eq!(warnings("prompt: 'it''s \"a\": b'\n"), [""; 0]);
    let left = "  api: framepack/v1\nstart: {image: a.png}\n";
    let told = validated(left).unwrap_err().to_string();
    assert!(
        told.starts_with("line 2, column 1: it begins further left"),
        "{told}"
    );
}

#[test]
fn a_key_with_nothing_in_it_is_a_mistake_or_a_warning() {
    for (lines, expected) in [
        (
            "prompt: #sunset over the sea\n",
            "line 3, column 1: prompt: there is nothing in it, as `#sunset over the sea` is a comment (write `prompt: \"#sunset over the sea\"` if that is the text)",
        ),
        (
            "prompt:\n",
            "line 3, column 1: prompt: there is nothing in it (write `prompt: \"a text\"`, or `prompt: \"\"` for a video without a prompt)",
        ),
        (
            "prompt: &cat\n",
            "line 3, column 1: prompt: there is nothing in it, as `&cat` only names an anchor (write `prompt: \"&cat\"` if that is the text)",
        ),
    ] {
        assert_eq!(refused(lines), expected);
    }
    for (start, expected) in [
        (
            "start: {image: }",
            "line 2, column 9: start.image: there is nothing in it (write `image: photo.jpg`)",
        ),
        (
            "start:\n  image: #1.jpg",
            "line 3, column 3: start.image: there is nothing in it, as `#1.jpg` is a comment (write `image: \"#1.jpg\"` if that is the text)",
        ),
        (
            "start:",
            "line 2, column 1: start: there is nothing in it (write `start: {image: photo.jpg}`)",
        ),
    ] {
        let told = validated(&format!("api: framepack/v1\n{start}\n"))
            .unwrap_err()
            .to_string();
        assert_eq!(told, expected);
    }
    let default = "so the default is used; remove the key, or write a value";
    for (lines, path, because) in [
        ("seed:\n", "seed", "there is nothing in it"),
        (
            "negative_prompt: # none\n",
            "negative_prompt",
            "there is nothing in it, as `# none` is a comment",
        ),
        ("output:\n", "output", "there is nothing in it"),
        (
            "guidance: {cfg: }\n",
            "guidance.cfg",
            "there is nothing in it",
        ),
        ("after:\n# - 3\n", "after", "there is nothing in it"),
    ] {
        assert_eq!(warnings(lines), [format!("{path}: {because}, {default}")]);
    }
    for (lines, path, because, instead) in [
        (
            "name: #1\n",
            "name",
            "#1",
            "write `name: \"#1\"` if that is the text",
        ),
        (
            "negative_prompt: #blurry\n",
            "negative_prompt",
            "#blurry",
            "write `negative_prompt: \"#blurry\"` if that is the text",
        ),
        ("steps: #20\n", "steps", "#20", "write a value"),
    ] {
        let because = format!("there is nothing in it, as `{because}` is a comment");
        let expected =
            format!("{path}: {because}, so the default is used; remove the key, or {instead}");
        assert_eq!(warnings(lines), [expected]);
    }
    assert_eq!(
        warnings("prompt: \"  \"\n"),
        [
            "prompt: only spaces, so the video is made without a prompt; \"\" says the same without a warning"
        ]
    );
    // Who writes that the default is meant, knows it; without a prompt a video is seldom meant.
    assert_eq!(warnings("seed: ~\nsteps: null\nprompt: \"\"\n"), [""; 0]);
    assert_eq!(
        warnings("prompt: null\n"),
        [
            "prompt: null, so the video is made without a prompt; \"\" says the same without a warning"
        ]
    );
}

#[test]
fn a_text_that_a_comment_takes_a_part_of_is_told() {
    let told = |path, comment, line| {
        format!(
            "{path}: `{comment}` (line {line}) is a comment and no part of the text; put the text in quotes if it is"
        )
    };
    for (lines, path, comment, line) in [
        ("prompt: a woman walks #sunset\n", "prompt", "#sunset", 3),
        (
            "prompt: a woman\n  walks # at sunset\n",
            "prompt",
            "# at sunset",
            3,
        ),
        ("prompt:\n  a woman walks #sunset\n", "prompt", "#sunset", 4),
        ("name: take #2\n", "name", "#2", 3),
        ("output: {dir: a #b\n }\n", "output.dir", "#b", 3),
    ] {
        assert_eq!(warnings(lines), [told(path, comment, line)]);
    }
    let negative = warnings("guidance: {cfg: 2}\nnegative_prompt: blurry #bad\n");
    assert_eq!(negative, [told("negative_prompt", "#bad", 4)]);
    for lines in [
        "prompt: \"a woman walks #sunset\" # take 2\n",
        "prompt: 'a woman walks' # take 2\n",
        "prompt: | # a text\n  a woman #sunset\n",
        "prompt: a woman#sunset\n",
        "prompt: a woman walks\n# a comment of its own\n",
        "name: cat # for Anna\n",
        "steps: 3 #four\n",
    ] {
        assert_eq!(warnings(lines), [""; 0], "{lines}");
    }
    let anchor = "prompt: `&bold` (line 3, column 9) names an anchor and is no part of the text; put the text in quotes if it is";
    assert_eq!(warnings("prompt: &bold cat\n"), [anchor]);
}

#[test]
fn numbers_as_people_write_them() {
    let steps = |lines: &str| {
        validated(&format!("{SMALLEST}{lines}\n"))
            .unwrap()
            .spec
            .steps
    };
    for lines in [
        "steps: 16.0",
        "steps: 0x10",
        "steps: +16",
        "steps: 1.6e1",
        "steps: 16.",
    ] {
        assert_eq!(steps(lines), Some(16), "{lines}");
    }
    let number = "line 3, column 8: steps: expected a whole number, 1 to 100; found ";
    for (value, found) in [
        ("\"1\"", "the text \"1\" (write it without quotes)"),
        ("1.5", "1.5"),
        ("1_0", "`1_0`"),
        ("010", "`010` (write 10)"),
        ("30 steps", "`30 steps` (write 30)"),
        ("５", "`５` (write 5)"),
    ] {
        assert_eq!(
            refused(&format!("steps: {value}\n")),
            format!("{number}{found}")
        );
    }
    for (lines, expected) in [
        (
            "size: {bucket: \"640\"}\n",
            "line 3, column 16: size.bucket: expected a bucket, one of 128, 256, 384, 512, 640, 768; found the text \"640\" (write it without quotes)",
        ),
        (
            "length: {seconds: 2,5}\n",
            "line 3, column 21: length: `5` is no key: a key is a word (write a decimal number with a point; a comma ends the value)",
        ),
        (
            "length:\n  seconds: 2,5\n",
            "line 4, column 12: length.seconds: expected a number, 1 to 120; found `2,5` (write 2.5)",
        ),
        (
            "length: {seconds: 30s}\n",
            "line 3, column 19: length.seconds: expected a number, 1 to 120; found `30s` (write 30)",
        ),
        (
            "seed: \"7\"\n",
            "line 3, column 7: seed: expected auto, random or a whole number from 0 to 2^64-1; found the text \"7\" (write it without quotes)",
        ),
        (
            "seed: 1e18\n",
            "line 3, column 7: seed: expected a whole number, 0 to 18446744073709551615; found 1000000000000000000 (write all of its digits, without a point or an exponent)",
        ),
    ] {
        assert_eq!(refused(lines), expected);
    }
    // A name of digits with a zero before them is text, as it is everywhere in YAML.
    let name = |lines: &str| validated(&format!("{SMALLEST}{lines}")).unwrap().name;
    assert_eq!(name("name: 007\n"), "007");
    assert_eq!(name("after: 1.0\n"), "cat");
    assert!(refused("name: 1.50\n").contains("found 1.50"));
    assert_eq!(name("name: 猫が跳ぶ\n"), "猫が跳ぶ");
    assert_eq!(name("name: O\u{308}l\n"), "Öl");
}

#[test]
fn an_image_that_is_no_path_here_is_told_with_what_to_write() {
    let relative = "a path relative to the job file's folder";
    for (image, hint) in [
        ("\"\"", "write `image: photo.jpg`".to_owned()),
        (
            "https://a.b/c.png",
            format!("download it, and write {relative}"),
        ),
        ("file:///a/b.png", "write `/a/b.png` alone".to_owned()),
        ("~/a.png", format!("write an absolute path, or {relative}")),
        (
            "C:\\pics\\a.png",
            "copy it beside the job file, and write `a.png`".to_owned(),
        ),
        (
            "\"pics\\astronaut.jpg\"",
            "a backslash in double quotes begins an escape; use / or single quotes".to_owned(),
        ),
    ] {
        let text = format!("api: framepack/v1\nstart:\n  image: {image}\n");
        let problems = validated(&text).expect_err(image);
        let problem = problems.iter().next().unwrap();
        assert_eq!(problem.hint, Some(hint), "{problems}");
        assert!(!problems.to_string().contains('\u{7}'));
    }
    let job = validated(&format!("{SMALLEST}output: {{dir: a\\b}}\n")).unwrap();
    assert_eq!(job.spec.output.dir, std::path::Path::new("a/b"));
    // An alias is not where its anchor is.
    assert_eq!(warnings("prompt: &a x\nname: *a\n").len(), 1);
}
