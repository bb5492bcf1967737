//! The causal video VAE of HunyuanVideo (arXiv:2412.03603 §4.1; diffusers' `AutoencoderKLHunyuanVideo`).
//!
//! The first frame is a latent of its own, every further latent is four frames; a latent is eight pixels
//! wide and high. Long inputs go through in overlapping tiles, see [`DecodeScheme`].

mod causal;
mod channels_last;
mod config;
mod cost;
mod decoder;
mod encoder;
mod finished;
mod frames;
mod mid;
mod model;
mod scheme;
mod steps;
mod tiles;

pub use self::{
    config::Config,
    cost::DecodeCost,
    model::{Posterior, Vae},
    scheme::{DecodeScheme, FinestLevel, Precision},
    tiles::{Chunk, SpaceTiling, TimeTiling},
};
pub(crate) use self::{
    cost::held_for,
    finished::FinishedParts,
    tiles::{Joined, TimeTile},
};
