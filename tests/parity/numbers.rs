//! What no command prints: buckets, resizing, noise, blending and the two ways to 8 bits.

use std::collections::HashMap;

use framepack_engine::picture::{Size, bucket, preview, resample};
use framepack_engine::sampler::NoiseStream;
use framepack_engine::video::frames;
use image::RgbImage;
use serde::Deserialize;
use tch::{Kind, Tensor};

use crate::manifest::Manifest;

/// (height, width) of an image, the resolution asked for, and (height, width) of the bucket.
#[derive(Deserialize)]
struct Choice {
    image: [u32; 2],
    resolution: u32,
    bucket: [u32; 2],
}

#[test]
fn buckets() {
    for case in Manifest::json::<Vec<Choice>>("data/buckets.json") {
        let [height, width] = case.image;
        let found = bucket::nearest_size(Size::new(width, height), case.resolution);
        let what = format!("{height}x{width} at {}", case.resolution);
        assert_eq!([found.height_px, found.width_px], case.bucket, "{what}");
    }
}

#[test]
fn resizing() {
    let tensors = tensors("data/resize.safetensors");
    let inputs = tensors
        .keys()
        .filter_map(|name| name.strip_suffix(".input"));
    for name in inputs {
        let filter = match name.split('_').next() {
            Some("lanczos") => resample::Filter::Lanczos,
            Some("bicubic") => resample::Filter::Bicubic,
            _ => panic!("{name} names no filter"),
        };
        let (input, output) = (
            &tensors[&format!("{name}.input")],
            &tensors[&format!("{name}.output")],
        );
        let (height, width, _) = output.size3().expect("images are [H, W, 3]");
        let resized = resample::resize(
            &picture(input),
            Size::new(width as u32, height as u32),
            filter,
        );
        assert_eq!(resized.as_raw(), &bytes(output), "{name}");
    }
}

#[derive(Deserialize)]
struct Noise {
    seed: u64,
    shape: Vec<i64>,
    first_32_of_each_draw: Vec<Vec<f32>>,
}

#[test]
fn noise() {
    let expected: Noise = Manifest::json("data/noise.json");
    let mut stream = NoiseStream::new(expected.seed);
    for first in expected.first_32_of_each_draw {
        let drawn = stream
            .next(&expected.shape)
            .view([-1])
            .narrow(0, 0, first.len() as i64);
        assert_eq!(Vec::<f32>::try_from(drawn).expect("a flat tensor"), first);
    }
}

#[test]
fn soft_append() {
    let tensors = tensors("data/pixels.safetensors");
    for kind in [Kind::Float, Kind::Half] {
        let name = if kind == Kind::Half {
            "float16"
        } else {
            "float32"
        };
        let [head, tail] = ["head", "tail"].map(|clip| tensors[clip].to_kind(kind));
        for overlap in [0, 5, 7] {
            let joined = frames::soft_append(&head, &tail, overlap);
            let expected = &tensors[&format!("soft_append.{name}.{overlap}")];
            assert!(
                joined.allclose(expected, 1e-6, 1e-6, false),
                "{name}, {overlap} frames"
            );
        }
    }
}

#[test]
fn eight_bits() {
    let tensors = tensors("data/pixels.safetensors");
    let input = &tensors["u8.input"];
    // One channel is enough, so the other two repeat it.
    let gray = input.view([1, 1, 1, 1, -1]).repeat([1, 3, 1, 1, 1]);
    let rgb = frames::to_rgb24(&gray).expect("the input is finite");
    let red: Vec<u8> = rgb.into_iter().step_by(3).collect();
    assert_eq!(red, bytes(&tensors["u8.output"]));
}

#[test]
fn latent_preview() {
    let tensors = tensors("data/pixels.safetensors");
    let drawn = preview::latent_preview(&tensors["latents"]);
    // The engine draws the frames side by side, the reference one after the other.
    let strip = tensors["preview"].permute([1, 0, 2, 3]);
    assert_eq!(drawn.as_raw(), &bytes(&strip));
}

fn tensors(file: &str) -> HashMap<String, Tensor> {
    let pairs = Tensor::read_safetensors(Manifest::path(file)).expect("a safetensors file");
    pairs.into_iter().collect()
}

fn picture(pixels: &Tensor) -> RgbImage {
    let (height, width, _) = pixels.size3().expect("images are [H, W, 3]");
    RgbImage::from_raw(width as u32, height as u32, bytes(pixels)).expect("as many bytes as pixels")
}

fn bytes(tensor: &Tensor) -> Vec<u8> {
    Vec::try_from(tensor.contiguous().view([-1])).expect("a flat tensor of bytes")
}
