//! Under which licence a repository's files are: said before the first of them is fetched.

use serde::Serialize;

/// The terms of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Licence {
    /// Its name; what the Hub's model card has counts.
    pub(crate) name: String,
    /// Where its text is.
    pub(crate) link: String,
    /// What to know of it before its text is read.
    pub(crate) note: &'static str,
}

impl Licence {
    /// As it is known of the repository when this program was built.
    pub(crate) fn known(repository: &str) -> Self {
        let (name, link, note) = match repository {
            "lllyasviel/flux_redux_bfl" => (
                "FLUX.1 [dev] Non-Commercial License (flux-1-dev-non-commercial-license)",
                "https://huggingface.co/black-forest-labs/FLUX.1-Redux-dev/blob/main/LICENSE.md",
                "for non-commercial use; only its image encoder, which is Google's SigLIP (Apache-2.0), is fetched",
            ),
            "hunyuanvideo-community/HunyuanVideo" => (
                TENCENT,
                TENCENT_LINK,
                "not for use in the European Union, the United Kingdom and South Korea; its text encoders are Llama 3 \
                 (Meta Llama 3 Community License) and CLIP (MIT)",
            ),
            _ => (
                TENCENT,
                TENCENT_LINK,
                "trained from HunyuanVideo, whose licence does not allow use in the European Union, the United Kingdom \
                 and South Korea",
            ),
        };
        Self {
            name: name.to_owned(),
            link: link.to_owned(),
            note,
        }
    }

    /// The same, by the name that the repository's model card gives.
    pub(crate) fn or_by_card(self, card: Option<String>) -> Self {
        match card {
            Some(card) if !self.name.contains(&card) && card != "other" => Self {
                name: format!("{card}, as the repository says; {}", self.name),
                ..self
            },
            _ => self,
        }
    }
}

const TENCENT: &str = "Tencent Hunyuan Community License (tencent-hunyuan-community)";
const TENCENT_LINK: &str = "https://huggingface.co/tencent/HunyuanVideo/blob/main/LICENSE";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_adds_what_is_not_known() {
        let known = Licence::known("hunyuanvideo-community/HunyuanVideo");
        for same in [None, Some("other"), Some("tencent-hunyuan-community")] {
            let licence = known.clone().or_by_card(same.map(str::to_owned));
            assert_eq!(licence, known);
        }
        let other = known.or_by_card(Some("apache-2.0".to_owned()));
        assert!(
            other
                .name
                .starts_with("apache-2.0, as the repository says; Tencent")
        );
    }
}
