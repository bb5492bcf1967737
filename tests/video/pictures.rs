//! Pictures against Pillow: the goldens of `tests/oracle/generate.py`, byte for byte.

use std::{
    fs,
    path::{Path, PathBuf},
};

use framepack_engine::picture::Size;
use framepack_engine::picture::bucket::nearest_size;
use framepack_engine::picture::load::load;
use framepack_engine::picture::resample::{Filter, resize};
use framepack_jobs::picture::Colour;
use image::RgbImage;
use safetensors::SafeTensors;

use crate::golden;

fn picture(file: &SafeTensors<'_>, name: &str) -> RgbImage {
    let tensor = file.tensor(name).unwrap();
    let [height, width, 3] = tensor.shape() else {
        panic!("{name} is not [H, W, 3]");
    };
    RgbImage::from_raw(*width as u32, *height as u32, tensor.data().to_vec()).unwrap()
}

#[test]
fn resizes_equal_pillows() {
    let bytes = golden("resize.safetensors");
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let outputs = file
        .names()
        .into_iter()
        .filter_map(|n| n.strip_suffix(".output"));
    let cases: Vec<&str> = outputs.collect();
    assert!(cases.len() >= 18, "{cases:?}");
    for case in cases {
        let filter = match case.split_once('_') {
            Some(("lanczos", _)) => Filter::Lanczos,
            Some(("bicubic", _)) => Filter::Bicubic,
            _ => panic!("{case} names no filter"),
        };
        let expected = picture(&file, &format!("{case}.output"));
        let size = Size::new(expected.width(), expected.height());
        let input = picture(&file, &format!("{case}.input"));
        assert!(resize(&input, size, filter) == expected, "{case} differs");
    }
}

#[derive(serde::Deserialize)]
struct BucketCase {
    /// Height and width of the image.
    image: [u32; 2],
    resolution: u32,
    /// Height and width chosen.
    bucket: [u32; 2],
}

#[test]
fn buckets_equal_the_originals() {
    let cases: Vec<BucketCase> = serde_json::from_slice(&golden("buckets.json")).unwrap();
    assert!(cases.len() >= 80);
    for case in cases {
        let [height, width] = case.image;
        let size = nearest_size(Size::new(width, height), case.resolution);
        let chosen = [size.height_px, size.width_px];
        assert_eq!(
            chosen, case.bucket,
            "{:?} in {}",
            case.image, case.resolution
        );
    }
}

/// A picture of `tests/oracle/pictures.py`, and what Pillow shows of it.
fn fixtures() -> Vec<(PathBuf, RgbImage)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/pictures");
    let paths = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let is_picture =
        |path: &PathBuf| !matches!(path.extension().unwrap().to_str(), Some("ppm" | "rs"));
    let with_reference = |path: PathBuf| {
        let reference = image::open(path.with_extension("ppm")).unwrap().into_rgb8();
        (path, reference)
    };
    paths.filter(is_picture).map(with_reference).collect()
}

/// How far a value may be from Pillow's: JPEG and the conversion of YCbCr are only defined up to the decoder's rounding.
fn tolerance(name: &str) -> u8 {
    match name {
        name if name.contains("jpeg") => 3,
        name if name.contains("ycbcr") => 1,
        _ => 0,
    }
}

#[test]
fn pictures_of_every_kind_are_shown_as_pillow_shows_them() {
    let fixtures = fixtures();
    assert!(fixtures.len() >= 40, "{}", fixtures.len());
    let differences: Vec<String> = fixtures
        .iter()
        .filter_map(|(path, reference)| {
            let name = path.file_name().unwrap().to_str().unwrap();
            let shown = match load(path, Colour::WHITE) {
                Ok(picture) => picture.pixels,
                Err(error) => return Some(format!("{name}: {error}")),
            };
            if shown.dimensions() != reference.dimensions() {
                return Some(format!("{name}: {:?}", shown.dimensions()));
            }
            let values = shown.as_raw().iter().zip(reference.as_raw());
            let most = values.map(|(a, b)| a.abs_diff(*b)).max().unwrap();
            (most > tolerance(name)).then(|| format!("{name}: by {most}"))
        })
        .collect();
    assert!(differences.is_empty(), "{differences:#?}");
}
