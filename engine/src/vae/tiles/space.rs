//! Tiles along height and width.

use tch::Tensor;

use super::{
    axis::{HEIGHT, WIDTH},
    join::{blend, head, length},
};

/// Pixels that neighbouring tiles have in common.
const SEAM_PX: i64 = 64;

/// How each tile along time is cut along height and width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SpaceTiling {
    /// Not at all.
    #[default]
    Whole,
    /// As diffusers does with `enable_tiling`: squares of 256 pixels every 192.
    Reference,
    /// Squares of 512 pixels every 384, for quality.
    Large,
    /// Squares of so many pixels, a multiple of 64; neighbours have 64 in common, as the reference's.
    Squares(u16),
}

impl SpaceTiling {
    /// Squares larger than the reference's, up to one that is as long as a side of `size_px`; the largest ones first.
    pub(crate) fn larger_squares(size_px: [u64; 2]) -> impl Iterator<Item = Self> {
        let longest = size_px.into_iter().max().unwrap_or(0);
        let steps = 256 / SEAM_PX as u64 + 1..longest.div_ceil(SEAM_PX as u64);
        let sides = steps.rev().map(|steps| steps * SEAM_PX as u64);
        sides.filter_map(|side| u16::try_from(side).ok().map(Self::Squares))
    }

    /// Side of a square in pixels, if there are any.
    pub fn tile_px(self) -> Option<i64> {
        self.tile_and_stride_px().map(|(tile, _)| tile)
    }

    // The reference's are constants of the upstream class and not of its configuration.
    fn tile_and_stride_px(self) -> Option<(i64, i64)> {
        match self {
            Self::Whole => None,
            Self::Reference => Some((256, 192)),
            Self::Large => Some((512, 384)),
            Self::Squares(side) => Some((side.into(), i64::from(side) - SEAM_PX)),
        }
    }

    /// Of pixels, of which `ratio` make a latent.
    pub(in crate::vae) fn encode_cut(self, ratio: i64) -> Option<Cut> {
        let (tile, stride) = self.tile_and_stride_px()?;
        Some(Cut {
            length: tile,
            stride,
            kept: stride / ratio,
            overlap: (tile - stride) / ratio,
        })
    }

    /// Of latents, of which each becomes `ratio` pixels.
    pub(in crate::vae) fn decode_cut(self, ratio: i64) -> Option<Cut> {
        let (tile, stride) = self.tile_and_stride_px()?;
        Some(Cut {
            length: tile / ratio,
            stride: stride / ratio,
            kept: stride,
            overlap: tile - stride,
        })
    }
}

/// How an axis is cut. `length` and `stride` count positions of the input, `kept` (a stride) and
/// `overlap` positions of the output.
#[derive(Debug, Clone, Copy)]
pub(in crate::vae) struct Cut {
    pub(in crate::vae) length: i64,
    stride: i64,
    kept: i64,
    overlap: i64,
}

impl Cut {
    /// Positions of the input that all tiles of an axis of this length have together.
    pub(in crate::vae) fn computed(self, axis: i64) -> i64 {
        let starts = (0..axis).step_by(self.stride as usize);
        starts.map(|start| self.length.min(axis - start)).sum()
    }
}

/// Runs `pass` on tiles in row-major order and joins their results to `out_size` (height, width).
pub(in crate::vae) fn over_space(
    x: &Tensor,
    cut: Cut,
    out_size: [i64; 2],
    mut pass: impl FnMut(&Tensor) -> Tensor,
) -> Tensor {
    let [height, width] = [length(x, HEIGHT), length(x, WIDTH)];
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

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;

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
            let count = 4 * height * width;
            let x = Tensor::arange(count, (Kind::Float, Device::Cpu)).sin();
            let x = x.view([1, 2, 2, height, width]);
            let joined = over_space(&x, cut, [2 * height, 2 * width], enlarge);
            assert!(
                joined.allclose(&enlarge(&x), 1e-6, 1e-6, false),
                "{height}x{width}"
            );
        }
    }

    #[test]
    fn what_is_computed_is_what_all_tiles_have() {
        let cut = SpaceTiling::Reference.decode_cut(8).unwrap();
        assert_eq!(cut.computed(76), 32 + 32 + 28 + 4);
        assert_eq!(SpaceTiling::Large.tile_px(), Some(512));
        assert!(SpaceTiling::Whole.decode_cut(8).is_none());
    }
}
