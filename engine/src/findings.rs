//! What was found out on one device, in memory and in its file: `{"format": 1, "KEY": [ENTRY…]}`.
//!
//! A finding holds for the circumstances under which it was made: on another device, with another driver or build, it
//! is not used, and holds again after a return to them. The file can be wrong in any way without failing a job: it is
//! warned of, and what is wrong with all of it is set aside. Lines of another version are kept.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, Serializer, de::DeserializeOwned, ser::SerializeMap};
use serde_json::{Map, Value};

use crate::{
    file,
    platform::{Circumstances, Platform},
};

/// Raised when the files get another form or meaning.
const FORMAT: u32 = 1;
/// Lines that are kept, those of other circumstances included.
pub(crate) const MAX_LINES: usize = 64;

/// A kind of findings.
pub(crate) trait Finding: Serialize + DeserializeOwned {
    /// Of their list in the file.
    const KEY: &'static str;
    /// In the log, in the plural.
    const NAME: &'static str;
}

/// What was found out on one device.
#[derive(Debug, Clone)]
pub(crate) struct Findings<F> {
    now: Circumstances,
    /// The newest is the last.
    lines: Vec<Line<F>>,
    /// Where they outlive the process.
    path: Option<PathBuf>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum Line<F> {
    Known(Entry<F>),
    /// Of another version, for which it is kept.
    Unknown(Value),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry<F> {
    circumstances: Circumstances,
    #[serde(flatten)]
    finding: F,
}

impl<F: Finding> Findings<F> {
    /// None yet, and none that outlive the process.
    pub(crate) fn in_memory(platform: &Platform) -> Self {
        Self {
            now: Circumstances::of(platform),
            lines: vec![],
            path: None,
        }
    }

    /// Those in the file at `path`, to which new ones are added. People may change or remove it at any time; no other
    /// process may add to it.
    pub(crate) fn on_disk(path: &Path, platform: &Platform) -> Self {
        let mut findings = Self {
            path: Some(path.into()),
            ..Self::in_memory(platform)
        };
        findings.read_again();
        findings
    }

    /// Takes over what the file says now.
    pub(crate) fn read_again(&mut self) {
        if let Some(path) = &self.path {
            match file::read_lines(path, F::NAME, lines_in) {
                Ok(lines) => self.lines = lines,
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "can't read {}", F::NAME);
                }
            }
        }
    }

    /// Those that hold now, the newest first.
    pub(crate) fn holding(&self) -> impl Iterator<Item = &F> {
        self.lines.iter().rev().filter_map(|line| match line {
            Line::Known(entry) if self.holds(line) => Some(&entry.finding),
            _ => None,
        })
    }

    /// Adds a finding that holds from now on, in the file, too, in the place of those of now that it `replaces`.
    pub(crate) fn note(&mut self, finding: F, replaces: impl Fn(&F) -> bool) {
        let now = &self.now;
        self.lines.retain(|line| {
            !matches!(line, Line::Known(entry) if entry.circumstances == *now && replaces(&entry.finding))
        });
        self.lines.push(Line::Known(Entry {
            circumstances: self.now.clone(),
            finding,
        }));
        self.prune();
        if let Some(path) = &self.path
            && let Err(error) = file::write(path, &self.text())
        {
            tracing::warn!(path = %path.display(), %error, "{} are not kept", F::NAME);
        }
    }

    /// Removes what is too much, first of what does not hold now, the oldest first.
    fn prune(&mut self) {
        while self.lines.len() > MAX_LINES {
            let stale = self.lines.iter().position(|line| !self.holds(line));
            self.lines.remove(stale.unwrap_or(0));
        }
    }

    fn holds(&self, line: &Line<F>) -> bool {
        matches!(line, Line::Known(entry) if entry.circumstances == self.now)
    }

    /// The file.
    fn text(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).expect("plain data with string keys");
        text.push(b'\n');
        text
    }
}

impl<F: Finding> Serialize for Findings<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut file = serializer.serialize_map(Some(2))?;
        file.serialize_entry("format", &FORMAT)?;
        file.serialize_entry(F::KEY, &self.lines)?;
        file.end()
    }
}

/// The lines in a file's bytes, or what is wrong with all of it. What this version does not understand is warned of.
fn lines_in<F: Finding>(bytes: &[u8]) -> Result<Vec<Line<F>>, String> {
    let mut file: Map<String, Value> =
        serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    match file.get("format") {
        Some(format) if *format == FORMAT => {}
        Some(format) => return Err(format!("it has format {format}")),
        None => return Err("it has no format".into()),
    }
    let Some(Value::Array(lines)) = file.remove(F::KEY) else {
        return Err(format!("it has no list {:?}", F::KEY));
    };
    Ok(lines.into_iter().map(line_of).collect())
}

fn line_of<F: Finding>(value: Value) -> Line<F> {
    match serde_json::from_value(value.clone()) {
        Ok(entry) => Line::Known(entry),
        Err(error) => {
            tracing::warn!(entry = %value, %error, "one of the {} is not understood and not used", F::NAME);
            Line::Unknown(value)
        }
    }
}
