//! What the transformer does between its matrix products, one pass over memory each: norm and modulation, gated residual
//! connections, and norm and rotation of queries and keys.
//!
//! Tokens are (1, L, D), one after the other. `tokens.cu` is the source for CUDA, which rounds once where torch's
//! operations round after each; those do the same on other devices and where a kernel can't be had.

mod check;
mod gate;
mod join;
mod modulate;
mod parts;
mod rotate;
mod source;
#[cfg(test)]
mod tests;

pub(super) use self::{check::compare, source::example};
pub(crate) use self::{
    gate::{add_gated, add_gated_into, add_gated_norm},
    modulate::modulated_norm,
    parts::attention_in_parts,
    rotate::{HeadNorms, TOKENS_AT_ONCE, rotate_pairs},
};
