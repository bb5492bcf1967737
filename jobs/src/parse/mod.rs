//! Job file to [`JobSpec`]: each key by itself, every mistake noted.

mod schedule;

use std::path::{Component, Path, PathBuf};

use framepack_yaml::{Node, Problem, ProblemKind, Problems, Table, suggest};

use crate::{
    API, JobSpec, Model, NameTemplate, SeedSpec, ranges,
    unavailable::{explain, not_available},
};

const KEYS: [&str; 22] = [
    "api",
    "kind",
    "name",
    "key",
    "model",
    "start",
    "prompt",
    "negative_prompt",
    "seed",
    "length",
    "steps",
    "guidance",
    "size",
    "latent_window",
    "output",
    "priority",
    "group",
    "after",
    "not_before",
    "deadline",
    "window",
    "retry",
];
const MAX_NAME_CHARS: usize = 128;
const MAX_KEY_CHARS: usize = 200;
const MAX_PROMPT_BYTES: usize = 8 << 10;

impl JobSpec {
    /// Reads a job file. The error lists every mistake with its place in the text.
    pub fn parse(text: &str) -> Result<Self, Problems> {
        let root = framepack_yaml::parse(text)?;
        read(&root).map_err(|problems| problems.map(explain).located_in(text))
    }
}

/// Whether `name` is fit to be a job's name.
pub(crate) fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

fn read(root: &Node) -> Result<JobSpec, Problems> {
    kind(root)?;
    let mut problems = Problems::default();
    let noted = &mut problems;
    let top = Table::root(root, &KEYS, noted);
    api(&top, noted);
    let start = top.table("start", &["image"], noted);
    let length = top.table("length", &["seconds"], noted);
    let guidance = top.table("guidance", &["distilled", "cfg", "rescale"], noted);
    let size = top.table("size", &["bucket"], noted);
    let output = top.table("output", &["dir", "name", "crf"], noted);
    let spec = JobSpec {
        name: name(&top, noted),
        key: key(&top, noted),
        image: image(&start, noted),
        prompt: prompt(&top, "prompt", noted),
        negative_prompt: prompt(&top, "negative_prompt", noted),
        seed: seed(&top, noted),
        length_secs: length.number("seconds", &ranges::LENGTH_SECS.range, noted),
        steps: top.integer("steps", &ranges::STEPS.range, noted),
        distilled: guidance.number("distilled", &ranges::GUIDANCE_DISTILLED.range, noted),
        cfg: guidance.number("cfg", &ranges::GUIDANCE_CFG.range, noted),
        rescale: guidance.number("rescale", &ranges::GUIDANCE_RESCALE.range, noted),
        model: model(&top, noted),
        bucket: bucket(&size, noted),
        latent_window: top.integer("latent_window", &ranges::LATENT_WINDOW.range, noted),
        output_dir: output_dir(&output, noted),
        output_name: output_name(&output, noted),
        crf: output.integer("crf", &ranges::OUTPUT_CRF.range, noted),
        schedule: schedule::read(&top, noted),
    };
    problems.or(spec)
}

/// Anything but a job has other keys, so its refusal is all there is to say.
fn kind(root: &Node) -> Result<(), Problem> {
    let Node::Map(entries) = root else {
        let message = format!("expected the keys of a job; found {root}");
        return Err(Problem::new(ProblemKind::WrongType, "", message));
    };
    match entries.iter().find(|(key, _)| key == "kind") {
        None | Some((_, Node::Null)) => Ok(()),
        Some((_, Node::Text(kind))) if kind == "Job" => Ok(()),
        Some((_, Node::Text(kind))) if matches!(kind.as_str(), "Batch" | "Preset") => {
            Err(not_available("kind", "one file is one job, of kind Job")
                .hint("write one file for each video"))
        }
        Some((_, other)) => {
            let message = format!("{other} is not a kind; this file is to be a Job");
            Err(Problem::new(ProblemKind::OutOfRange, "kind", message))
        }
    }
}

fn api(top: &Table<'_>, noted: &mut Problems) {
    let write = format!("write `api: {API}`");
    if top.get("api").is_none() {
        noted.push(
            top.problem(ProblemKind::MissingKey, "api", "required, but not there")
                .hint(write),
        );
    } else if let Some(api) = top.text("api", noted)
        && api != API
    {
        let message = format!("`{api}` is not a version that is understood");
        noted.push(
            top.problem(ProblemKind::OutOfRange, "api", message)
                .hint(write),
        );
    }
}

fn name(top: &Table<'_>, noted: &mut Problems) -> Option<String> {
    let name = top.text("name", noted)?;
    word(name)
        .map_err(|message| noted.push(top.problem(ProblemKind::OutOfRange, "name", message)))
        .ok()
}

/// A text of the few characters that file names and command lines take as they are.
fn word(text: &str) -> Result<String, String> {
    if text.is_empty() || text.len() > MAX_NAME_CHARS || !text.chars().all(is_name_char) {
        return Err(format!(
            "{} is not a name; a name has 1 to {MAX_NAME_CHARS} of A-Z, a-z, 0-9, `.`, `_`, `-`",
            Node::Text(text.to_owned())
        ));
    }
    Ok(text.to_owned())
}

fn key(top: &Table<'_>, noted: &mut Problems) -> Option<String> {
    let key = top.text("key", noted)?;
    let chars = key.chars().count();
    if chars == 0 || chars > MAX_KEY_CHARS {
        let message = format!("{chars} characters are not in 1 to {MAX_KEY_CHARS}");
        noted.push(top.problem(ProblemKind::OutOfRange, "key", message));
        return None;
    }
    Some(key.to_owned())
}

fn image(start: &Table<'_>, noted: &mut Problems) -> Option<PathBuf> {
    let image = start.text("image", noted)?;
    if image.is_empty() || image.contains('\0') {
        noted.push(start.problem(ProblemKind::OutOfRange, "image", "not a path"));
        return None;
    }
    Some(image.into())
}

fn prompt(top: &Table<'_>, key: &str, noted: &mut Problems) -> Option<String> {
    if matches!(top.get(key), Some(Node::List(_))) {
        let reason = "a video has one prompt, which is text";
        noted.push(not_available(key, reason).hint("write one text"));
        return None;
    }
    let text = top.text(key, noted)?;
    if text.len() > MAX_PROMPT_BYTES {
        let message = format!(
            "{} bytes; at most {MAX_PROMPT_BYTES} are accepted",
            text.len()
        );
        noted.push(top.problem(ProblemKind::OutOfRange, key, message));
        return None;
    }
    Some(text.to_owned())
}

fn seed(top: &Table<'_>, noted: &mut Problems) -> Option<SeedSpec> {
    match top.get("seed")? {
        Node::Text(text) if text == "auto" => Some(SeedSpec::Auto),
        Node::Text(text) if text == "random" => Some(SeedSpec::Random),
        Node::Int(_) => top
            .integer("seed", &(0..=u64::MAX), noted)
            .map(SeedSpec::Fixed),
        other => {
            let expected = "auto, random or a whole number from 0 to 2^64-1";
            noted.push(top.wrong_type("seed", expected, other));
            None
        }
    }
}

fn model(top: &Table<'_>, noted: &mut Problems) -> Option<Model> {
    match top.text("model", noted)? {
        "original" => Some(Model::Original),
        "f1" => Some(Model::F1),
        other => {
            let message = format!("`{other}` is not a model; there are original and f1");
            let mut problem = top.problem(ProblemKind::OutOfRange, "model", message);
            problem.hint =
                suggest(other, ["original", "f1"]).map(|near| format!("did you mean `{near}`?"));
            noted.push(problem);
            None
        }
    }
}

fn bucket(size: &Table<'_>, noted: &mut Problems) -> Option<u32> {
    let bucket = size.integer("bucket", &(1..=u32::MAX), noted)?;
    if !ranges::BUCKETS_PX.contains(&bucket) {
        let known = ranges::BUCKETS_PX.map(|px| px.to_string()).join(", ");
        let message = format!("{bucket} is not a bucket; there are {known}");
        let nearest = ranges::BUCKETS_PX
            .into_iter()
            .min_by_key(|px| px.abs_diff(bucket))
            .unwrap_or(ranges::DEFAULT_BUCKET_PX);
        let hint = format!("the nearest is {nearest}");
        noted.push(
            size.problem(ProblemKind::OutOfRange, "bucket", message)
                .hint(hint),
        );
        return None;
    }
    Some(bucket)
}

fn output_dir(output: &Table<'_>, noted: &mut Problems) -> Option<PathBuf> {
    let text = output.text("dir", noted)?;
    let inside = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    if !Path::new(text).components().all(inside) || text.contains('\0') {
        let message = format!("`{text}` is not a folder below the outputs");
        let hint = "give a relative path without `..`";
        noted.push(
            output
                .problem(ProblemKind::PathEscape, "dir", message)
                .hint(hint),
        );
        return None;
    }
    Some(text.into())
}

fn output_name(output: &Table<'_>, noted: &mut Problems) -> Option<NameTemplate> {
    let parsed = output.text("name", noted)?.parse();
    parsed
        .map_err(|err: crate::InvalidTemplate| {
            noted.push(output.problem(ProblemKind::OutOfRange, "name", err.to_string()));
        })
        .ok()
}
