//! The variables that programs of the Hugging Face Hub share, read as `huggingface_hub` reads them.

use std::path::{Path, PathBuf};

use framepack_ipc::ErrorBody;
use framepack_jobs::Code;
use url::Url;

use crate::failure::Failure;

const DEFAULT_ENDPOINT: &str = "https://huggingface.co";

/// What the environment says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Environment {
    /// `HF_ENDPOINT`
    pub(crate) endpoint: Url,
    /// `HF_TOKEN`, or the file that a login leaves.
    pub(crate) token: Option<String>,
    /// `HF_HUB_CACHE`, or `hub` in `HF_HOME`.
    pub(crate) cache: PathBuf,
    /// `HF_HUB_OFFLINE`
    pub(crate) is_offline: bool,
}

impl Environment {
    /// That of this process.
    pub(crate) fn of_process() -> Result<Self, Failure> {
        Self::read(&|name| std::env::var(name).ok())
    }

    fn read(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let user = set("HOME").map(PathBuf::from);
        let expanded = |path: String| match (path.strip_prefix("~/"), &user) {
            (Some(below), Some(user)) => user.join(below),
            _ => PathBuf::from(path),
        };
        let user_cache = set("XDG_CACHE_HOME").map(expanded);
        let user_cache = user_cache.or_else(|| user.as_ref().map(|user| user.join(".cache")));
        let home = match (set("HF_HOME").map(expanded), user_cache) {
            (Some(home), _) => home,
            (None, Some(cache)) => cache.join("huggingface"),
            (None, None) => {
                let error =
                    "neither HF_HOME nor HOME is set, so there is no place for the Hub's cache";
                let hint = "set HF_HOME, or name a folder with `--to DIR`";
                return Err(ErrorBody::new(Code::USAGE, error).hint(hint).into());
            }
        };
        let cache = set("HF_HUB_CACHE").or_else(|| set("HUGGINGFACE_HUB_CACHE"));
        let is_offline = set("HF_HUB_OFFLINE").or_else(|| set("TRANSFORMERS_OFFLINE"));
        Ok(Self {
            endpoint: endpoint(set("HF_ENDPOINT").as_deref().unwrap_or(DEFAULT_ENDPOINT))?,
            token: token(&set, &expanded, &home),
            cache: cache.map_or_else(|| home.join("hub"), expanded),
            is_offline: is_offline.is_some_and(|value| is_true(&value)),
        })
    }
}

fn endpoint(text: &str) -> Result<Url, Failure> {
    let parsed = Url::parse(text.trim().trim_end_matches('/'));
    match parsed {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => {
            let error = format!("HF_ENDPOINT is {text:?}, which is no address of a server");
            let hint = "set it as in HF_ENDPOINT=https://huggingface.co, or unset it";
            Err(ErrorBody::new(Code::USAGE, error).hint(hint).into())
        }
    }
}

fn token(
    set: &dyn Fn(&str) -> Option<String>,
    expanded: &dyn Fn(String) -> PathBuf,
    home: &Path,
) -> Option<String> {
    if set("HF_HUB_DISABLE_IMPLICIT_TOKEN").is_some_and(|value| is_true(&value)) {
        return None;
    }
    let said = set("HF_TOKEN").or_else(|| set("HUGGING_FACE_HUB_TOKEN"));
    let file = set("HF_TOKEN_PATH").map_or_else(|| home.join("token"), expanded);
    let token = said.or_else(|| std::fs::read_to_string(file).ok())?;
    let token = token.trim();
    (!token.is_empty()).then(|| token.to_owned())
}

fn is_true(value: &str) -> bool {
    let value = value.trim().to_ascii_uppercase();
    matches!(&*value, "1" | "ON" | "YES" | "TRUE")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Environment, Failure> {
        let find = |name: &str| {
            let found = variables.iter().find(|(of, _)| *of == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Environment::read(&find)
    }

    #[test]
    fn places_are_those_of_the_hubs_own_client() {
        for (variables, cache) in [
            (&[("HOME", "/h")][..], "/h/.cache/huggingface/hub"),
            (
                &[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")],
                "/x/huggingface/hub",
            ),
            (&[("HOME", "/h"), ("HF_HOME", "~/hf")], "/h/hf/hub"),
            (&[("HF_HOME", "/m"), ("HF_HUB_CACHE", "/c")], "/c"),
            (&[("HF_HOME", "/m"), ("HUGGINGFACE_HUB_CACHE", "/c")], "/c"),
        ] {
            assert_eq!(
                read(variables).unwrap().cache,
                Path::new(cache),
                "{variables:?}"
            );
        }
        assert!(read(&[]).is_err());
    }

    #[test]
    fn token_is_the_variables_or_the_files() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().to_str().unwrap();
        let token = |more: &[(&str, &str)]| {
            let variables = [&[("HF_HOME", home)], more].concat();
            read(&variables).unwrap().token
        };
        assert_eq!(token(&[]), None);
        std::fs::write(dir.path().join("token"), "hf_file\n").unwrap();
        std::fs::write(dir.path().join("other"), "hf_other").unwrap();
        assert_eq!(token(&[]).unwrap(), "hf_file");
        let other = format!("{home}/other");
        assert_eq!(token(&[("HF_TOKEN_PATH", &*other)]).unwrap(), "hf_other");
        assert_eq!(token(&[("HF_TOKEN", " hf_said ")]).unwrap(), "hf_said");
        let no_implicit = [("HF_TOKEN", "a"), ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")];
        assert_eq!(token(&no_implicit), None);
    }

    #[test]
    fn endpoint_and_offline_are_read() {
        let home = ("HOME", "/h");
        let read_one = |name, value| read(&[home, (name, value)]);
        let mirror = read_one("HF_ENDPOINT", "https://mirror.example/hf/").unwrap();
        assert_eq!(mirror.endpoint.as_str(), "https://mirror.example/hf");
        assert!(read_one("HF_ENDPOINT", "mirror.example").is_err());
        assert!(read_one("HF_HUB_OFFLINE", "true").unwrap().is_offline);
        assert!(!read_one("HF_HUB_OFFLINE", "0").unwrap().is_offline);
    }
}
