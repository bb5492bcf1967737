//! From a prompt to what the transformer reads of it: token ids, then hidden states.
//!
//! HunyuanVideo has two text encoders: the language model of LLaVA-Llama-3 ([`llama`]), which reads the
//! prompt inside a template and gives one vector per token, and CLIP-L ([`clip`]), which reads the bare
//! prompt and gives one pooled vector.

pub mod clip;
pub mod llama;
pub mod prompt;
pub mod reach;
pub mod tokenizer;

pub use clip::Clip;
pub use llama::Llama;
pub use tokenizer::TextTokenizers;
