//! Decodes that are planned and measured alike.

use serde::{Deserialize, Serialize};
use tch::Kind;

use crate::{
    kernels::KernelUse,
    nn::attention::dtype,
    vae::{DecodeCost, Precision},
};

/// What decides which kernels a decode has, and which of the planner's constants it is planned with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DecodeKind {
    /// Type of the VAE's weights.
    #[serde(rename = "dtype", with = "dtype")]
    pub(super) vae: Kind,
    /// Norms and sums are in f32 (see [`Precision`]).
    pub(super) f32_sums: bool,
    /// Frames are cut along height and width.
    pub(super) spatial_tiles: bool,
    /// The finest level takes a piece in steps.
    pub(super) in_steps: bool,
    /// What computes; earlier versions had no kernels.
    #[serde(default = "KernelUse::of_earlier_versions")]
    pub(super) kernels: KernelUse,
}

impl DecodeKind {
    /// Of such a decode.
    pub(crate) fn of(cost: &DecodeCost<'_>) -> Self {
        Self {
            vae: cost.kind,
            f32_sums: cost.scheme.precision == Precision::F32Sums,
            spatial_tiles: cost.is_in_tiles(),
            in_steps: cost.is_in_steps(),
            kernels: cost.kernels,
        }
    }
}
