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

    /// Number of frames that it looks at.
    pub fn kernel_frames(&self) -> i64 {
        self.weight.size()[2]
    }

    /// Steps along time, height and width.
    pub fn stride(&self) -> [i64; 3] {
        self.stride
    }

    /// Weight (out, in, kt, kh, kw) and bias (out).
    pub fn parameters(&self) -> [&Tensor; 2] {
        [&self.weight, &self.bias]
    }

    /// A convolution with other parameters, in the order of memory that [`Self::forward_channels_last`] takes, and with its
    /// bias in f32.
    #[must_use]
    pub fn channels_last([weight, bias]: [&Tensor; 2], stride: [i64; 3]) -> Self {
        let weight = weight.permute([0, 2, 3, 4, 1]).contiguous();
        Self {
            weight: weight.permute([0, 4, 1, 2, 3]),
            bias: bias.to_kind(Kind::Float),
            stride,
        }
    }

    /// (T, H, W, in) → (T', H', W', out), without the bias.
    pub fn forward_channels_last(&self, x: &Tensor) -> Tensor {
        let y = as_sample(x).conv3d(
            &self.weight,
            None::<Tensor>,
            self.stride,
            [0, 0, 0],
            [1, 1, 1],
            1,
        );
        y.squeeze_dim(0).permute([1, 2, 3, 0]).contiguous()
    }

    /// The same, into `out`.
    pub fn forward_channels_last_into(&self, x: &Tensor, out: &mut Tensor) {
        if !x.device().is_cuda() {
            out.copy_(&self.forward_channels_last(x));
            return;
        }
        // As torch's own convolution calls cuDNN, with its result in its place.
        let (benchmark, deterministic, allow_tf32) = (false, false, true);
        let _written = as_sample(x).cudnn_convolution_out(
            &as_sample(out),
            &self.weight,
            [0, 0, 0],
            self.stride,
            [1, 1, 1],
            1,
            benchmark,
            deterministic,
            allow_tf32,
        );
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

/// (T, H, W, C) → (1, C, T, H, W), whose strides torch takes for channels last: that of the one sample counts, too.
fn as_sample(frames: &Tensor) -> Tensor {
    frames.unsqueeze(0).permute([0, 4, 1, 2, 3])
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
