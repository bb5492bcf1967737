//! The user's token for the Hub: `HF_TOKEN`, or the file that a login leaves.

use std::{
    fs,
    path::{Path, PathBuf},
};

use framepack_ipc::ErrorBody;
use framepack_jobs::Code;
use ureq::http::HeaderValue;

use super::variables::Variables;
use crate::failure::Failure;

/// A token, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    text: String,
    source: Source,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Variable(&'static str),
    File(PathBuf),
}

impl Token {
    /// What the environment says; `home` is that of the Hub's files.
    pub(super) fn read(variables: &Variables<'_>, home: Option<&Path>) -> Option<Self> {
        if variables.is_true("HF_HUB_DISABLE_IMPLICIT_TOKEN") {
            return None;
        }
        let names = ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"];
        let mut said = names.into_iter().filter_map(|name| {
            let text = variables.text(name)?;
            Some((text, Source::Variable(name)))
        });
        let of_file = || {
            let file = variables.path("HF_TOKEN_PATH");
            let file = file.or_else(|| Some(home?.join("token")))?;
            let text = fs::read(&file).ok()?;
            let text = String::from_utf8_lossy(&text).into_owned();
            Some((text, Source::File(file)))
        };
        let (text, source) = said.next().or_else(of_file)?;
        // Lines that a terminal has broken, as the Hub's own client takes them.
        let text = text.replace(['\r', '\n'], "").trim().to_owned();
        (!text.is_empty()).then_some(Self { text, source })
    }

    /// What a request has as `Authorization`.
    pub(crate) fn header(&self) -> Result<HeaderValue, Failure> {
        let is_token = self.text.bytes().all(|byte| byte.is_ascii_graphic());
        let value = HeaderValue::try_from(format!("Bearer {}", self.text));
        match value {
            Ok(mut value) if is_token => {
                value.set_sensitive(true);
                Ok(value)
            }
            _ => Err(self.refused()),
        }
    }

    /// Without the token, which is a secret.
    fn refused(&self) -> Failure {
        let (place, remedy) = match &self.source {
            Source::Variable(name) => ((*name).to_owned(), format!("or unset {name}")),
            Source::File(file) => (
                file.display().to_string(),
                "or log in again (`hf auth login`)".to_owned(),
            ),
        };
        let error = format!(
            "{place} has no token of the Hub: a token has letters, digits and signs of ASCII, and no spaces"
        );
        let hint = format!("copy the token again from huggingface.co/settings/tokens, {remedy}");
        ErrorBody::new(Code::USAGE, error).hint(hint).into()
    }
}
