//! The variables that programs of the Hugging Face Hub share, read as `huggingface_hub` reads them.

mod token;
mod variables;

use std::path::{Path, PathBuf};

use framepack_ipc::ErrorBody;
use framepack_jobs::Code;
use url::Url;

pub(crate) use self::token::Token;
use self::variables::Variables;
use crate::failure::Failure;

const DEFAULT_ENDPOINT: &str = "https://huggingface.co";

/// What the environment says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Environment {
    /// `HF_ENDPOINT`
    pub(crate) endpoint: Url,
    /// `HF_TOKEN`, or the file that a login leaves.
    pub(crate) token: Option<Token>,
    /// `HF_HUB_CACHE`, or `hub` in `HF_HOME`; `None`: nothing says where the user's files are.
    pub(crate) cache: Option<PathBuf>,
    /// `HF_HUB_OFFLINE`
    pub(crate) is_offline: bool,
}

impl Environment {
    /// That of this process.
    pub(crate) fn of_process() -> Result<Self, Failure> {
        Self::read(&Variables {
            find: &|name| std::env::var_os(name),
            // Without HOME that of the user database, where the user is in it.
            home: std::env::home_dir().filter(|home| home.is_absolute()),
        })
    }

    fn read(variables: &Variables<'_>) -> Result<Self, Failure> {
        let home = variables.path("HF_HOME").or_else(|| {
            let user_cache = variables.path("XDG_CACHE_HOME");
            let user_cache = user_cache.or_else(|| Some(variables.home()?.join(".cache")));
            Some(user_cache?.join("huggingface"))
        });
        let cache = variables.path("HF_HUB_CACHE");
        let cache = cache.or_else(|| variables.path("HUGGINGFACE_HUB_CACHE"));
        let endpoint = variables.text("HF_ENDPOINT");
        let mut offline = ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"].into_iter();
        let offline = offline.find(|name| variables.text(name).is_some());
        Ok(Self {
            endpoint: self::endpoint(endpoint.as_deref().unwrap_or(DEFAULT_ENDPOINT))?,
            token: Token::read(variables, home.as_deref()),
            cache: cache.or_else(|| Some(home?.join("hub"))),
            is_offline: offline.is_some_and(|name| variables.is_true(name)),
        })
    }

    /// The Hub's cache, which a command needs that names no folder.
    pub(crate) fn cache(&self) -> Result<&Path, Failure> {
        self.cache.as_deref().ok_or_else(|| {
            let error = "there is no place for the Hub's cache: neither HF_HUB_CACHE nor HF_HOME is set, and this user \
                         has no home";
            let hint = "set HF_HOME, or name the folder of the models in the command";
            ErrorBody::new(Code::USAGE, error).hint(hint).into()
        })
    }
}

fn endpoint(text: &str) -> Result<Url, Failure> {
    let parsed = Url::parse(text.trim_end_matches('/'));
    match parsed {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => {
            let error = format!("HF_ENDPOINT is {text:?}, which is no address of a server");
            let hint = "set it as in HF_ENDPOINT=https://huggingface.co, or unset it";
            Err(ErrorBody::new(Code::USAGE, error).hint(hint).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Environment, Failure> {
        let find = |name: &str| {
            let found = variables.iter().find(|(of, _)| *of == name);
            found.map(|(_, value)| (*value).into())
        };
        Environment::read(&Variables {
            find: &find,
            home: None,
        })
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
            (&[("HOME", "/h"), ("HF_HUB_CACHE", "$HOME/c")], "/h/c"),
            (&[("HF_HOME", "/m"), ("HF_HUB_CACHE", "/c")], "/c"),
            (&[("HF_HOME", "/m"), ("HUGGINGFACE_HUB_CACHE", "/c")], "/c"),
        ] {
            let read = read(variables).unwrap();
            assert_eq!(read.cache().unwrap(), Path::new(cache), "{variables:?}");
        }
        assert!(read(&[]).unwrap().cache().is_err());
    }

    #[test]
    fn token_is_the_variables_or_the_files() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().to_str().unwrap();
        let token = |more: &[(&str, &str)]| {
            let variables = [&[("HF_HOME", home)], more].concat();
            let header = read(&variables).unwrap().token?.header().unwrap();
            Some(header.to_str().unwrap().to_owned())
        };
        assert_eq!(token(&[]), None);
        std::fs::write(dir.path().join("token"), "hf_file\n").unwrap();
        std::fs::write(dir.path().join("other"), "hf_other").unwrap();
        let other = format!("{home}/other");
        for (variables, expected) in [
            (&[][..], "Bearer hf_file"),
            (&[("HF_TOKEN_PATH", &*other)], "Bearer hf_other"),
            (&[("HF_TOKEN", " hf_said ")], "Bearer hf_said"),
            (&[("HF_TOKEN", "hf_a\r\nb")], "Bearer hf_ab"),
        ] {
            assert_eq!(token(variables).unwrap(), expected);
        }
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
