//! `y = x Wᵀ + b` over the last axis.

use tch::{Device, Kind, Tensor};

use super::size::bytes_of;
use crate::{
    device,
    weights::{Weights, WeightsError},
};

/// A linear layer.
#[derive(Debug)]
pub struct Linear {
    weight: Tensor, // (out, in)
    bias: Option<Tensor>,
}

impl Linear {
    /// With this `weight` (out, in) and `bias` (out).
    pub fn new(weight: Tensor, bias: Option<Tensor>) -> Self {
        Self { weight, bias }
    }

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

    /// The same, written to `out`, (…, out): the same bits.
    pub fn forward_into(&self, x: &Tensor, out: &Tensor) {
        let rows = out.view([-1, self.weight.size()[0]]); // (n, out), of the same memory
        let _ = match &self.bias {
            Some(bias) => bias.addmm_out(&rows, &flat(x), &self.weight.tr()),
            None => flat(x).mm_out(&rows, &self.weight.tr()),
        };
    }

    /// The same with GELU (tanh) behind it: on CUDA at the end of the matrix product, from its sums in f32.
    pub fn forward_gelu(&self, x: &Tensor) -> Tensor {
        match (&self.bias, x.device()) {
            (Some(bias), Device::Cuda(_)) => {
                let out = device::gelu_product(bias, &flat(x), &self.weight);
                like(&out, x)
            }
            _ => self.forward(x).gelu_("tanh"),
        }
    }

    /// The layer of `parts`, (…, inᵢ) with as many channels together as it takes, side by side: a product for each of
    /// them, rounded and then added to.
    pub fn forward_parts(&self, parts: &[&Tensor]) -> Tensor {
        let mut sum: Option<Tensor> = None;
        let mut first_column = 0;
        for part in parts {
            let columns = *part.size().last().expect("a layer's input has channels");
            let weight = self.weight.narrow(1, first_column, columns);
            first_column += columns;
            sum = Some(match (sum.take(), &self.bias) {
                (Some(mut sum), _) => sum.addmm_(&flat(part), &weight.tr()),
                (None, Some(bias)) => bias.addmm(&flat(part), &weight.tr()),
                (None, None) => flat(part).mm(&weight.tr()),
            });
        }
        like(&sum.expect("a layer has an input"), parts[0])
    }
}

/// (…, n) → (rows, n)
fn flat(x: &Tensor) -> Tensor {
    x.flatten(0, -2)
}

/// (rows, n) → (…, n), where `x` is (…, m)
fn like(rows: &Tensor, x: &Tensor) -> Tensor {
    let mut size = x.size();
    *size.last_mut().expect("a layer's input has channels") = rows.size()[1];
    rows.view(size.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(shape: &[i64]) -> Tensor {
        Tensor::randn(shape, (Kind::Float, Device::Cpu))
    }

    #[test]
    fn every_way_is_the_same_layer() {
        for bias in [Some(random(&[5])), None] {
            let layer = Linear::new(random(&[5, 12]), bias);
            let x = random(&[1, 7, 12]);
            let expected = layer.forward(&x); // (1, 7, 5)
            let joint = Tensor::zeros([1, 9, 5], (Kind::Float, Device::Cpu));
            layer.forward_into(&x, &joint.narrow(1, 2, 7));
            assert_eq!(joint.narrow(1, 2, 7), expected);
            assert_eq!(
                joint.narrow(1, 0, 2),
                Tensor::zeros([1, 2, 5], (Kind::Float, Device::Cpu))
            );
            assert_eq!(layer.forward_gelu(&x), expected.gelu("tanh"));
            let [a, b, c] = [(0, 3), (3, 8), (11, 1)].map(|(from, count)| x.narrow(2, from, count));
            let by_parts = layer.forward_parts(&[&a, &b, &c]);
            assert_eq!(by_parts.size(), expected.size());
            assert!((by_parts - expected).abs().max().double_value(&[]) < 1e-5);
        }
    }
}
