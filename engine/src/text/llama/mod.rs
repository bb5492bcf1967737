//! The language model that reads the prompt: Llama 3 (arXiv:2407.21783; transformers' `LlamaModel`).
//!
//! HunyuanVideo takes the hidden states third from the last, so the last two layers and the final norm are
//! never run, and need not be in the files.

mod config;
mod cost;
mod model;

pub use self::{
    config::Config,
    cost::cost,
    model::{LAYOUT, Llama},
};
