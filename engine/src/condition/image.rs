//! Start image → the latent that begins the video, and SigLIP's embeddings of it.

use ::image::RgbImage;
use tch::{Device, Kind, Tensor};

use crate::{
    vae::{SpaceTiling, Vae},
    vision::{Preprocessor, Siglip},
};

/// The image's latent, (1, C, 1, h, w) in the VAE's type: the mean of the posterior times the scaling factor.
///
/// Upstream draws from the posterior with an unseeded generator, so that no seed repeats a video. The
/// posterior is narrow, and its mean repeats.
pub fn start_latent(vae: &Vae, image: &RgbImage, (kind, device): (Kind, Device)) -> Tensor {
    let pixels = pixels(image).to_device(device).to_kind(kind);
    vae.encode(&pixels, SpaceTiling::Whole).mean * vae.scaling_factor()
}

/// SigLIP with its preprocessing.
#[derive(Debug)]
pub struct VisionEncoder {
    /// Resizing and normalisation.
    pub preprocessor: Preprocessor,
    /// The model.
    pub siglip: Siglip,
    /// Type and place of the model.
    pub options: (Kind, Device),
}

impl VisionEncoder {
    /// SigLIP's states of the image, (1, N, D).
    pub fn embed(&self, image: &RgbImage) -> Tensor {
        let (kind, device) = self.options;
        self.siglip.forward(
            &self
                .preprocessor
                .pixels(image)
                .to_device(device)
                .to_kind(kind),
        )
    }
}

/// (1, 3, 1, H, W) f32 in [-1, 1].
fn pixels(image: &RgbImage) -> Tensor {
    let (width, height) = (i64::from(image.width()), i64::from(image.height()));
    let bytes = Tensor::from_data_size(image.as_raw(), &[height, width, 3], Kind::Uint8);
    let channels_first = bytes.permute([2, 0, 1]).to_kind(Kind::Float) / 127.5 - 1.;
    channels_first.reshape([1, 3, 1, height, width])
}
