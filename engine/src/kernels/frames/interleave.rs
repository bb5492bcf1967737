//! The frames of an upsampled convolution, from its phases.
//!
//! A convolution behind nearest upsampling sees few different numbers: two neighbours along each doubled axis, of which
//! one counts twice. So each phase of the result, odd and even along each axis, is a smaller convolution of the frames
//! before upsampling; all are computed as one, and put in place here.

use tch::{Kind, Tensor};

use super::{
    moments::Moments,
    source::{Gathering, Types, by_position, moments_of},
};
use crate::kernels::launch::{Argument, Kernels};

/// What the phases of a part of the frames are.
#[derive(Debug)]
pub(crate) struct Interleaving<'a> {
    /// (t, H + 1, W + 1, phases · C): by window of the input, phases of time, height and width in this order.
    pub(crate) phases: &'a Tensor,
    /// (C) f32.
    pub(crate) bias: &'a Tensor,
    /// Whether time is doubled, too; the first frame of all stays one.
    pub(crate) doubles_time: bool,
    /// Number of the first window along time. Window 0 ends at the first frame of the input.
    pub(crate) first_window: i64,
    /// Number of the first frame that is made. Frame 0 is the first of all, and −1 the one before it, where there is one.
    pub(crate) first_frame: i64,
}

impl Kernels {
    /// Writes frames, (T, 2·H, 2·W, C), and returns their moments.
    pub(crate) fn interleave(&self, of: &Interleaving<'_>, out: &mut Tensor) -> Moments {
        if let Some(moments) = self.interleaved(of, out) {
            return moments;
        }
        let frames = out.size()[0];
        let channels = of.bias.size()[0];
        for frame in 0..frames {
            let number = of.first_frame + frame;
            let (window, time_phase) = of.window_and_phase(number);
            let window = of.phases.select(0, window - of.first_window); // (H + 1, W + 1, phases · C)
            let size = window.size();
            let [height, width] = [size[0] - 1, size[1] - 1];
            for (row, column) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let phase = (time_phase * 2 + row) * 2 + column;
                let from = window
                    .narrow(0, row, height)
                    .narrow(1, column, width)
                    .narrow(2, phase * channels, channels);
                let biased = from.to_kind(Kind::Float) + of.bias;
                out.select(0, frame)
                    .slice(0, row, None, 2)
                    .slice(1, column, None, 2)
                    .copy_(&biased);
            }
        }
        moments_of(&by_position(out).to_kind(Kind::Float))
    }

    fn interleaved(&self, of: &Interleaving<'_>, out: &Tensor) -> Option<Moments> {
        let types = Types {
            a: of.phases.kind(),
            b: of.phases.kind(),
            out: out.kind(),
        };
        let gathering = Gathering::of(self, c"interleave", types, out)?;
        let size = out.size();
        let shape = [
            size[1] / 2,
            size[2] / 2,
            1 + i64::from(of.doubles_time),
            of.first_frame,
            of.first_window,
        ];
        let arguments = [
            Argument::Tensor(of.phases),
            Argument::Tensor(of.bias),
            Argument::Tensor(out),
        ];
        let shape = Argument::Ints(shape.map(|number| number as i32));
        Some(gathering.launch(&arguments, Some(shape)))
    }
}

impl Interleaving<'_> {
    /// Window and phase along time of a frame.
    fn window_and_phase(&self, number: i64) -> (i64, i64) {
        if self.doubles_time {
            ((number + 1) / 2, number.rem_euclid(2))
        } else {
            (number, 0)
        }
    }
}
