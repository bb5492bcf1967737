//! Pixels as SigLIP wants them (transformers' `SiglipImageProcessor`).

use std::path::Path;

use image::RgbImage;
use serde::Deserialize;
use tch::{Kind, Tensor};

use crate::picture::Size;
use crate::picture::resample::{Filter, resize};
use crate::weights::{WeightsError, read_json};

/// Resizing and normalisation, as `preprocessor_config.json` describes them.
#[derive(Debug, Clone, PartialEq)]
pub struct Preprocessor {
    size: Size,
    filter: Filter,
    rescale_factor: f64,
    mean: [f32; 3],
    std: [f32; 3],
}

/// The file; the field names are its keys.
#[derive(Debug, Deserialize)]
struct File {
    size: FileSize,
    resample: u8,
    rescale_factor: f64,
    image_mean: [f32; 3],
    image_std: [f32; 3],
    #[serde(default = "yes")]
    do_resize: bool,
    #[serde(default = "yes")]
    do_rescale: bool,
    #[serde(default = "yes")]
    do_normalize: bool,
}

#[derive(Debug, Deserialize)]
struct FileSize {
    height: u32,
    width: u32,
}

fn yes() -> bool {
    true
}

impl Preprocessor {
    /// Reads `preprocessor_config.json` in `dir`.
    pub fn read(dir: &Path) -> Result<Self, WeightsError> {
        let path = dir.join("preprocessor_config.json");
        let file: File = read_json(&path)?;
        let bad = |reason: String| {
            Err(WeightsError::Config {
                path: path.clone(),
                reason,
            })
        };
        if !(file.do_resize && file.do_rescale && file.do_normalize) {
            return bad("expected do_resize, do_rescale and do_normalize to be true".to_owned());
        }
        // PIL's numbers.
        let filter = match file.resample {
            1 => Filter::Lanczos,
            3 => Filter::Bicubic,
            other => {
                return bad(format!(
                    "resample is {other}, expected 1 (Lanczos) or 3 (bicubic)"
                ));
            }
        };
        Ok(Self {
            size: Size::new(file.size.width, file.size.height),
            filter,
            rescale_factor: file.rescale_factor,
            mean: file.image_mean,
            std: file.image_std,
        })
    }

    /// A picture of any size, squashed to the model's without regard to its shape → (1, 3, S, S), f32,
    /// [−1, 1] with the published settings.
    pub fn pixels(&self, picture: &RgbImage) -> Tensor {
        let resized = resize(picture, self.size, self.filter);
        let [height, width] = [resized.height(), resized.width()].map(i64::from);
        let bytes = Tensor::from_slice(resized.as_raw()).reshape([1, height, width, 3]);
        let channels_first = bytes.permute([0, 3, 1, 2]); // (1, 3, H, W), u8
        // Scaled in f64 and rounded once, as numpy does it upstream.
        let scaled =
            (channels_first.to_kind(Kind::Double) * self.rescale_factor).to_kind(Kind::Float);
        let per_channel = |values: &[f32; 3]| Tensor::from_slice(values).reshape([1, 3, 1, 1]);
        (scaled - per_channel(&self.mean)) / per_channel(&self.std)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::path::PathBuf;

    use super::*;

    fn fixtures() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures")
    }

    #[test]
    fn pixels_are_those_of_the_reference() {
        let file = fixtures().join("parity/data/siglip.safetensors");
        let tensors: HashMap<_, _> = Tensor::read_safetensors(file)
            .unwrap()
            .into_iter()
            .collect();
        let (height, width, _) = tensors["image"].size3().unwrap();
        let bytes = Vec::<u8>::try_from(tensors["image"].flatten(0, 2)).unwrap();
        let picture = RgbImage::from_raw(width as u32, height as u32, bytes).unwrap();

        let preprocessor =
            Preprocessor::read(&fixtures().join("bundle/feature_extractor")).unwrap();
        assert_eq!(preprocessor.pixels(&picture), tensors["pixel_values"]);
    }

    #[test]
    fn settings_without_an_implementation_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let mut json: serde_json::Value =
            read_json(&fixtures().join("bundle/feature_extractor/preprocessor_config.json"))
                .unwrap();
        for (key, value, word) in [
            ("resample", 2.into(), "resample"),
            ("do_rescale", false.into(), "do_rescale"),
        ] {
            let before = std::mem::replace(&mut json[key], value);
            std::fs::write(
                dir.path().join("preprocessor_config.json"),
                json.to_string(),
            )
            .unwrap();
            let error = Preprocessor::read(dir.path()).unwrap_err();
            assert!(error.to_string().contains(word), "{error}");
            json[key] = before;
        }
    }
}
