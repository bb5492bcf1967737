//! A group norm as a factor and a summand by channel.

use tch::{Kind, Tensor};

use super::{
    moments::Moments,
    source::{THREADS, Types, kernel},
};
use crate::kernels::launch::{Argument, Kernels, Launch};

/// What a norm comes to: `x · scale + shift` by channel, both (C) f32. SiLU follows.
#[derive(Debug)]
pub(crate) struct Scaling {
    pub(crate) scale: Tensor,
    pub(crate) shift: Tensor,
}

/// A group norm over frames.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Norm<'a> {
    /// (C), of one type.
    pub(crate) weight: &'a Tensor,
    pub(crate) bias: &'a Tensor,
    pub(crate) groups: i64,
    pub(crate) eps: f64,
}

impl Kernels {
    /// What `norm` comes to over frames of these moments. `added`, (C) f32, is in the moments and not in the frames that
    /// are scaled. `None` where the device has no such kernel: [`Moments::of_groups`] has what the norm needs.
    pub(crate) fn scaling(
        &self,
        moments: &Moments,
        norm: Norm<'_>,
        added: Option<&Tensor>,
    ) -> Option<Scaling> {
        let channels = norm.weight.size()[0];
        let types = Types {
            a: norm.weight.kind(),
            b: norm.bias.kind(),
            out: Kind::Float,
        };
        let (kernel, _) = kernel(self, c"scaling", types, channels)?;
        let [scale, shift] =
            [(); 2].map(|()| Tensor::empty([channels], (Kind::Float, moments.0.device())));
        let launch = Launch {
            grid: [norm.groups as u32, 1, 1],
            threads: THREADS as u32,
            shared_bytes: 0,
        };
        kernel.launch(
            &launch,
            &[
                Argument::Tensor(&moments.0),
                Argument::Tensor(norm.weight),
                Argument::Tensor(norm.bias),
                Argument::optional(added),
                Argument::Tensor(&scale),
                Argument::Tensor(&shift),
                Argument::Int(moments.0.size()[0] as i32),
                Argument::Int(channels as i32),
                Argument::Int((channels / norm.groups) as i32),
                Argument::Double(norm.eps),
            ],
        );
        Some(Scaling { scale, shift })
    }
}
