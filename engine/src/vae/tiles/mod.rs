//! Overlapping tiles, and how neighbours are blended.
//!
//! The reference is the tiling of diffusers' `AutoencoderKLHunyuanVideo`: a long video always goes through in temporal
//! tiles; the result differs from one pass over all frames, and it is what the original shows. Chunks of another length
//! and tiles in space are choices, for devices with little memory and for quality.
//!
//! The layers are causal but for their norms, which look at all frames of a tile. So no finite past makes a tile's
//! frames those of one pass over everything; what a chunk's past and its cross-fade are worth is measured
//! by `bench/quality/vae.py`.

mod axis;
mod chunk;
mod join;
mod space;
mod time;

pub(super) use self::{axis::TIME, space::over_space, time::encode_tiles};
pub use self::{chunk::Chunk, space::SpaceTiling, time::TimeTiling};
pub(crate) use self::{join::Joined, time::TimeTile};
