//! Which repositories of the Hub have FramePack's models, and which of their files are needed.

use framepack_bundle::Component;
use framepack_jobs::Model;

/// The models that somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Selection {
    /// FramePack, and what it shares with F1
    Original,
    /// FramePack-F1, and what it shares with FramePack
    F1,
    /// Both
    All,
}

/// A repository, and the components that are taken of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Repository {
    /// As in `lllyasviel/FramePackI2V_HY`.
    pub(crate) name: &'static str,
    pub(crate) components: Vec<Component>,
}

impl Selection {
    /// The models whose jobs can be rendered then.
    pub(crate) fn models(self) -> &'static [Model] {
        match self {
            Self::Original => &[Model::Original],
            Self::F1 => &[Model::F1],
            Self::All => &[Model::Original, Model::F1],
        }
    }

    /// What has to be fetched for these parts, where `there` is what a folder has: parts that both models share come
    /// with the model that is there.
    pub(crate) fn of(parts: &[Component], there: &[Component]) -> Self {
        let of = |parts: &[Component]| {
            let has = |component| parts.contains(&component);
            match [Component::Transformer, Component::TransformerF1].map(has) {
                [true, true] => Some(Self::All),
                [false, true] => Some(Self::F1),
                [true, false] => Some(Self::Original),
                [false, false] => None,
            }
        };
        let shared = || match of(there) {
            Some(Self::F1) => Self::F1,
            _ => Self::Original,
        };
        of(parts).unwrap_or_else(shared)
    }

    /// As in the command line.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::F1 => "f1",
            Self::All => "all",
        }
    }

    /// The repositories, in the order of the components.
    pub(crate) fn repositories(self) -> Vec<Repository> {
        let mut repositories: Vec<Repository> = Vec::new();
        for component in Component::ALL.into_iter().filter(|it| self.has(*it)) {
            let (name, _) = component.published();
            match repositories.iter_mut().find(|known| known.name == name) {
                Some(known) => known.components.push(component),
                None => repositories.push(Repository {
                    name,
                    components: vec![component],
                }),
            }
        }
        repositories
    }

    fn has(self, component: Component) -> bool {
        match component {
            Component::Transformer => self != Self::F1,
            Component::TransformerF1 => self != Self::Original,
            _ => true,
        }
    }
}

impl Repository {
    /// The component that a file of the repository belongs to, if it is needed.
    pub(crate) fn component_of(&self, path: &str) -> Option<Component> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut components = self.components.iter().copied();
        components.find(|component| component.published().1 == folder && component.has_file(name))
    }

    /// The needed ones of these files: where weights are there in shards and as one file, the shards.
    pub(crate) fn needed<'p>(&self, paths: &[&'p str]) -> Vec<&'p str> {
        let is_needed = |path: &&str| {
            let Some(component) = self.component_of(path) else {
                return false;
            };
            let Some(base) = component.weights() else {
                return true;
            };
            let whole = join(component.published().1, &format!("{base}.safetensors"));
            let index = format!("{whole}.index.json");
            **path != *whole || !paths.contains(&&*index)
        };
        paths.iter().copied().filter(is_needed).collect()
    }

    /// The components of which these files lack a part.
    pub(crate) fn lacking(&self, paths: &[&str]) -> Vec<Component> {
        let components = self.components.iter().copied();
        components
            .filter(|component| !is_whole(*component, paths))
            .collect()
    }
}

/// Whether a file that it always has is there, and weights if it has any.
fn is_whole(component: Component, paths: &[&str]) -> bool {
    let folder = component.published().1;
    let has = |name: &str| paths.contains(&&*join(folder, name));
    let has_weights = component.weights().is_none_or(|base| {
        has(&format!("{base}.safetensors")) || has(&format!("{base}.safetensors.index.json"))
    });
    has_weights && component.landmarks().iter().any(|name| has(name))
}

fn join(folder: &str, name: &str) -> String {
    match folder {
        "" => name.to_owned(),
        _ => format!("{folder}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HUNYUAN: [&str; 9] = [
        "README.md",
        "model_index.json",
        "scheduler/scheduler_config.json",
        "text_encoder/config.json",
        "text_encoder/model-00001-of-00004.safetensors",
        "text_encoder/model.safetensors.index.json",
        "text_encoder/model.safetensors",
        "transformer/config.json",
        "transformer/diffusion_pytorch_model-00001-of-00006.safetensors",
    ];

    #[test]
    fn of_hunyuan_the_encoders_are_taken_and_not_the_transformer() {
        let repositories = Selection::Original.repositories();
        let hunyuan = repositories
            .iter()
            .find(|repository| repository.name == "hunyuanvideo-community/HunyuanVideo")
            .unwrap();
        let needed = hunyuan.needed(&HUNYUAN);
        assert_eq!(
            needed,
            [
                "text_encoder/config.json",
                "text_encoder/model-00001-of-00004.safetensors",
                "text_encoder/model.safetensors.index.json",
            ]
        );
        let lacking = hunyuan.lacking(&needed);
        assert!(!lacking.contains(&Component::TextEncoder));
        assert!(lacking.contains(&Component::Vae));
    }

    #[test]
    fn parts_come_with_the_model_that_is_there() {
        let (original, f1) = (Component::Transformer, Component::TransformerF1);
        let vae = Component::Vae;
        for (parts, there, selection) in [
            (&[vae][..], &[][..], Selection::Original),
            (&[vae], &[f1], Selection::F1),
            (&[vae], &[original, f1], Selection::Original),
            (&[f1, vae], &[original], Selection::F1),
            (&[original, f1], &[], Selection::All),
        ] {
            assert_eq!(Selection::of(parts, there), selection, "{parts:?}");
        }
    }

    #[test]
    fn selections_differ_in_their_transformers() {
        let names = |selection: Selection| {
            let repositories = selection.repositories();
            repositories.iter().map(|it| it.name).collect::<Vec<_>>()
        };
        let shared = [
            "hunyuanvideo-community/HunyuanVideo",
            "lllyasviel/flux_redux_bfl",
        ];
        let original = "lllyasviel/FramePackI2V_HY";
        let f1 = "lllyasviel/FramePack_F1_I2V_HY_20250503";
        assert_eq!(names(Selection::Original), [original, shared[0], shared[1]]);
        assert_eq!(names(Selection::F1), [f1, shared[0], shared[1]]);
        assert_eq!(names(Selection::All), [original, f1, shared[0], shared[1]]);
    }
}
