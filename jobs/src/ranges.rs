//! Ranges and defaults of a job's parameters, as FramePack's interface has them.

use std::ops::RangeInclusive;

/// A parameter's range and default.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter<T> {
    /// Smallest and largest accepted value.
    pub range: RangeInclusive<T>,
    /// Value of a job that does not say.
    pub default: T,
}

impl<T> Parameter<T> {
    const fn new(range: RangeInclusive<T>, default: T) -> Self {
        Self { range, default }
    }
}

/// `length.seconds`: total video length.
pub const LENGTH_SECS: Parameter<f64> = Parameter::new(1.0..=120.0, 5.0);
/// `steps`: denoising steps. A bundle may have a default of its own.
pub const STEPS: Parameter<u32> = Parameter::new(1..=100, 25);
/// `guidance.distilled`: distilled CFG scale.
pub const GUIDANCE_DISTILLED: Parameter<f64> = Parameter::new(1.0..=32.0, 10.0);
/// `guidance.cfg`: real CFG scale; 1 is off.
pub const GUIDANCE_CFG: Parameter<f64> = Parameter::new(1.0..=32.0, 1.0);
/// `guidance.rescale`: CFG rescale; 0 is off.
pub const GUIDANCE_RESCALE: Parameter<f64> = Parameter::new(0.0..=1.0, 0.0);
/// `latent_window`: latent frames a section. A bundle may have a default of its own.
pub const LATENT_WINDOW: Parameter<u32> = Parameter::new(1..=33, 9);
/// `output.crf`: H.264 constant rate factor. Above [`MAX_CRF`] nothing changes any more.
pub const OUTPUT_CRF: Parameter<u8> = Parameter::new(0..=100, 16);
/// The largest CRF that x264 knows for 8-bit video.
pub const MAX_CRF: u8 = 51;
/// `size.bucket`: sides in pixels of the squares for which there are tables of shapes.
pub const BUCKETS_PX: [u32; 6] = [128, 256, 384, 512, 640, 768];
/// `size.bucket` of a bundle that does not say.
pub const DEFAULT_BUCKET_PX: u32 = 640;
