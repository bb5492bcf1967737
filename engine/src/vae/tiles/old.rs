//! Overlapping tiles, and how neighbours are blended (the tiling of diffusers' `AutoencoderKLHunyuanVideo`).
//!
//! A long video always goes through in temporal tiles; the result differs from one pass over all frames, and
//! it is what the original shows. Tiles in space are a choice, for devices with little memory.

use tch::{Kind, Tensor};

use super::config::Config;

// Tiles in pixels and frames, constants of the upstream class and not of its configuration.
const TILE_PX: i64 = 256;
const TILE_STRIDE_PX: i64 = 192;
const TILE_FRAMES: i64 = 16;
const TILE_STRIDE_FRAMES: i64 = 12;

/// In what the VAE cuts its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tiling {
    /// Along time only.
    #[default]
    Time,
    /// Along time, and each piece along height and width.
    TimeAndSpace,
}

/// How an axis is cut. `length` and `stride` count positions of the input, `kept` (a stride) and
/// `overlap` positions of the output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    pub(super) length: i64,
    pub(super) stride: i64,
    pub(super) kept: i64,
    pub(super) overlap: i64,
}

impl Cut {
    /// Of pixels along time.
    pub(super) fn encode_time(config: &Config) -> Self {
        let ratio = config.temporal_compression_ratio;
        Self::of_pixels(TILE_FRAMES, TILE_STRIDE_FRAMES, ratio)
    }

    /// Of latents along time.
    pub(super) fn decode_time(config: &Config) -> Self {
        let ratio = config.temporal_compression_ratio;
        Self::of_latents(TILE_FRAMES, TILE_STRIDE_FRAMES, ratio)
    }

    /// Of pixels along height and width.
    pub(super) fn encode_space(config: &Config) -> Self {
        Self::of_pixels(TILE_PX, TILE_STRIDE_PX, config.spatial_compression_ratio)
    }

    /// Of latents along height and width.
    pub(super) fn decode_space(config: &Config) -> Self {
        Self::of_latents(TILE_PX, TILE_STRIDE_PX, config.spatial_compression_ratio)
    }

    /// Tiles and strides are in pixels, of which `ratio` make a latent.
    fn of_pixels(tile: i64, stride: i64, ratio: i64) -> Self {
        Self {
            length: tile,
            stride,
            kept: stride / ratio,
            overlap: (tile - stride) / ratio,
        }
    }

    /// The same for what latents become.
    fn of_latents(tile: i64, stride: i64, ratio: i64) -> Self {
        Self {
            length: tile / ratio,
            stride: stride / ratio,
            kept: stride,
            overlap: tile - stride,
        }
    }

    /// Positions of the longest piece along time: all but the first begin with a frame more, see [`over_time`].
    pub(super) fn longest_piece(&self) -> i64 {
        self.length + 1
    }
}

const TIME: i64 = 2;
const HEIGHT: i64 = 3;
const WIDTH: i64 = 4;

/// Runs `pass` on pieces along time and joins their results to `out_frames` frames.
///
/// Every piece after the first begins with a frame that only gives the causal layers their past, and drops
/// its first output frame. Adjacent results share `overlap` frames. A failed pass ends it.
pub(super) fn over_time<E>(
    x: &Tensor,
    cut: Cut,
    out_frames: i64,
    mut pass: impl FnMut(&Tensor) -> Result<Tensor, E>,
) -> Result<Tensor, E> {
    let frames = x.size()[TIME as usize];
    let mut kept = Vec::new();
    let mut previous: Option<Tensor> = None;
    for start in (0..frames).step_by(cut.stride as usize) {
        let length = cut.longest_piece().min(frames - start);
        let is_past_only = start > 0 && length == 1;
        if is_past_only {
            break;
        }
        let piece = pass(&x.narrow(TIME, start, length))?;
        let piece = match &previous {
            None => piece,
            Some(previous) => {
                let piece = piece.narrow(TIME, 1, piece.size()[TIME as usize] - 1);
                blend(previous, &piece, TIME, cut.overlap);
                piece
            }
        };
        let first_only = i64::from(previous.is_none());
        kept.push(head(&piece, TIME, cut.kept + first_only));
        previous = Some(piece);
    }
    Ok(head(&Tensor::cat(&kept, TIME), TIME, out_frames))
}

/// Runs `pass` on tiles in row-major order and joins their results to `out_size` (height, width).
pub(super) fn over_space(
    x: &Tensor,
    cut: Cut,
    out_size: [i64; 2],
    pass: impl Fn(&Tensor) -> Tensor,
) -> Tensor {
    let [height, width] = [x.size()[HEIGHT as usize], x.size()[WIDTH as usize]];
    let mut above: Vec<Tensor> = Vec::new();
    let mut rows = Vec::new();
    for top in (0..height).step_by(cut.stride as usize) {
        let strip = x.narrow(HEIGHT, top, cut.length.min(height - top));
        let mut row: Vec<Tensor> = Vec::new();
        for left in (0..width).step_by(cut.stride as usize) {
            let tile = pass(&strip.narrow(WIDTH, left, cut.length.min(width - left)));
            // First with the tile above, then with the one on the left: both are blended already.
            if let Some(above) = above.get(row.len()) {
                blend(above, &tile, HEIGHT, cut.overlap);
            }
            if let Some(left) = row.last() {
                blend(left, &tile, WIDTH, cut.overlap);
            }
            row.push(tile);
        }
        let kept: Vec<_> = row
            .iter()
            .map(|tile| head(&head(tile, HEIGHT, cut.kept), WIDTH, cut.kept))
            .collect();
        rows.push(Tensor::cat(&kept, WIDTH));
        above = row;
    }
    let [out_height, out_width] = out_size;
    head(
        &head(&Tensor::cat(&rows, HEIGHT), HEIGHT, out_height),
        WIDTH,
        out_width,
    )
}

/// The first `length` positions along `dim`, or all where there are fewer.
fn head(x: &Tensor, dim: i64, length: i64) -> Tensor {
    x.narrow(dim, 0, length.min(x.size()[dim as usize]))
}

/// Fades from the end of `previous` into the start of `next`, in place: position x of E is
/// `previous·(1 − x/E) + next·(x/E)`, each product rounded to the tensors' type as upstream rounds it.
fn blend(previous: &Tensor, next: &Tensor, dim: i64, extent: i64) {
    let (before, after) = (previous.size()[dim as usize], next.size()[dim as usize]);
    let extent = extent.min(before).min(after);
    if extent == 0 {
        return;
    }
    let mut shape = [1; 5];
    shape[dim as usize] = extent;
    let ramp = Tensor::arange(extent, (Kind::Double, next.device())) / extent as f64;
    let scaled = |x: Tensor, weights: &Tensor| {
        let weights = weights.to_kind(Kind::Float).reshape(shape);
        (x.to_kind(Kind::Float) * weights).to_kind(next.kind())
    };
    let fading = scaled(
        previous.narrow(dim, before - extent, extent),
        &(1.0 - &ramp),
    );
    let rising = scaled(next.narrow(dim, 0, extent), &ramp);
    next.narrow(dim, 0, extent).copy_(&(fading + rising));
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tch::Device;

    use super::*;

    const DECODE: Cut = Cut {
        length: 4,
        stride: 3,
        kept: 12,
        overlap: 4,
    };

    /// Each latent frame becomes four frames with its value, the first one frame.
    fn repeat_frames(latents: &Tensor) -> Tensor {
        let frames = latents.size()[2];
        let first = latents.narrow(2, 0, 1);
        Tensor::cat(
            &[
                first,
                latents
                    .narrow(2, 1, frames - 1)
                    .repeat_interleave_self_int(4, 2, None),
            ],
            2,
        )
    }

    /// Not drawn: libtorch has one generator for all threads, and a test of the noise may be running.
    fn different_numbers(shape: [i64; 5]) -> Tensor {
        let count = shape.iter().product::<i64>();
        Tensor::arange(count, (Kind::Float, Device::Cpu))
            .sin()
            .view(shape)
    }

    #[test]
    fn pieces_that_agree_join_without_a_trace() {
        for frames in 5..24 {
            let latents = different_numbers([1, 2, frames, 1, 1]);
            let pass = |piece: &Tensor| Ok::<_, Infallible>(repeat_frames(piece));
            let Ok(joined) = over_time(&latents, DECODE, 4 * (frames - 1) + 1, pass);
            assert!(
                joined.allclose(&repeat_frames(&latents), 1e-6, 1e-6, false),
                "{frames} frames"
            );
        }
    }

    #[test]
    fn a_piece_of_nothing_but_past_is_not_computed() {
        let pieces = std::cell::RefCell::new(Vec::new());
        let latents = Tensor::zeros([1, 1, 10, 1, 1], (Kind::Float, Device::Cpu));
        let Ok(video) = over_time(&latents, DECODE, 37, |piece| {
            pieces.borrow_mut().push(piece.size()[2]);
            Ok::<_, Infallible>(repeat_frames(piece))
        });
        assert_eq!(video.size()[2], 37);
        assert_eq!(pieces.into_inner(), [5, 5, 4]);
    }

    #[test]
    fn tiles_that_agree_join_without_a_trace() {
        let cut = Cut {
            length: 4,
            stride: 3,
            kept: 6,
            overlap: 2,
        };
        let enlarge = |tile: &Tensor| {
            let size = tile.size();
            tile.upsample_nearest3d([size[2], 2 * size[3], 2 * size[4]], None, None, None)
        };
        for (height, width) in [(3, 5), (4, 4), (9, 7), (1, 13)] {
            let x = different_numbers([1, 2, 2, height, width]);
            let joined = over_space(&x, cut, [2 * height, 2 * width], enlarge);
            assert!(
                joined.allclose(&enlarge(&x), 1e-6, 1e-6, false),
                "{height}x{width}"
            );
        }
    }

    #[test]
    fn a_blend_starts_with_the_one_and_ends_before_the_other() {
        let previous = Tensor::full([1, 1, 6, 1, 1], 1.0, (Kind::Half, Device::Cpu));
        let next = Tensor::full([1, 1, 5, 1, 1], 3.0, (Kind::Half, Device::Cpu));
        blend(&previous, &next, 2, 4);
        assert_eq!(
            Vec::<f64>::try_from(next.flatten(0, 4)).unwrap(),
            [1.0, 1.5, 2.0, 2.5, 3.0]
        );
    }
}
