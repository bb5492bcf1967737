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
use framepack_jobs::settings::BUCKETS_PX;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Image to fit: JPEG, PNG, WebP or TIFF
    #[arg(long, value_name = "FILE")]
    image: PathBuf,
    /// Bucket: side of the square with about the video's area, in pixels
    #[arg(long, value_name = "N", default_value_t = 640, value_parser = bucket_px)]
    bucket: u32,
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
        let image = load(&self.image).map_err(Error::from)?;
        let size = nearest_size(Size::new(image.width(), image.height()), self.bucket);
        png::write(&self.output, &resize_and_center_crop(&image, size))
            .with_context(|| format!("writing {}", self.output.display()))
    }
}
