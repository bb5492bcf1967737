//! Normalisations over the last axis (layer, RMS) and over groups of channels.

use tch::{Kind, Tensor};

use crate::weights::{Weights, WeightsError};

/// Layer normalisation over the last axis, without weights.
pub fn layer_norm(x: &Tensor, eps: f64) -> Tensor {
    let dim = last_dim(x);
    x.layer_norm([dim], None::<Tensor>, None::<Tensor>, eps, true)
}

/// Layer normalisation over the last axis.
#[derive(Debug)]
pub struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    eps: f64,
}

impl LayerNorm {
    /// Loads `weight` and `bias`, both (dim).
    pub fn load(w: &Weights<'_>, dim: i64, eps: f64) -> Result<Self, WeightsError> {
        Ok(Self {
            weight: w.get("weight", &[dim])?,
            bias: w.get("bias", &[dim])?,
            eps,
        })
    }

    /// (…, dim) → (…, dim)
    pub fn forward(&self, x: &Tensor) -> Tensor {
        x.layer_norm(
            [last_dim(x)],
            Some(&self.weight),
            Some(&self.bias),
            self.eps,
            true,
        )
    }
}

/// Root mean square normalisation over the last axis (arXiv:1910.07467): statistics in f32, and the result
/// rounded to the input's type before it meets the weight, as in diffusers' `RMSNorm` and Llama's.
#[derive(Debug)]
pub struct RmsNorm {
    weight: Tensor,
    eps: f64,
}

impl RmsNorm {
    /// With this weight, (dim).
    pub fn new(weight: Tensor, eps: f64) -> Self {
        Self { weight, eps }
    }

    /// Loads `weight` (dim).
    pub fn load(w: &Weights<'_>, dim: i64, eps: f64) -> Result<Self, WeightsError> {
        Ok(Self {
            weight: w.get("weight", &[dim])?,
            eps,
        })
    }

    /// Its weight, (dim).
    pub fn weight(&self) -> &Tensor {
        &self.weight
    }

    /// What is added to the mean square.
    pub fn eps(&self) -> f64 {
        self.eps
    }

    /// (…, dim) → (…, dim)
    pub fn forward(&self, x: &Tensor) -> Tensor {
        let variance = x
            .to_kind(Kind::Float)
            .square()
            .mean_dim(-1, true, Kind::Float);
        let normalised = x * (variance + self.eps).rsqrt(); // f32 by promotion
        normalised.to_kind(x.kind()) * &self.weight
    }
}

/// Group normalisation over axis 1.
#[derive(Debug)]
pub struct GroupNorm {
    weight: Tensor,
    bias: Tensor,
    groups: i64,
    eps: f64,
}

/// Mean and variance of each group of channels, (groups).
#[derive(Debug)]
pub struct Statistics {
    /// Mean.
    pub mean: Tensor,
    /// Variance, of all numbers and not of a sample.
    pub variance: Tensor,
}

impl GroupNorm {
    /// Loads `weight` and `bias`, both (channels).
    pub fn load(
        w: &Weights<'_>,
        groups: i64,
        channels: i64,
        eps: f64,
    ) -> Result<Self, WeightsError> {
        Ok(Self {
            weight: w.get("weight", &[channels])?,
            bias: w.get("bias", &[channels])?,
            groups,
            eps,
        })
    }

    /// Number of groups.
    pub fn groups(&self) -> i64 {
        self.groups
    }

    /// Weight and bias, both (channels).
    pub fn parameters(&self) -> [&Tensor; 2] {
        [&self.weight, &self.bias]
    }

    /// What is added to the variance.
    pub fn eps(&self) -> f64 {
        self.eps
    }

    /// Factors and summands of each channel, (channels) f32, that norm with these statistics.
    pub fn scaling(&self, statistics: &Statistics) -> [Tensor; 2] {
        let double = |tensor: &Tensor| tensor.to_kind(Kind::Double);
        let per_group = self.weight.size()[0] / self.groups;
        let channels =
            |group: &Tensor| double(group).repeat_interleave_self_int(per_group, 0, None);
        let deviation = (double(&statistics.variance) + self.eps).sqrt();
        let scale = double(&self.weight) / channels(&deviation);
        let shift = double(&self.bias) - channels(&statistics.mean) * &scale;
        [scale, shift].map(|x| x.to_kind(Kind::Float))
    }

    /// (1, channels, …) → same, in the type of the input, with statistics from elsewhere.
    pub fn with(&self, x: &Tensor, statistics: &Statistics) -> Tensor {
        let float = |tensor: &Tensor| tensor.to_kind(Kind::Float);
        let per_group = self.weight.size()[0] / self.groups;
        let channels = |group: &Tensor| float(group).repeat_interleave_self_int(per_group, 0, None);
        x.batch_norm(
            Some(float(&self.weight)),
            Some(float(&self.bias)),
            Some(channels(&statistics.mean)),
            Some(channels(&statistics.variance)),
            false,
            0.0,
            self.eps,
            false,
        )
    }

    /// (B, channels, …) → (B, channels, …), in the type of the input
    pub fn forward(&self, x: &Tensor) -> Tensor {
        x.group_norm(
            self.groups,
            Some(self.weight.to_kind(x.kind())),
            Some(self.bias.to_kind(x.kind())),
            self.eps,
            true,
        )
    }
}

fn last_dim(x: &Tensor) -> i64 {
    x.size()[x.dim() - 1]
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use crate::weights::Loading;

    #[test]
    fn rms_norm_rounds_before_the_weight() {
        let x = Tensor::from_slice(&[1.0_f32, -2.0, 3.0, 0.5]).to_kind(Kind::BFloat16);
        let loading = Loading::synthesised(3);
        let norm = RmsNorm::load(&loading.weights(Device::Cpu, Kind::BFloat16), 4, 1e-6).unwrap();

        let rms = ((1.0 + 4.0 + 9.0 + 0.25) / 4.0_f64 + 1e-6).sqrt();
        let exact = x.to_kind(Kind::Float) / rms;
        let expected = exact.to_kind(Kind::BFloat16) * &norm.weight;
        assert_eq!(norm.forward(&x), expected);
    }
}
