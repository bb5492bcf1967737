//! What the video is made from: the prompt and the start image as the transformer and the history take them.

pub(crate) mod cache;
mod files;
mod image;
mod text;

use tch::{Device, Kind, Tensor};

pub(crate) use self::files::EncoderFiles;
pub use self::{
    image::{VisionEncoder, start_latent},
    text::{PromptEmbedding, TextEncoders},
};
use crate::transformer::Conditioning;

/// Everything that stays the same over a whole video.
#[derive(Debug)]
pub struct Conditions {
    /// The start image's latent, (1, C, 1, h, w), scaled.
    pub start_latent: Tensor,
    /// The prompt and the start image.
    pub positive: Conditioning,
    /// The negative prompt and the start image, if the guidance needs them.
    pub negative: Option<Conditioning>,
}

/// Joins a prompt's and an image's embeddings, in the transformer's type and on its device.
pub fn conditioning(
    prompt: &PromptEmbedding,
    image: &Tensor,
    (kind, device): (Kind, Device),
) -> Conditioning {
    let (hidden_states, mask) = prompt.padded();
    Conditioning {
        encoder_hidden_states: hidden_states.to_device(device).to_kind(kind),
        encoder_attention_mask: Some(mask.to_device(device)),
        pooled_projections: prompt.pooled.to_device(device).to_kind(kind),
        image_embeddings: Some(image.to_device(device).to_kind(kind)),
    }
}
