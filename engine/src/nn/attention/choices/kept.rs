//! The choices of one device, in memory and in their file.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use tch::Device;

use super::{
    circumstances::Circumstances,
    format::{self, Entry, Line},
};
use crate::{
    error::Error,
    file,
    nn::attention::{backend::Backend, class::Class},
    platform::Platform,
};

/// Choices that are kept, those of other circumstances included: they hold again after a return to them.
const MAX_LINES: usize = 64;

/// What is used on one device.
#[derive(Debug)]
pub(crate) struct Choices {
    device: Device,
    now: Circumstances,
    /// The newest is the last.
    lines: Vec<Line>,
    /// Where they outlive the process.
    path: Option<PathBuf>,
}

impl Choices {
    /// No choices yet, and none that outlive the process.
    pub(crate) fn in_memory(platform: &Platform) -> Self {
        Self {
            device: platform.device,
            now: Circumstances::of(platform),
            lines: vec![],
            path: None,
        }
    }

    /// The choices in the file at `path`, to which new ones are added. People may change it at any time; no other
    /// process may add to it.
    pub(crate) fn on_disk(path: &Path, platform: &Platform) -> Self {
        let mut choices = Self {
            path: Some(path.into()),
            ..Self::in_memory(platform)
        };
        choices.read_again();
        choices
    }

    /// The backend for `class`: the one that is chosen, if the device has it. Where nothing is, torch's own choice, which
    /// is then noted.
    pub(crate) fn choose(&mut self, class: &Class) -> Result<Backend, Error> {
        self.read_again();
        let default = Backend::default();
        let Some(chosen) = self.find(class) else {
            self.note(class, default);
            return Ok(default);
        };
        if chosen.is_available(self.device, class)? {
            return Ok(chosen);
        }
        tracing::warn!(backend = %chosen, ?class, "the chosen attention backend is not available");
        Ok(default)
    }

    /// Takes over what the file says now.
    fn read_again(&mut self) {
        if let Some(path) = &self.path {
            match read(path) {
                Ok(lines) => self.lines = lines,
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "can't read attention choices");
                }
            }
        }
    }

    fn find(&self, class: &Class) -> Option<Backend> {
        self.lines.iter().rev().find_map(|line| match line {
            Line::Known(entry) if self.holds(line) && entry.class == *class => Some(entry.backend),
            _ => None,
        })
    }

    /// Makes `backend` the choice for `class` under the present circumstances, from now on and in the file.
    fn note(&mut self, class: &Class, backend: Backend) {
        self.lines.push(Line::Known(Entry {
            circumstances: self.now.clone(),
            class: *class,
            backend,
        }));
        self.prune();
        if let Some(path) = &self.path
            && let Err(error) = file::write(path, &format::write(&self.lines))
        {
            tracing::warn!(path = %path.display(), %error, "attention choices are not kept");
        }
    }

    /// Removes what is too much, first of what does not hold now, the oldest first.
    fn prune(&mut self) {
        while self.lines.len() > MAX_LINES {
            let stale = self.lines.iter().position(|line| !self.holds(line));
            self.lines.remove(stale.unwrap_or(0));
        }
    }

    fn holds(&self, line: &Line) -> bool {
        matches!(line, Line::Known(entry) if entry.circumstances == self.now)
    }
}

/// What the file at `path` says; nothing if there is none. A damaged one is set aside.
fn read(path: &Path) -> io::Result<Vec<Line>> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        bytes => bytes?,
    };
    Ok(format::read(&bytes).unwrap_or_else(|reason| {
        tracing::warn!(path = %path.display(), reason, "attention choices are damaged and set aside");
        if let Err(error) = fs::rename(path, path.with_extension("json.damaged")) {
            tracing::warn!(path = %path.display(), %error, "can't set aside");
        }
        vec![]
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tch::Kind;

    use super::*;
    use crate::weights::Fingerprint;

    fn class(tokens: u64) -> Class {
        Class::new(Kind::Float, [2, 16], tokens)
    }

    fn platform() -> Platform {
        Platform {
            device: Device::Cpu,
            name: "cpu of the test".into(),
            driver: None,
            build: None,
        }
    }

    /// A folder with a file of these entries.
    fn folder_with(entries: &Value) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("choices-cpu.json");
        let text = json!({"format": 1, "attention": entries}).to_string();
        fs::write(&path, text).unwrap();
        (folder, path)
    }

    fn entry(platform: &Platform, tokens: u64, backend: &str) -> Value {
        let circumstances = Circumstances::of(platform);
        json!({"circumstances": circumstances, "class": class(tokens), "backend": backend})
    }

    fn choose(path: &Path, tokens: u64) -> Backend {
        let mut choices = Choices::on_disk(path, &platform());
        choices.choose(&class(tokens)).unwrap()
    }

    /// The backends in a file, in their order.
    fn backends(path: &Path) -> Vec<String> {
        let file: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        assert_eq!(file["format"], 1);
        let entries = file["attention"].as_array().unwrap().iter();
        let name = |entry: &Value| entry["backend"].as_str().unwrap_or_default().to_owned();
        entries.map(name).collect()
    }

    #[test]
    fn the_default_is_noted_and_what_a_file_says_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("choices-cpu.json");
        assert_eq!(choose(&path, 100), Backend::Torch);
        assert_eq!(choose(&path, 300), Backend::Torch);
        assert_eq!(backends(&path), ["torch", "torch"]);

        let edited = fs::read_to_string(&path)
            .unwrap()
            .replacen("torch\"\n", "math\"\n", 1);
        fs::write(&path, &edited).unwrap();
        assert_eq!(choose(&path, 128), Backend::Math);
        assert_eq!(choose(&path, 129), Backend::Torch);
        assert_eq!(choose(&path, 300), Backend::Torch);
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[test]
    fn the_default_stands_in_for_a_backend_that_the_device_lacks() {
        let (_folder, path) = folder_with(&json!([entry(&platform(), 100, "cudnn")]));
        assert_eq!(choose(&path, 100), Backend::Torch);
        assert_eq!(backends(&path), ["cudnn"], "it may be there the next time");
    }

    #[test]
    fn a_change_of_the_file_counts_from_the_next_job_on_and_is_kept() {
        let (_folder, path) = folder_with(&json!([entry(&platform(), 100, "torch")]));
        let mut choices = Choices::on_disk(&path, &platform());
        assert_eq!(choices.choose(&class(100)).unwrap(), Backend::Torch);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(
            &path,
            text.replace(r#""backend":"torch""#, r#""backend":"math""#),
        )
        .unwrap();
        assert_eq!(choices.choose(&class(300)).unwrap(), Backend::Torch);
        assert_eq!(backends(&path), ["math", "torch"]);
        assert_eq!(choices.choose(&class(100)).unwrap(), Backend::Math);
    }

    #[test]
    fn choices_of_other_circumstances_are_not_used_and_hold_again_after_a_return() {
        let empty = tempfile::tempdir().unwrap();
        for other in [
            Platform {
                name: "another".into(),
                ..platform()
            },
            Platform {
                driver: Some("570.133.20".into()),
                ..platform()
            },
            Platform {
                build: Some(Fingerprint::of_folders([empty.path()]).unwrap()),
                ..platform()
            },
        ] {
            let (_folder, path) = folder_with(&json!([entry(&other, 100, "math")]));
            assert_eq!(choose(&path, 100), Backend::Torch, "{other:?}");
            assert_eq!(backends(&path), ["math", "torch"]);
            let mut returned = Choices::on_disk(&path, &other);
            assert_eq!(returned.choose(&class(100)).unwrap(), Backend::Math);
        }

        let mut of_another_torch = entry(&platform(), 100, "math");
        of_another_torch["circumstances"]["torch"] = "2.0.0".into();
        let (_folder, path) = folder_with(&json!([of_another_torch]));
        assert_eq!(choose(&path, 100), Backend::Torch);
    }

    #[test]
    fn entries_do_not_pile_up_and_those_in_use_stay() {
        let stale = |number: usize| Platform {
            name: number.to_string(),
            ..platform()
        };
        let stale = (0..100).map(|number| entry(&stale(number), 100, "flash"));
        let mut entries: Vec<Value> = vec![entry(&platform(), 100, "math")];
        entries.extend(stale);
        let (_folder, path) = folder_with(&entries.into());
        assert_eq!(choose(&path, 300), Backend::Torch);
        let kept = backends(&path);
        assert_eq!(kept.len(), MAX_LINES);
        assert_eq!((kept[0].as_str(), kept[1].as_str()), ("math", "flash"));
        for exponent in 0..63 {
            choose(&path, 1 << exponent);
        }
        assert!(backends(&path).len() <= MAX_LINES);
        assert_eq!(choose(&path, 100), Backend::Math);
    }

    #[test]
    fn a_name_of_a_later_version_is_kept_and_the_others_count() {
        let (_folder, path) = folder_with(&json!([
            entry(&platform(), 100, "sage"),
            {"class": "of another form"},
            entry(&platform(), 300, "math"),
        ]));
        assert_eq!(choose(&path, 300), Backend::Math);
        assert_eq!(choose(&path, 100), Backend::Torch);
        assert_eq!(backends(&path), ["sage", "", "math", "torch"]);
    }

    #[test]
    fn a_damaged_file_is_set_aside_and_replaced() {
        let (folder, path) = folder_with(&json!([]));
        let later = json!({"format": 2, "attention": []}).to_string();
        for damage in [&b"\xff\0 garbage"[..], b"", b"[]", later.as_bytes()] {
            fs::write(&path, damage).unwrap();
            assert_eq!(choose(&path, 100), Backend::Torch);
            assert_eq!(backends(&path), ["torch"]);
            let aside = folder.path().join("choices-cpu.json.damaged");
            assert_eq!(fs::read(aside).unwrap(), damage);
        }
    }

    #[test]
    fn a_file_that_can_be_neither_read_nor_written_fails_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("choices-cpu.json");
        fs::create_dir(&path).unwrap();
        assert_eq!(choose(&path, 100), Backend::Torch);
        assert!(path.is_dir());
        assert_eq!(
            choose(&folder.path().join("gone/choices.json"), 100),
            Backend::Torch
        );
    }
}
