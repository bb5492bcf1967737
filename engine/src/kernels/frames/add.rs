//! Sums with their moments.

use tch::{Kind, Tensor};

use super::{
    moments::Moments,
    source::{Gathering, Types, by_position, moments_of},
};
use crate::kernels::launch::{Argument, Kernels};

impl Kernels {
    /// The moments of `x + bias`, for `x` of (T, H, W, C) and `bias` of (C) f32.
    pub(crate) fn moments(&self, x: &Tensor, bias: &Tensor) -> Moments {
        match self.added(x, None, bias, None) {
            Some(moments) => moments,
            None => moments_of(&(by_position(x).to_kind(Kind::Float) + bias)),
        }
    }

    /// `x + y + bias` in the type of `x`, and its moments, for `x` and `y` of (T, H, W, C), which are given up, and
    /// `bias` of (C) f32.
    pub(crate) fn add(&self, x: Tensor, y: &Tensor, bias: &Tensor) -> (Tensor, Moments) {
        if let Some(moments) = self.added(&x, Some(y), bias, Some(&x)) {
            return (x, moments);
        }
        let sum = x.to_kind(Kind::Float) + y + bias;
        let sum = sum.to_kind(x.kind());
        let moments = moments_of(&by_position(&sum).to_kind(Kind::Float));
        (sum, moments)
    }

    /// `x + bias` in the type of `x`, and its moments, for `x` of (T, H, W, C), which is given up, and `bias` of (C) f32.
    pub(crate) fn add_bias(&self, x: Tensor, bias: &Tensor) -> (Tensor, Moments) {
        if let Some(moments) = self.added(&x, None, bias, Some(&x)) {
            return (x, moments);
        }
        let sum = (x.to_kind(Kind::Float) + bias).to_kind(x.kind());
        let moments = moments_of(&by_position(&sum).to_kind(Kind::Float));
        (sum, moments)
    }

    fn added(
        &self,
        a: &Tensor,
        b: Option<&Tensor>,
        bias: &Tensor,
        out: Option<&Tensor>,
    ) -> Option<Moments> {
        let types = Types {
            a: a.kind(),
            b: b.map_or(a.kind(), Tensor::kind),
            out: a.kind(),
        };
        let gathering = Gathering::of(self, c"add", types, a)?;
        let arguments = [
            Argument::Tensor(a),
            Argument::optional(b),
            Argument::Tensor(bias),
            Argument::optional(out),
        ];
        Some(gathering.launch(&arguments, None))
    }
}
