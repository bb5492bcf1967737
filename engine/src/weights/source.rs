//! Where a component comes from: its folder, or a seed and a folder with its configuration.

use std::{
    convert::Infallible,
    path::{Path, PathBuf},
    str::FromStr,
};

use tch::{Device, Kind};

use super::{Checkpoint, Layout, Weights, WeightsError};

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
        let checkpoint = match self {
            Self::Folder(dir) => Checkpoint::open(dir, layout)?,
            Self::Synthesised { seed, .. } => Checkpoint::synthesised(*seed),
        };
        let model = load(&checkpoint.weights(device, kind))?;
        checkpoint.finish()?;
        Ok(model)
    }
}

impl FromStr for ModelSource {
    type Err = Infallible;

    /// Whatever is not `random:SEED:CONFIGDIR` is a path.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let synthesised = || {
            let (seed, config_dir) = text.strip_prefix("random:")?.split_once(':')?;
            Some(Self::Synthesised {
                seed: seed.parse().ok()?,
                config_dir: config_dir.into(),
            })
        };
        Ok(synthesised().unwrap_or_else(|| Self::Folder(text.into())))
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
        assert_eq!(
            parse("random:x:/a"),
            ModelSource::Folder("random:x:/a".into())
        );
    }
}
