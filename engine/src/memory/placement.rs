//! What a job's plan means for its models.

use tch::Kind;

use super::plan::Plan;
use crate::vae::Tiling;

/// What the models do with a plan.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Placement {
    /// The transformer's blocks.
    pub(crate) transformer: Plan,
    /// Whether all models stay on the device at once.
    pub(crate) is_roomy: bool,
    /// Whether the text encoder's layers pass through slots.
    pub(crate) streams_text: bool,
    /// What encoding a prompt takes, weights included.
    pub(crate) text_bytes: u64,
    /// What encoding an image takes, SigLIP's weights included.
    pub(crate) image_bytes: u64,
    /// The VAE's weights.
    pub(crate) vae_bytes: u64,
    /// Type of the VAE.
    pub(crate) vae_kind: Kind,
    /// What decoding takes beside its weights.
    pub(crate) decoding_bytes: u64,
    /// How the VAE cuts what it decodes.
    pub(crate) tiling: Tiling,
    /// Whether anything was given up for want of memory.
    pub(crate) has_relief: bool,
}
