//! `y = x Wᵀ + b` over the last axis.

use tch::{Kind, Tensor};

use super::size::bytes_of;
use crate::weights::{Weights, WeightsError};

/// A linear layer.
#[derive(Debug)]
pub struct Linear {
    weight: Tensor, // (out, in)
    bias: Option<Tensor>,
}

impl Linear {
    /// Loads `weight` (out, in) and `bias` (out).
    pub fn load(
        w: &Weights<'_>,
        in_features: i64,
        out_features: i64,
    ) -> Result<Self, WeightsError> {
        let bias = Some(w.get("bias", &[out_features])?);
        Ok(Self {
            bias,
            ..Self::load_no_bias(w, in_features, out_features)?
        })
    }

    /// Loads `weight` (out, in).
    pub fn load_no_bias(
        w: &Weights<'_>,
        in_features: i64,
        out_features: i64,
    ) -> Result<Self, WeightsError> {
        Ok(Self {
            weight: w.get("weight", &[out_features, in_features])?,
            bias: None,
        })
    }

    /// The same layer in another type.
    #[must_use]
    pub fn to_kind(&self, kind: Kind) -> Self {
        Self {
            weight: self.weight.to_kind(kind),
            bias: self.bias.as_ref().map(|b| b.to_kind(kind)),
        }
    }

    /// Type of the weights.
    pub fn kind(&self) -> Kind {
        self.weight.kind()
    }

    /// Size of the weights.
    pub fn bytes(&self) -> u64 {
        bytes_of(&self.weight) + self.bias.as_ref().map_or(0, bytes_of)
    }

    /// (…, in) → (…, out)
    pub fn forward(&self, x: &Tensor) -> Tensor {
        x.linear(&self.weight, self.bias.as_ref())
    }
}
