//! What a file's bytes say of a picture, before anybody decodes it: its format, and what speaks against it as a start image.
//!
//! One table for the daemon, which refuses what no worker could read, and for the worker, which reads the rest. Nothing
//! here decodes pixels or opens files: the bytes come from whoever has them.
//!
//! - `format`: the formats that are read; `foreign`: those that are not, by their first bytes, and what to do about them
//! - `colour`: what shows through transparent pixels
//! - `examine`: which one a file is; the others: each format as far as it tells size, transparency and truncation

mod bmp;
mod colour;
mod examine;
mod foreign;
mod format;
mod gif;
mod jpeg;
mod png;
mod scan;
mod small;
mod text;
mod tiff;
mod tiff_variant;
mod unfit;
mod webp;

pub use self::{
    colour::{Colour, InvalidColour},
    examine::{examine, recognise},
    format::{Alpha, Format, Header},
    png::with_end as png_with_end,
    tiff::palette_as_greys as tiff_palette_as_greys,
    unfit::{CONVERT, MAX_PIXELS, Unfit},
};

/// First bytes that [`recognise`] needs at most.
pub const HEAD_BYTES: usize = 1024;
