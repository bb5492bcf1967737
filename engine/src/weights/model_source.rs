//! Where a component comes from: its folder, or a seed and a folder with its configuration.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

use tch::{Device, Kind};

use super::{error::WeightsError, layout::Layout, loading::Loading, view::Weights};

/// A component's folder, or `random:SEED:CONFIGDIR`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelSource {
    /// Folder with `config.json` and safetensors.
    Folder(PathBuf),
    /// Weights made from a seed, in the sizes of the `config.json` in a folder.
    Synthesised {
        /// The seed.
        seed: u64,
        /// Folder with `config.json`.
        config_dir: PathBuf,
    },
}

impl ModelSource {
    /// Folder that holds `config.json`.
    pub fn config_dir(&self) -> &Path {
        match self {
            Self::Folder(dir)
            | Self::Synthesised {
                config_dir: dir, ..
            } => dir,
        }
    }

    /// Loads the model that `load` builds from the weights, and checks that it took all of them.
    pub fn load<M>(
        &self,
        layout: &Layout,
        (device, kind): (Device, Kind),
        load: impl FnOnce(&Weights<'_>) -> Result<M, WeightsError>,
    ) -> Result<M, WeightsError> {
        let loading = match self {
            Self::Folder(dir) => Loading::open(dir, layout)?,
            Self::Synthesised { seed, .. } => Loading::synthesised(*seed),
        };
        let model = load(&loading.weights(device, kind))?;
        loading.finish()?;
        Ok(model)
    }
}

/// What begins with `random:` and does not go on with a seed and a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected random:SEED:CONFIGDIR, SEED a whole number; a folder of such a name is ./random:…"
)]
pub struct NotASource;

impl FromStr for ModelSource {
    type Err = NotASource;

    /// Whatever does not begin with `random:` is a path.
    fn from_str(text: &str) -> Result<Self, NotASource> {
        let Some(synthesised) = text.strip_prefix("random:") else {
            return Ok(Self::Folder(text.into()));
        };
        let (seed, config_dir) = synthesised.split_once(':').ok_or(NotASource)?;
        Ok(Self::Synthesised {
            seed: seed.parse().map_err(|_| NotASource)?,
            config_dir: config_dir.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_folder_or_a_seed_with_a_configuration() {
        let parse = |text: &str| text.parse::<ModelSource>().unwrap();
        assert_eq!(parse("models/x"), ModelSource::Folder("models/x".into()));
        let expected = ModelSource::Synthesised {
            seed: 7,
            config_dir: "/a:b".into(),
        };
        assert_eq!(parse("random:7:/a:b"), expected);
        assert_eq!("random:x:/a".parse::<ModelSource>(), Err(NotASource));
        assert_eq!("random:7".parse::<ModelSource>(), Err(NotASource));
    }
}
