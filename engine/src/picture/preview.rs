//! What latents look like, without the VAE: a linear map from 16 latent channels to RGB.
//!
//! The map is `vae_decode_fake` of FramePack (`diffusers_helper/hunyuan.py`), fitted to `HunyuanVideo`. Good enough to see a scene take shape while it is sampled.

use image::RgbImage;
use tch::{Kind, Tensor};

/// One row of (R, G, B) for each latent channel.
#[rustfmt::skip]
const FACTORS: [[f32; 3]; 16] = [
    [-0.0395, -0.0331,  0.0445], [ 0.0696,  0.0795,  0.0518], [ 0.0135, -0.0945, -0.0282], [ 0.0108, -0.0250, -0.0765],
    [-0.0209,  0.0032,  0.0224], [-0.0804, -0.0254, -0.0639], [-0.0991,  0.0271, -0.0669], [-0.0646, -0.0422, -0.0400],
    [-0.0696, -0.0595, -0.0894], [-0.0799, -0.0208, -0.0375], [ 0.1166,  0.1627,  0.0962], [ 0.1165,  0.0432,  0.0407],
    [-0.2315, -0.1920, -0.1355], [-0.0270,  0.0401, -0.0821], [-0.0616, -0.0997, -0.0727], [ 0.0249, -0.0469, -0.1703],
];
const BIAS: [f32; 3] = [0.0259, -0.0192, -0.0761];

/// Draws `latents` (1, 16, T, h, w), scaled as in the sampler, as one picture of T frames side by side.
///
/// # Panics
/// If the shape is another one.
pub fn latent_preview(latents: &Tensor) -> RgbImage {
    let (batch, channels, frames, height, width) =
        latents.size5().expect("latents are (1, 16, T, h, w)");
    assert_eq!((batch, channels), (1, 16), "latents are (1, 16, T, h, w)");
    let device = latents.device();
    let factors = Tensor::from_slice2(&FACTORS).to_device(device);
    let bias = Tensor::from_slice(&BIAS).to_device(device);

    let strip = latents.squeeze_dim(0).permute([2, 1, 3, 0]); // (h, T, w, 16): frames side by side
    let rgb = strip.to_kind(Kind::Float).matmul(&factors) + bias; // (h, T, w, 3)
    let pixels = (rgb.clamp(0.0, 1.0) * 255.0)
        .to_kind(Kind::Uint8)
        .contiguous()
        .view([-1]);
    let pixels = Vec::<u8>::try_from(pixels).expect("a flat tensor of bytes");
    RgbImage::from_raw((frames * width) as u32, height as u32, pixels)
        .expect("h * T * w pixels were computed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;

    #[test]
    fn zero_latents_show_the_bias() {
        let zeros = Tensor::zeros([1, 16, 2, 3, 4], (Kind::Float, Device::Cpu));
        let preview = latent_preview(&zeros);
        assert_eq!(preview.dimensions(), (8, 3));
        // trunc(0.0259 * 255); green and blue are below zero.
        assert!(preview.pixels().all(|p| p.0 == [6, 0, 0]));
    }

    #[test]
    fn frames_lie_side_by_side_in_order() {
        let latents = Tensor::zeros([1, 16, 2, 1, 1], (Kind::Float, Device::Cpu));
        // 4 * (0.1166, 0.1627, 0.0962) + bias = (0.4923, 0.6316, 0.3087)
        let _ = latents.select(1, 10).select(1, 1).fill_(4.0);
        let preview = latent_preview(&latents);
        assert_eq!(preview.get_pixel(0, 0).0, [6, 0, 0]);
        assert_eq!(preview.get_pixel(1, 0).0, [125, 161, 78]);
    }
}
