//! The files of a bundle's encoders, as they are now.

use framepack_bundle::{Bundle, Component};

use crate::{error::Error, weights::Fingerprint};

/// Which files a bundle's encoders are read from at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EncoderFiles {
    text: Fingerprint,
    vision: Fingerprint,
    vae: Fingerprint,
}

impl EncoderFiles {
    /// Looks at the files of `bundle`; reads few of their bytes.
    pub(crate) fn of(bundle: &Bundle) -> Result<Self, Error> {
        let fingerprint = |components: &[Component]| -> Result<Fingerprint, Error> {
            let folders = components
                .iter()
                .map(|&component| bundle.component(component));
            let folders = folders.collect::<Result<Vec<_>, _>>()?;
            Ok(Fingerprint::of_folders(folders.iter().map(AsRef::as_ref))?)
        };
        Ok(Self {
            text: fingerprint(&[
                Component::TextEncoder,
                Component::TextEncoder2,
                Component::Tokenizer,
                Component::Tokenizer2,
            ])?,
            vision: fingerprint(&[Component::ImageEncoder, Component::FeatureExtractor])?,
            vae: fingerprint(&[Component::Vae])?,
        })
    }

    /// The three of them.
    pub(crate) fn fingerprints(&self) -> [Fingerprint; 3] {
        [self.text, self.vision, self.vae]
    }

    /// Those of the text encoders, with their tokenizers.
    pub(crate) fn text(&self) -> Fingerprint {
        self.text
    }

    /// Those of the image encoder, with its preprocessor.
    pub(crate) fn vision(&self) -> Fingerprint {
        self.vision
    }

    /// Those of the VAE.
    pub(crate) fn vae(&self) -> Fingerprint {
        self.vae
    }
}
