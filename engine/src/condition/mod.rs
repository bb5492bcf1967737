//! What the video is made from: the prompt and the start image as the transformer and the history take them.

pub(crate) mod cache;
mod image;
mod text;

use tch::{Device, Kind, Tensor};

pub use self::{
    image::{VisionEncoder, start_latent},
    text::{PromptEmbedding, TextEncoders},
};
use crate::transformer::Conditioning;

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
