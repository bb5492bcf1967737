//! Tiles along height and width.

use tch::Tensor;

use super::{
    HEIGHT, WIDTH,
    join::{blend, head, length},
};

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
}

impl SpaceTiling {
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

/// Runs `pass` on tiles in row-major order and joins their results to `out_size` (height, width).
pub(in crate::vae) fn over_space(
    x: &Tensor,
    cut: Cut,
    out_size: [i64; 2],
    pass: impl Fn(&Tensor) -> Tensor,
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
