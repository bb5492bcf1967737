//! What decides the bits of an embedding.

use std::fmt;

use image::RgbImage;
use sha2::{Digest, Sha256};
use tch::Kind;

use crate::{
    kernels::KernelUse,
    text::prompt::{MAX_PROMPT_TOKENS, with_template},
    weights::Fingerprint,
};

/// Raised when entries get another form or meaning.
const FORMAT: u64 = 2;

/// What is encoded.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject<'a> {
    /// A prompt, by both text encoders.
    Prompt(&'a str),
    /// The start image in the video's size, by SigLIP.
    ImageStates(&'a RgbImage),
    /// The start image in the video's size, by the VAE.
    StartLatent(&'a RgbImage),
}

/// What it is encoded with.
#[derive(Debug, Clone)]
pub(crate) struct Computation<'a> {
    /// Of the files of the subject's encoders. It covers the tokenizers, so that no token needs to be known.
    pub(crate) files: Fingerprint,
    /// Type that the encoders compute in.
    pub(crate) kind: Kind,
    /// Kind of the device, and the model that its maker names: no two round alike.
    pub(crate) device: &'a str,
    /// Of the program: another build may compute other bits.
    pub(crate) build: Option<Fingerprint>,
    /// Kernels of attention that torch may not choose: it computes other bits with those that are left.
    pub(crate) kernels_off: Vec<&'static str>,
    /// Whether the engine's kernels compute.
    pub(crate) kernels: KernelUse,
}

/// SHA-256 over a subject and its computation: the name of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key([u8; 32]);

impl Key {
    pub(crate) fn new(subject: Subject<'_>, computation: &Computation<'_>) -> Self {
        let mut fields = Fields(Sha256::new());
        fields.add(FORMAT.to_le_bytes());
        fields.add(env!("CARGO_PKG_VERSION"));
        fields.add(computation.build.as_ref().map_or(&[][..], AsRef::as_ref));
        fields.add(computation.files);
        fields.add(format!("{:?}", computation.kind));
        fields.add(computation.device);
        // Nothing where nothing is off: the keys of entries of before stay what they are.
        for kernel in &computation.kernels_off {
            fields.add("without");
            fields.add(kernel);
        }
        if computation.kernels == KernelUse::On {
            fields.add("kernels");
        }
        match subject {
            Subject::Prompt(prompt) => {
                fields.add("prompt");
                fields.add((MAX_PROMPT_TOKENS as u64).to_le_bytes());
                fields.add(with_template(prompt)); // for Llama
                fields.add(prompt); // for CLIP
            }
            Subject::ImageStates(image) => {
                fields.add("image states");
                fields.add_image(image);
            }
            Subject::StartLatent(image) => {
                fields.add("start latent");
                fields.add_image(image);
            }
        }
        Self(fields.0.finalize().into())
    }
}

/// In hexadecimal.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A hash over fields, each behind its length, so that none runs into the next.
struct Fields(Sha256);

impl Fields {
    fn add(&mut self, field: impl AsRef<[u8]>) {
        let field = field.as_ref();
        self.0.update((field.len() as u64).to_le_bytes());
        self.0.update(field);
    }

    fn add_image(&mut self, image: &RgbImage) {
        self.add(image.width().to_le_bytes());
        self.add(image.height().to_le_bytes());
        self.add(image.as_raw());
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use image::Rgb;

    use super::*;

    fn fingerprint(text: &str) -> Fingerprint {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("config.json"), text).unwrap();
        Fingerprint::of_folders([dir.path()]).unwrap()
    }

    #[test]
    fn a_key_is_that_of_its_subject_and_computation_alone() {
        let base = Computation {
            files: fingerprint("a"),
            kind: Kind::Float,
            device: "cpu",
            build: Some(fingerprint("build")),
            kernels_off: vec![],
            kernels: KernelUse::Off,
        };
        let image = RgbImage::from_pixel(4, 2, Rgb([1, 2, 3]));
        let turned = RgbImage::from_pixel(2, 4, Rgb([1, 2, 3]));
        let mut touched = image.clone();
        touched.put_pixel(3, 1, Rgb([1, 2, 4]));
        let cat = Subject::Prompt("a cat");

        let keys = [
            Key::new(cat, &base),
            Key::new(Subject::Prompt("a cat "), &base),
            Key::new(Subject::Prompt(""), &base),
            Key::new(Subject::ImageStates(&image), &base),
            Key::new(Subject::StartLatent(&image), &base),
            Key::new(Subject::StartLatent(&turned), &base),
            Key::new(Subject::StartLatent(&touched), &base),
            Key::new(
                cat,
                &Computation {
                    files: fingerprint("b"),
                    ..base.clone()
                },
            ),
            Key::new(
                cat,
                &Computation {
                    kind: Kind::Half,
                    ..base.clone()
                },
            ),
            Key::new(
                cat,
                &Computation {
                    device: "cuda NVIDIA H100",
                    ..base.clone()
                },
            ),
            Key::new(
                cat,
                &Computation {
                    build: Some(fingerprint("other")),
                    ..base.clone()
                },
            ),
            Key::new(
                cat,
                &Computation {
                    build: None,
                    ..base.clone()
                },
            ),
            Key::new(
                cat,
                &Computation {
                    kernels: KernelUse::On,
                    ..base.clone()
                },
            ),
            Key::new(
                cat,
                &Computation {
                    kernels_off: vec!["flash"],
                    ..base.clone()
                },
            ),
            Key::new(
                cat,
                &Computation {
                    kernels_off: vec!["flash", "memory-efficient"],
                    ..base.clone()
                },
            ),
        ];
        for (number, key) in keys.iter().enumerate() {
            assert!(!keys[..number].contains(key), "key {number} is another's");
        }
        assert_eq!(Key::new(cat, &base), keys[0]);
        let image_again = RgbImage::from_pixel(4, 2, Rgb([1, 2, 3]));
        assert_eq!(Key::new(Subject::StartLatent(&image_again), &base), keys[4]);
    }
}
