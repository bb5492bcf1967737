//! Pictures against Pillow: the goldens of `tests/oracle/generate.py`, byte for byte.

use framepack_engine::picture::Size;
use framepack_engine::picture::bucket::nearest_size;
use framepack_engine::picture::resample::{Filter, resize};
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
