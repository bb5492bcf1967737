//! Layers: small structs of tensors with `load` and `forward`, each the plain torch operation of its name.

pub mod attention;
mod conv;
mod encoder_cost;
mod encoder_layer;
mod linear;
mod norm;
mod size;

pub use self::attention::{attention, causal_attention};
pub use conv::{Conv2d, Conv3d};
pub use encoder_cost::EncoderCost;
pub use encoder_layer::{Activation, EncoderLayer, EncoderLayerConfig, Visibility};
pub use linear::Linear;
pub use norm::{GroupNorm, LayerNorm, RmsNorm, Statistics, layer_norm};
