//! Norm, SiLU and edges in front of a convolution.

use tch::{Kind, Tensor};

use super::{
    scaling::Scaling,
    source::{THREADS, Types, kernel},
};
use crate::kernels::launch::{Argument, Kernels, Launch};

/// Which frames a convolution takes, and in which type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Padding<'a> {
    /// Number of the first one; those before frame 0 come from `past`.
    pub(crate) first: i64,
    /// How many.
    pub(crate) frames: i64,
    /// The last frames before frame 0, (past, H + 2, W + 2, C): finished, and in `kind`. Without it they are frame 0.
    pub(crate) past: Option<&'a Tensor>,
    pub(crate) kind: Kind,
}

impl Kernels {
    /// Frames of `x`, (T, H, W, C) → (frames, H + 2, W + 2, C): normed and activated if there is a `scaling`, with their
    /// edges repeated.
    pub(crate) fn padded(
        &self,
        x: &Tensor,
        scaling: Option<&Scaling>,
        padding: Padding<'_>,
    ) -> Tensor {
        if let Some(padded) = self.padded_by_kernel(x, scaling, padding) {
            return padded;
        }
        let Padding {
            first,
            frames,
            past,
            kind,
        } = padding;
        let before = (-first).clamp(0, frames);
        let own = if before == frames {
            x.narrow(0, 0, 1)
        } else {
            let start = first.max(0);
            x.narrow(0, start, first + frames - start)
        };
        let activated = scaling.map(|scaling| {
            let normed = own.to_kind(Kind::Float) * &scaling.scale + &scaling.shift;
            normed.silu()
        });
        let own = activated.unwrap_or(own).to_kind(kind);
        let repeated = if past.is_some() { 0 } else { before };
        let padded = own
            .unsqueeze(0)
            .permute([0, 4, 1, 2, 3]) // (1, C, T, H, W)
            .replication_pad3d([1, 1, 1, 1, repeated, 0])
            .squeeze_dim(0)
            .permute([1, 2, 3, 0]); // (T, H + 2, W + 2, C)
        let padded = match past {
            Some(past) if before > 0 => {
                let past = past.narrow(0, past.size()[0] + first, before);
                let own = padded.narrow(0, 0, frames - before);
                Tensor::cat(&[past, own], 0)
            }
            _ => padded.narrow(0, padded.size()[0] - frames, frames),
        };
        padded.contiguous()
    }

    fn padded_by_kernel(
        &self,
        x: &Tensor,
        scaling: Option<&Scaling>,
        padding: Padding<'_>,
    ) -> Option<Tensor> {
        let (height, width, channels) = x.size4().ok().map(|(_, h, w, c)| (h, w, c))?;
        let types = Types {
            a: x.kind(),
            b: x.kind(),
            out: padding.kind,
        };
        let (kernel, adjacent) = kernel(self, c"padded", types, channels)?;
        let Padding { frames, past, .. } = padding;
        let out = Tensor::empty(
            [frames, height + 2, width + 2, channels],
            (padding.kind, x.device()),
        );
        let vectors = ((width + 2) * channels / adjacent) as u64;
        let launch = Launch {
            grid: [
                vectors.div_ceil(THREADS as u64) as u32,
                (height + 2) as u32,
                frames as u32,
            ],
            threads: THREADS as u32,
            shared_bytes: 0,
        };
        let int = |number: i64| Argument::Int(number as i32);
        kernel.launch(
            &launch,
            &[
                Argument::Tensor(x),
                Argument::optional(past),
                Argument::optional(scaling.map(|scaling| &scaling.scale)),
                Argument::optional(scaling.map(|scaling| &scaling.shift)),
                Argument::Tensor(&out),
                int(padding.first),
                int(past.map_or(0, |past| past.size()[0])),
                int(height),
                int(width),
                int(channels),
            ],
        );
        Some(out)
    }
}
