//! What is left out of the archive: prompts, and names of pictures.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Content, Member, passages::Passages};

const PROMPT: &str = "(prompt left out)";
const PICTURE: &str = "(picture)";
const QUOTATION: &str = "(what is wrong with a file left out)";
/// Keys of prompts, in jobs as in settings.
const PROMPT_KEYS: [&str; 2] = ["prompt", "negative_prompt"];
/// Keys of pictures' paths.
const PICTURE_KEYS: [&str; 4] = ["image", "image_name", "input", "start.image"];
/// Endings by which a path is a picture's.
const ENDINGS: [&str; 16] = [
    ".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif", ".bmp", ".pnm", ".ppm", ".pgm",
    ".pbm", ".qoi", ".heic", ".avif", ".jxl",
];
/// The daemon's own pictures, whose names tell nothing.
const OWN: [&str; 2] = ["contact_sheet.png", "preview.png"];

/// What may be in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Privacy {
    pub(crate) prompts: Shown,
    pub(crate) pictures: Shown,
}

/// Whether something may be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    Yes,
    No,
}

/// What is known of what must not be seen.
#[derive(Debug)]
pub(crate) struct Redaction {
    privacy: Privacy,
    passages: Passages,
    /// Names of pictures, longest first.
    pictures: Vec<String>,
}

impl Redaction {
    /// Learns prompts and names of pictures from all records.
    pub(crate) fn of(privacy: Privacy, records: &[Value]) -> Self {
        let mut names = BTreeSet::new();
        let mut passages = Passages::default();
        for record in records {
            learn(record, &mut |key, text| {
                if PROMPT_KEYS.contains(&key) {
                    passages.learn(text);
                } else if PICTURE_KEYS.contains(&key) {
                    names.insert(text.to_owned());
                    names.extend(text.rsplit('/').next().map(str::to_owned));
                }
            });
        }
        let mut pictures: Vec<String> = names.into_iter().filter(|name| name.len() > 2).collect();
        pictures.sort_by_key(|name| std::cmp::Reverse(name.len()));
        Self {
            privacy,
            passages,
            pictures,
        }
    }

    /// Leaves out of a member what must not be seen.
    pub(crate) fn apply(&self, member: &mut Member) {
        match &mut member.content {
            Content::Json(value) => self.value(value),
            Content::Lines(values) => values.iter_mut().for_each(|value| self.value(value)),
            Content::Text(text) => *text = self.text(text),
            Content::Picture(_) => {}
        }
    }

    fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(values) => values.iter_mut().for_each(|value| self.value(value)),
            Value::Object(map) => {
                let code = map.get("code").and_then(Value::as_str);
                if self.hides_anything()
                    && code.is_some_and(quotes_a_file)
                    && let Some(message) = map.get_mut("message")
                {
                    *message = QUOTATION.into();
                }
                // A setting: `{"key":"prompt","value":…}`.
                let named = map.get("key").and_then(Value::as_str).map(str::to_owned);
                for (key, value) in map.iter_mut() {
                    let key = match (&named, key.as_str()) {
                        (Some(named), "value") => named.as_str(),
                        (_, key) => key,
                    };
                    match value {
                        Value::String(text) if self.hides_prompt(key) && !text.is_empty() => {
                            PROMPT.clone_into(text);
                        }
                        value => self.value(value),
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn hides_anything(&self) -> bool {
        [self.privacy.prompts, self.privacy.pictures].contains(&Shown::No)
    }

    fn hides_prompt(&self, key: &str) -> bool {
        self.privacy.prompts == Shown::No && PROMPT_KEYS.contains(&key)
    }

    fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        if self.hides_anything() {
            text = text.split_inclusive('\n').map(without_quotations).collect();
        }
        if self.privacy.prompts == Shown::No {
            let lines = text.split_inclusive('\n').map(without_prompt_key);
            text = self.passages.without(&lines.collect::<String>(), PROMPT);
        }
        if self.privacy.pictures == Shown::No {
            for name in &self.pictures {
                if text.contains(name.as_str()) {
                    text = text.replace(name.as_str(), PICTURE);
                }
            }
            text = without_pictures(&text);
        }
        text
    }
}

/// Whether an error of this code quotes a job file or the configuration, of which no record may know: prompts and names of
/// pictures are in both.
fn quotes_a_file(code: &str) -> bool {
    ["FP2", "FP8"].iter().any(|begin| code.starts_with(begin))
}

/// A line with such a code has only its beginning, which is its time, and the code.
fn without_quotations(line: &str) -> String {
    let is_code = |word: &&str| {
        let digits = word.strip_prefix("FP").unwrap_or_default();
        quotes_a_file(word)
            && digits.len() == 4
            && digits.bytes().all(|digit| digit.is_ascii_digit())
    };
    let mut words = line.split(|letter: char| !letter.is_ascii_alphanumeric());
    let Some(code) = words.find(is_code) else {
        return line.to_owned();
    };
    // A page that lists codes quotes nobody.
    if line.starts_with(code) {
        return line.to_owned();
    }
    let begin = line.split(' ').next().unwrap_or_default();
    format!("{begin} {QUOTATION} [{code}]\n")
}

/// A line of YAML that sets a prompt.
fn without_prompt_key(line: &str) -> String {
    let key = line.split(':').next().unwrap_or_default();
    let is_prompt = PROMPT_KEYS.contains(&key.trim().trim_start_matches("- "));
    match line.strip_prefix(key) {
        Some(value) if is_prompt && value.trim().len() > 1 => format!("{key}: {PROMPT}\n"),
        _ => line.to_owned(),
    }
}

/// Without words that end as names of pictures do; whatever known names they have been is gone already.
fn without_pictures(text: &str) -> String {
    let is_outside = |letter: char| letter.is_whitespace() || "\"'`()[]{},;=".contains(letter);
    let mut left = String::with_capacity(text.len());
    for piece in text.split_inclusive(is_outside) {
        let word = piece.trim_end_matches(is_outside);
        let name = word.trim_end_matches([':', '.']).to_lowercase();
        let is_picture = ENDINGS.iter().any(|ending| name.ends_with(ending));
        if is_picture && !OWN.iter().any(|own| name.ends_with(own)) {
            left.push_str(PICTURE);
            left.push_str(&piece[word.len()..]);
        } else {
            left.push_str(piece);
        }
    }
    left
}

/// Tells each text with its key.
fn learn(value: &Value, tell: &mut impl FnMut(&str, &str)) {
    match value {
        Value::Object(map) => {
            let named = map.get("key").and_then(Value::as_str);
            for (key, value) in map {
                let key = match (named, key.as_str()) {
                    (Some(named), "value") => named,
                    (_, key) => key,
                };
                match value {
                    Value::String(text) => tell(key, text),
                    value => learn(value, tell),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| learn(value, tell)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOTHING: Privacy = Privacy {
        prompts: Shown::No,
        pictures: Shown::No,
    };

    fn applied(privacy: Privacy, content: Content) -> Content {
        let records = [json!({
            "spec": {"prompt": "Grandma waves at the red harbour", "start": {"image": "our holiday.png"}},
            "image": "/photos/our holiday.png",
            "settings": [{"key": "negative_prompt", "value": "blurry faces", "origin": {"from": "job"}}],
        })];
        let mut member = Member {
            name: "a".to_owned(),
            content,
        };
        Redaction::of(privacy, &records).apply(&mut member);
        member.content
    }

    #[test]
    fn keys_and_quotations_lose_their_text() {
        let job = json!({
            "prompt": "oom",
            "image": "/photos/our holiday.png",
            "settings": [{"key": "negative_prompt", "value": "blurry faces"}],
            "warnings": ["not read: waves at the red harbour", "/x/wedding.JPEG: damaged"],
            "contact_sheet": "/state/work/1/contact_sheet.png",
            "steps": 7,
        });
        let expected = json!({
            "prompt": PROMPT,
            "image": PICTURE,
            "settings": [{"key": "negative_prompt", "value": PROMPT}],
            "warnings": [format!("not read: {PROMPT}"), format!("{PICTURE} damaged")],
            "contact_sheet": "/state/work/1/contact_sheet.png",
            "steps": 7,
        });
        let redacted = applied(NOTHING, Content::Json(job));
        assert_eq!(redacted, Content::Json(expected));
    }

    #[test]
    fn texts_lose_them_too() {
        let text = "reading /photos/our holiday.png: denied\nnegative_prompt: foggy  # default\nsteps: 7\n";
        let expected = format!("reading {PICTURE}: denied\nnegative_prompt: {PROMPT}\nsteps: 7\n");
        let redacted = applied(NOTHING, Content::Text(text.to_owned()));
        assert_eq!(redacted, Content::Text(expected));
    }

    #[test]
    fn errors_that_quote_a_file_keep_their_codes() {
        let log = "2026-11-29T01:00:00Z INFO rejected: start.image: /x/Aunt May (1).jpg is outside code=FP2201\nready\n";
        let redacted = applied(NOTHING, Content::Text(log.to_owned()));
        let expected = format!("2026-11-29T01:00:00Z {QUOTATION} [FP2201]\nready\n");
        assert_eq!(redacted, Content::Text(expected));
        let note = json!({"code": "FP8002", "message": "found `{Aunt May: 1}`", "hint": "put it in quotes"});
        let expected = json!({"code": "FP8002", "message": QUOTATION, "hint": "put it in quotes"});
        let redacted = applied(NOTHING, Content::Json(note));
        assert_eq!(redacted, Content::Json(expected));
    }

    #[test]
    fn what_was_asked_for_stays() {
        let text = Content::Text("Grandma waves at: our holiday.png".to_owned());
        let everything = Privacy {
            prompts: Shown::Yes,
            pictures: Shown::Yes,
        };
        assert_eq!(applied(everything, text.clone()), text);
    }
}
