//! Frames on their way out of the VAE: joining sections, and 8 bits.
//!
//! Upstream: `soft_append_bcthw` and `save_bcthw_as_mp4` of FramePack (`diffusers_helper/utils.py`).

use tch::{Device, Kind, Tensor};

use crate::{
    device::{Event, Stream},
    error::Error,
};

/// Joins two stretches of video whose last and first `overlap_frames` show the same moments.
///
/// `first`, `second`: (B, C, T, H, W). The overlap fades linearly from one to the other, in the type of `first`,
/// as does the result: (B, C, T1 + T2 - overlap, H, W). Without overlap they are put one behind the other.
///
/// # Panics
/// If either has fewer frames than the overlap.
pub fn soft_append(first: &Tensor, second: &Tensor, overlap_frames: i64) -> Tensor {
    const TIME: i64 = 2;
    let second = second.to_device(first.device());
    if overlap_frames <= 0 {
        return Tensor::cat(&[first, &second], TIME).to_kind(first.kind());
    }
    let (first_frames, second_frames) = (first.size()[2], second.size()[2]);
    let first_own = first_frames - overlap_frames;
    let weights = Tensor::linspace(1.0, 0.0, overlap_frames, (first.kind(), first.device()));
    let weights = weights.view([1, 1, -1, 1, 1]); // (1, 1, overlap, 1, 1)

    let fading_out = first.narrow(TIME, first_own, overlap_frames);
    let fading_in = second.narrow(TIME, 0, overlap_frames);
    let blended = &weights * fading_out + (1.0 - &weights) * fading_in;
    let first_alone = first.narrow(TIME, 0, first_own);
    let second_alone = second.narrow(TIME, overlap_frames, second_frames - overlap_frames);
    Tensor::cat(&[first_alone, blended, second_alone], TIME).to_kind(first.kind())
}

/// `frames` (1, 3, T, H, W) of any float type, [-1, 1] and beyond, as T pictures of packed RGB bytes.
///
/// Values are clamped and cut off, not rounded, as in the original: -1 becomes 0, 0 becomes 127, 1 becomes 255.
/// NaN or Inf is an error, since it would turn black or white without a word.
pub fn to_rgb24(frames: &Tensor) -> Result<Vec<u8>, Error> {
    Rgb24::new(frames).read()
}

/// Frames as [`to_rgb24`] makes them, converted by the device that decoded them and on their way to page-locked memory of
/// the host: a quarter of the bytes or less to copy, and nobody waits for it.
#[derive(Debug)]
pub(crate) struct Rgb24 {
    /// Packed RGB on the host, one dimension, u8.
    bytes: Tensor,
    /// Whether all values were numbers; a scalar on the host.
    are_finite: Tensor,
    /// When both are there; `None` on the CPU, where they are at once.
    arrival: Option<Event>,
}

impl Rgb24 {
    /// Gives the conversion of `frames`, (1, 3, T, H, W), and the copy to their device's current stream.
    pub(crate) fn new(frames: &Tensor) -> Self {
        let device = frames.device();
        let frames = frames.to_kind(Kind::Float);
        let bytes = (frames.clamp(-1.0, 1.0) * 127.5 + 127.5).to_kind(Kind::Uint8);
        let packed = bytes.squeeze_dim(0).permute([1, 2, 3, 0]); // (T, H, W, 3)
        Self {
            bytes: sent_to_host(&packed.contiguous().view([-1])),
            are_finite: sent_to_host(&frames.isfinite().all()),
            arrival: Stream::current(device).as_ref().map(Event::record),
        }
    }

    /// Whether [`read`](Self::read) need not wait.
    pub(crate) fn is_ready(&self) -> bool {
        self.arrival.as_ref().is_none_or(Event::is_done)
    }

    /// The bytes, once they have arrived.
    pub(crate) fn read(&self) -> Result<Vec<u8>, Error> {
        if let Some(arrival) = &self.arrival {
            arrival.synchronize();
        }
        if self.are_finite.int64_value(&[]) == 0 {
            return Err(Error::Numerics {
                what: "a decoded frame".to_owned(),
            });
        }
        Ok(Vec::try_from(&self.bytes).expect("a flat tensor of bytes"))
    }
}

/// The same on the host, once the device's current stream has come so far. Torch copies into page-locked memory, which it
/// keeps for the next time; on the CPU it is the tensor itself.
pub(crate) fn sent_to_host(x: &Tensor) -> Tensor {
    x.to_device_(Device::Cpu, x.kind(), true, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(frames: i64, value: f64) -> Tensor {
        Tensor::full([1, 1, frames, 1, 1], value, (Kind::Float, Device::Cpu))
    }

    #[test]
    fn the_overlap_fades_linearly() {
        let joined = soft_append(&filled(5, 0.0), &filled(5, 1.0), 3);
        let values = Vec::<f32>::try_from(joined.view([-1])).unwrap();
        assert_eq!(values, [0.0, 0.0, 0.0, 0.5, 1.0, 1.0, 1.0]);
    }

    #[test]
    fn no_overlap_is_concatenation() {
        let joined = soft_append(&filled(4, 0.0), &filled(3, 1.0), 0);
        assert_eq!(joined.size(), [1, 1, 7, 1, 1]);
    }

    #[test]
    fn bytes_are_cut_off_not_rounded() {
        let values = [-3.0_f32, -1.0, 0.0, 0.999, 1.0, 7.0];
        let frames = Tensor::from_slice(&values).view([1, 3, 1, 1, 2]);
        // Channel by channel in, packed out: pixel 0 has values 0, 2, 4; pixel 1 has values 1, 3, 5.
        assert_eq!(to_rgb24(&frames).unwrap(), [0, 127, 255, 0, 254, 255]);
    }

    #[test]
    fn what_the_cpu_converts_is_there() {
        let frames = Tensor::ones([1, 3, 1, 1, 1], (Kind::Half, Device::Cpu));
        let converted = Rgb24::new(&frames);
        assert!(converted.is_ready());
        assert_eq!(converted.read().unwrap(), [255; 3]);
        assert_eq!(converted.read().unwrap(), [255; 3], "reading takes nothing");
    }

    #[test]
    fn a_single_nan_is_an_error() {
        for bad in [f64::NAN, f64::INFINITY] {
            let frames = Tensor::zeros([1, 3, 2, 4, 4], (Kind::Half, Device::Cpu));
            let _ = frames.view([-1]).get(37).fill_(bad);
            assert!(matches!(to_rgb24(&frames), Err(Error::Numerics { .. })));
        }
    }
}
