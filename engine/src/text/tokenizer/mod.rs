//! The tokenizers of both text encoders, read from the bundle's own files.

mod both;
mod clip;
mod files;
mod llama;
mod pieces;
mod special;
mod vocabulary;

pub use self::{both::TextTokenizers, clip::ClipTokenizer, llama::LlamaTokenizer};
