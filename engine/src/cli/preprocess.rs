//! `framepack-worker preprocess`: the start image as the models will see it.

use std::path::PathBuf;

use anyhow::Context;

use crate::picture::bucket::{nearest_size, resize_and_center_crop};
use crate::picture::load::load;
use crate::picture::{Size, png};

/// Fit a picture to a bucket and write it as PNG.
#[derive(Debug, clap::Args)]
pub struct PreprocessArgs {
    /// The picture: JPEG, PNG, WebP or TIFF.
    #[arg(long, value_name = "FILE")]
    image: PathBuf,
    /// Bucket: side of the square with about the video's area, in pixels.
    #[arg(long, value_name = "N", default_value_t = 640)]
    bucket: u32,
    /// Where the PNG goes.
    #[arg(long, value_name = "PNG")]
    output: PathBuf,
}

/// Runs the command.
pub fn run(args: &PreprocessArgs) -> anyhow::Result<()> {
    let image = load(&args.image)?;
    let size = nearest_size(Size::new(image.width(), image.height()), args.bucket);
    let fitted = resize_and_center_crop(&image, size);
    png::write(&args.output, &fitted).with_context(|| format!("writing {}", args.output.display()))
}
