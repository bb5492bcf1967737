//! `preprocess`: the start image as the models will see it.

use std::path::PathBuf;

use anyhow::Context as _;
use framepack_engine::{
    Error,
    picture::{
        Size,
        bucket::{nearest_size, resize_and_center_crop},
        load::load,
        png,
    },
};
use framepack_jobs::{picture::Colour, settings::BUCKETS_PX};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Image to fit: JPEG, PNG, WebP, TIFF, GIF, BMP, PNM or QOI
    #[arg(long, value_name = "FILE")]
    image: PathBuf,
    /// Bucket: side of the square with about the video's area, in pixels
    #[arg(long, value_name = "N", default_value_t = 640, value_parser = bucket_px)]
    bucket: u32,
    /// Colour behind transparent parts, `#rrggbb`
    #[arg(long, value_name = "COLOUR", default_value_t = Colour::WHITE)]
    background: Colour,
    /// PNG to write
    #[arg(long, value_name = "PNG")]
    output: PathBuf,
}

fn bucket_px(text: &str) -> Result<u32, String> {
    let bucket = text.parse().ok().filter(|px| BUCKETS_PX.contains(px));
    bucket.ok_or_else(|| format!("not one of {BUCKETS_PX:?}"))
}

impl Args {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let picture = load(&self.image, self.background).map_err(Error::from)?;
        for warning in &picture.warnings {
            tracing::warn!("{warning}");
        }
        let image = picture.pixels;
        let size = nearest_size(Size::new(image.width(), image.height()), self.bucket);
        png::write(&self.output, &resize_and_center_crop(&image, size))
            .with_context(|| format!("writing {}", self.output.display()))
    }
}
