//! Prompt → embeddings: FramePack's `encode_prompt_conds` and `crop_or_pad_yield_mask`.

use tch::{Device, Kind, Tensor};

use crate::{
    error::Error,
    text::{Clip, Llama, TextTokenizers, prompt::PADDED_TOKENS},
};

/// A prompt as both text encoders see it.
#[derive(Debug)]
pub struct PromptEmbedding {
    /// Llama's states of the prompt's own tokens, (1, n, D).
    pub hidden_states: Tensor,
    /// CLIP's pooled state, (1, P).
    pub pooled: Tensor,
}

impl PromptEmbedding {
    /// The hidden states with zeros behind, (1, 512, D), and the mask, (1, 512) bool, that is true where there
    /// is a token.
    pub fn padded(&self) -> (Tensor, Tensor) {
        let tokens = self.hidden_states.size()[1];
        let padded_tokens = PADDED_TOKENS as i64;
        let states = self
            .hidden_states
            .constant_pad_nd([0, 0, 0, padded_tokens - tokens]);
        let mask = Tensor::arange(padded_tokens, (Kind::Int64, Device::Cpu)).lt(tokens);
        (states, mask.unsqueeze(0))
    }
}

/// Both text encoders with their tokenizers.
#[derive(Debug)]
pub struct TextEncoders {
    /// The tokenizers.
    pub tokenizers: TextTokenizers,
    /// The language model.
    pub llama: Llama,
    /// The pooled encoder.
    pub clip: Clip,
    /// Where both models are.
    pub device: Device,
}

impl TextEncoders {
    /// Embeds a prompt; the empty one is legal.
    pub fn embed(&self, prompt: &str) -> Result<PromptEmbedding, Error> {
        let batch = |ids: Vec<i64>| Tensor::from_slice(&ids).unsqueeze(0).to_device(self.device); // (1, n)

        let llama_ids = batch(self.tokenizers.llama_ids(prompt)?);
        let template_tokens = self.tokenizers.llama_prefix_tokens() as i64;
        let prompt_tokens = llama_ids.size()[1] - template_tokens;
        let states = self.llama.forward(&llama_ids, None); // (1, n, D)
        Ok(PromptEmbedding {
            hidden_states: states.narrow(1, template_tokens, prompt_tokens),
            pooled: self.clip.forward(&batch(self.tokenizers.clip_ids(prompt)?)),
        })
    }
}
