//! The tokens on their way through the blocks.

use tch::Tensor;

/// The image's tokens and behind them the text's, in one piece of memory: (1, L + N, D).
#[derive(Debug)]
pub(super) struct Streams {
    joint: Tensor,
    image_tokens: i64,
}

impl Streams {
    /// `parts` of the image, one behind the other, and `text`: (1, n, D) each.
    pub(super) fn of(parts: &[&Tensor], text: &Tensor) -> Self {
        let image_tokens = parts.iter().map(|part| part.size()[1]).sum();
        let all: Vec<&Tensor> = parts.iter().copied().chain([text]).collect();
        Self::joint(Tensor::cat(&all, 1), image_tokens)
    }

    /// Tokens of which the first so many are the image's.
    pub(super) fn joint(joint: Tensor, image_tokens: i64) -> Self {
        Self {
            joint,
            image_tokens,
        }
    }

    /// Both, (1, L + N, D).
    pub(super) fn both(&self) -> &Tensor {
        &self.joint
    }

    /// How many of the tokens are the image's.
    pub(super) fn image_tokens(&self) -> i64 {
        self.image_tokens
    }

    /// Those of the text.
    pub(super) fn text_tokens(&self) -> i64 {
        self.joint.size()[1] - self.image_tokens
    }

    /// (1, L, D), of the same memory.
    pub(super) fn image(&self) -> Tensor {
        self.joint.narrow(1, 0, self.image_tokens)
    }

    /// (1, N, D), of the same memory.
    pub(super) fn text(&self) -> Tensor {
        let tokens = self.text_tokens();
        self.joint.narrow(1, self.image_tokens, tokens)
    }

    /// The last so many of the image's tokens, and no text.
    pub(super) fn latents_alone(&self, latent_tokens: i64) -> Self {
        let first = self.image_tokens - latent_tokens;
        Self::joint(self.joint.narrow(1, first, latent_tokens), latent_tokens)
    }
}
