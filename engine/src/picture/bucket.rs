//! Which size a video gets from its start image, and the resize and crop that bring the image to that size.
//!
//! Bucket 640 is FramePack's own list and rule (`diffusers_helper/bucket_tools.py`); the other lists and their
//! rule are FramePack-Studio's. The crop is `resize_and_center_crop` of `diffusers_helper/utils.py`.

use image::RgbImage;

use super::resample::{Filter, Window, resize_window};
use super::size::Size;

/// A list of sizes of about the same area.
struct Bucket {
    /// Side of the square with about that area, in pixels: what a job names.
    side_px: u32,
    /// (height, width) in pixels.
    sizes: &'static [(u32, u32)],
}

const FRAMEPACK_SIDE_PX: u32 = 640;

#[rustfmt::skip]
const BUCKETS: [Bucket; 6] = [
    Bucket { side_px: 128, sizes: &[(96, 160), (112, 144), (128, 128), (144, 112), (160, 96)] },
    Bucket { side_px: 256, sizes: &[(192, 320), (224, 288), (256, 256), (288, 224), (320, 192)] },
    Bucket { side_px: 384, sizes: &[(256, 512), (320, 448), (384, 384), (448, 320), (512, 256)] },
    Bucket { side_px: 512, sizes: &[
        (352, 704), (384, 640), (448, 576), (512, 512), (576, 448), (640, 384), (704, 352),
    ] },
    Bucket { side_px: FRAMEPACK_SIDE_PX, sizes: &[
        (416, 960), (448, 864), (480, 832), (512, 768), (544, 704), (576, 672), (608, 640),
        (640, 608), (672, 576), (704, 544), (768, 512), (832, 480), (864, 448), (960, 416),
    ] },
    Bucket { side_px: 768, sizes: &[
        (512, 1024), (576, 896), (640, 832), (704, 768), (768, 768), (768, 704), (832, 640), (896, 576), (1024, 512),
    ] },
];

/// The size of the video for a start image of size `image`, in the bucket whose side is nearest to `side_px`
/// (the smaller one of two that are equally near).
pub fn nearest_size(image: Size, side_px: u32) -> Size {
    let bucket = BUCKETS
        .iter()
        .min_by_key(|bucket| bucket.side_px.abs_diff(side_px))
        .expect("there are six buckets");
    let (height_px, width_px) = if bucket.side_px == FRAMEPACK_SIDE_PX {
        last_best(bucket.sizes, |h, w| cross_difference(image, h, w))
    } else {
        first_best(bucket.sizes, |h, w| aspect_difference(image, h, w))
    };
    Size {
        width_px,
        height_px,
    }
}

/// FramePack's metric: |h w' - w h'|.
fn cross_difference(image: Size, height_px: u32, width_px: u32) -> u64 {
    let [w, h, bw, bh] = [image.width_px, image.height_px, width_px, height_px].map(u64::from);
    (h * bw).abs_diff(w * bh)
}

/// FramePack-Studio's metric: |w'/h' - w/h|.
fn aspect_difference(image: Size, height_px: u32, width_px: u32) -> f64 {
    let wanted = f64::from(image.width_px) / f64::from(image.height_px);
    (f64::from(width_px) / f64::from(height_px) - wanted).abs()
}

/// Of equally good sizes the last wins, so a square becomes 608 wide and 640 high.
fn last_best(sizes: &[(u32, u32)], metric: impl Fn(u32, u32) -> u64) -> (u32, u32) {
    let best = sizes.iter().rev().min_by_key(|(h, w)| metric(*h, *w));
    *best.expect("no bucket is empty")
}

/// Of equally good sizes the first wins.
fn first_best(sizes: &[(u32, u32)], metric: impl Fn(u32, u32) -> f64) -> (u32, u32) {
    let best = sizes
        .iter()
        .min_by(|a, b| metric(a.0, a.1).total_cmp(&metric(b.0, b.1)));
    *best.expect("no bucket is empty")
}

/// Scales the image until it covers `size` and keeps its centre.
pub fn resize_and_center_crop(image: &RgbImage, size: Size) -> RgbImage {
    if image.dimensions() == (size.width_px, size.height_px) {
        return image.clone();
    }
    let [width, height] = [image.width(), image.height()].map(f64::from);
    let scale = (f64::from(size.width_px) / width).max(f64::from(size.height_px) / height);
    let scaled = [width, height].map(|len| (len * scale).round_ties_even() as u64);
    let window = Window {
        columns: centre(scaled[0], size.width_px),
        rows: centre(scaled[1], size.height_px),
    };
    resize_window(image, scaled, &window, Filter::Lanczos)
}

/// The middle `wanted` of `len` pixels; a half is rounded to even, as Python's `round` does.
fn centre(len: u64, wanted: u32) -> std::ops::Range<u64> {
    let start = ((len - u64::from(wanted)) as f64 / 2.0).round_ties_even() as u64;
    start..start + u64::from(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nearest(width: u32, height: u32, side_px: u32) -> (u32, u32) {
        let size = nearest_size(Size::new(width, height), side_px);
        (size.width_px, size.height_px)
    }

    #[test]
    fn bucket_640_prefers_the_last_of_equals() {
        assert_eq!(nearest(512, 512, 640), (608, 640));
        assert_eq!(nearest(1920, 1080, 640), (832, 480));
        assert_eq!(nearest(1080, 1920, 640), (480, 832));
        assert_eq!(nearest(10_000, 10, 640), (960, 416));
    }

    #[test]
    fn other_buckets_prefer_the_nearest_aspect() {
        assert_eq!(nearest(512, 512, 128), (128, 128));
        assert_eq!(nearest(1920, 1080, 256), (320, 192));
        assert_eq!(nearest(1080, 1920, 768), (512, 1024));
        // |768/704 - 1.05| = 0.041 is less than |1 - 1.05|.
        assert_eq!(nearest(1050, 1000, 768), (768, 704));
    }

    #[test]
    fn an_unknown_side_takes_the_nearest_list() {
        assert_eq!(nearest(512, 512, 500), (512, 512));
        assert_eq!(nearest(512, 512, 1), (128, 128));
        assert_eq!(nearest(512, 512, 5000), (768, 768));
        assert_eq!(nearest(512, 512, 192), (128, 128));
    }

    #[test]
    fn every_size_is_a_multiple_of_16() {
        for bucket in &BUCKETS {
            for (height, width) in bucket.sizes {
                assert_eq!((height % 16, width % 16), (0, 0), "{height}x{width}");
            }
        }
    }

    #[test]
    fn the_crop_has_the_wanted_size_for_any_image() {
        for (width, height) in [(1, 1), (3000, 2), (2, 3000), (512, 511), (641, 487)] {
            let image = RgbImage::from_pixel(width, height, image::Rgb([9, 8, 7]));
            let fitted = resize_and_center_crop(&image, Size::new(160, 96));
            assert_eq!(fitted.dimensions(), (160, 96));
            assert!(fitted.pixels().all(|p| p.0 == [9, 8, 7]));
        }
    }
}
