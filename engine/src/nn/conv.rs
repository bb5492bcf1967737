//! Convolutions without padding; whoever needs padding pads first, since its mode differs by model.

use tch::{Kind, Tensor};

use super::size::bytes_of;
use crate::weights::{Weights, WeightsError};

/// 3-D convolution over (B, C, T, H, W).
#[derive(Debug)]
pub struct Conv3d {
    weight: Tensor, // (out, in, kt, kh, kw)
    bias: Tensor,
    stride: [i64; 3],
}

impl Conv3d {
    /// Loads `weight` (out, in, kt, kh, kw) and `bias` (out).
    pub fn load(
        w: &Weights<'_>,
        in_channels: i64,
        out_channels: i64,
        kernel: [i64; 3],
        stride: [i64; 3],
    ) -> Result<Self, WeightsError> {
        let [kt, kh, kw] = kernel;
        let weight = w.get("weight", &[out_channels, in_channels, kt, kh, kw])?;
        Ok(Self {
            weight,
            bias: w.get("bias", &[out_channels])?,
            stride,
        })
    }

    /// Size of the weights.
    pub fn bytes(&self) -> u64 {
        bytes_of(&self.weight) + bytes_of(&self.bias)
    }

    /// Type of the weights.
    pub fn kind(&self) -> Kind {
        self.weight.kind()
    }

    /// The same convolution in another type.
    #[must_use]
    pub fn to_kind(&self, kind: Kind) -> Self {
        Self {
            weight: self.weight.to_kind(kind),
            bias: self.bias.to_kind(kind),
            stride: self.stride,
        }
    }

    /// (B, in, T, H, W) → (B, out, T', H', W')
    pub fn forward(&self, x: &Tensor) -> Tensor {
        x.conv3d(
            &self.weight,
            Some(&self.bias),
            self.stride,
            [0, 0, 0],
            [1, 1, 1],
            1,
        )
    }
}

/// 2-D convolution over (B, C, H, W).
#[derive(Debug)]
pub struct Conv2d {
    weight: Tensor, // (out, in, kh, kw)
    bias: Tensor,
    stride: [i64; 2],
}

impl Conv2d {
    /// Loads `weight` (out, in, kh, kw) and `bias` (out).
    pub fn load(
        w: &Weights<'_>,
        in_channels: i64,
        out_channels: i64,
        kernel: [i64; 2],
        stride: [i64; 2],
    ) -> Result<Self, WeightsError> {
        let [kh, kw] = kernel;
        let weight = w.get("weight", &[out_channels, in_channels, kh, kw])?;
        Ok(Self {
            weight,
            bias: w.get("bias", &[out_channels])?,
            stride,
        })
    }

    /// (B, in, H, W) → (B, out, H', W')
    pub fn forward(&self, x: &Tensor) -> Tensor {
        x.conv2d(
            &self.weight,
            Some(&self.bias),
            self.stride,
            [0, 0],
            [1, 1],
            1,
        )
    }
}
