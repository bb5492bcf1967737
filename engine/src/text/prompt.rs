//! The template that wraps every prompt before the language model sees it.
//!
//! It is HunyuanVideo's video template (diffusers' `DEFAULT_PROMPT_TEMPLATE`, FramePack's
//! `encode_prompt_conds`): a system turn that says what to describe, then the prompt as the user's turn.
//! The hidden states of everything before the prompt are cropped afterwards, so what is before the prompt
//! is kept apart here and its length is measured with the bundle's own tokenizer.

/// What precedes the prompt. The sentences are joined without spaces, as upstream.
pub const BEFORE_PROMPT: &str = "<|start_header_id|>system<|end_header_id|>\n\n\
    Describe the video by detailing the following aspects: \
    1. The main content and theme of the video.\
    2. The color, shape, size, texture, quantity, text, and spatial relationships of the objects.\
    3. Actions, events, behaviors temporal relationships, physical movement changes of the objects.\
    4. background environment, light, style and atmosphere.\
    5. camera angles, movements, and transitions used in the video:<|eot_id|>\
    <|start_header_id|>user<|end_header_id|>\n\n";

/// What follows the prompt; a prompt that is cut for its length loses it.
pub const AFTER_PROMPT: &str = "<|eot_id|>";

/// How many tokens of the prompt, the closing `<|eot_id|>` included, are kept.
pub const MAX_PROMPT_TOKENS: usize = 256;

/// Tokens of [`BEFORE_PROMPT`] and BOS, rounded up: 95 in the published model's vocabulary.
const TEMPLATE_TOKENS: usize = 128;

/// Most tokens that the language model gets.
pub const MAX_TOKENS: usize = TEMPLATE_TOKENS + MAX_PROMPT_TOKENS;

/// Length to which the states of the prompt's tokens are padded for the transformer, which masks the padding out.
pub const PADDED_TOKENS: usize = 512;

/// The text that the language model's tokenizer gets for `prompt`. Braces in a prompt mean nothing.
pub fn with_template(prompt: &str) -> String {
    [BEFORE_PROMPT, prompt, AFTER_PROMPT].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prompt_is_the_users_turn() {
        let text = with_template("a {red} cat");
        assert!(text.contains("user<|end_header_id|>\n\na {red} cat<|eot_id|>"));
        assert!(
            text.contains("theme of the video.2. The color"),
            "sentences are joined without spaces"
        );
        assert_eq!(text.matches('\n').count(), 4);
    }
}
