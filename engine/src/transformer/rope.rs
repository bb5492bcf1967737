//! Rotary position embedding over three axes (t, y, x), also averaged over blocks of positions.

use tch::{Kind, Tensor};

use super::{config::Config, pad::pad_to_multiple};

/// Cosines and sines of a run of tokens, f32, both (1, L, 1, `head_dim`).
#[derive(Debug)]
pub(super) struct Rope {
    cos: Tensor,
    sin: Tensor,
}

impl Rope {
    /// Positions of all tokens of `frames` × `height` × `width`, t slowest. `frames`: (1, T) integers, absolute.
    ///
    /// With `pool` = (pt, py, px) other than ones, the cosines and sines themselves (not the angles) are
    /// averaged over blocks of that size, the last values repeated where a block reaches over the end.
    pub(super) fn new(
        config: &Config,
        frames: &Tensor,
        [height, width]: [i64; 2],
        pool: [i64; 3],
    ) -> Self {
        let options = (Kind::Float, frames.device());
        let positions = [
            frames.view([-1]).to_kind(Kind::Float),
            Tensor::arange(height, options),
            Tensor::arange(width, options),
        ];
        let [dt, dy, dx] = config.rope_axes_dim;
        let angles = on_grid(&[
            angles(dt, config.rope_theta, &positions[0]),
            angles(dy, config.rope_theta, &positions[1]),
            angles(dx, config.rope_theta, &positions[2]),
        ]);
        let table = |values: Tensor| {
            let values = average(&values, pool); // (1, head_dim, t, h, w)
            values
                .flatten(2, 4)
                .transpose(1, 2)
                .unsqueeze(2)
                .contiguous() // (1, L, 1, head_dim)
        };
        Self {
            cos: table(angles.cos()),
            sin: table(angles.sin()),
        }
    }

    /// One table for the tokens of `parts`, in that order.
    pub(super) fn cat(parts: &[Self]) -> Self {
        let cos: Vec<&Tensor> = parts.iter().map(|part| &part.cos).collect();
        let sin: Vec<&Tensor> = parts.iter().map(|part| &part.sin).collect();
        Self {
            cos: Tensor::cat(&cos, 1),
            sin: Tensor::cat(&sin, 1),
        }
    }

    /// The table of the last so many tokens.
    pub(super) fn last(&self, tokens: i64) -> Self {
        let last = |table: &Tensor| table.narrow(1, table.size()[1] - tokens, tokens);
        Self {
            cos: last(&self.cos),
            sin: last(&self.sin),
        }
    }

    /// Cosines and sines.
    pub(super) fn tables(&self) -> [&Tensor; 2] {
        [&self.cos, &self.sin]
    }
}

/// `position · theta^(-2i / dim)`, each angle twice, for a pair of channels turns together: (n) → (n, dim)
fn angles(dim: i64, theta: f64, positions: &Tensor) -> Tensor {
    let exponents =
        Tensor::arange_start_step(0, dim, 2, (Kind::Float, positions.device())) / dim as f64;
    let frequencies = Tensor::pow_scalar(theta, &exponents).reciprocal();
    positions
        .outer(&frequencies)
        .repeat_interleave_self_int(2, 1, None)
}

/// Angles of t, y and x, (n, dim) each, at every point of their grid: (1, sum of dims, T, H, W).
fn on_grid(axes: &[Tensor; 3]) -> Tensor {
    let size = [0, 1, 2].map(|axis: usize| axes[axis].size()[0]);
    let channels = [0, 1, 2].map(|axis: usize| {
        let mut shape = [1, -1, 1, 1, 1];
        shape[2 + axis] = size[axis];
        let along = axes[axis].transpose(0, 1).reshape(shape);
        along.expand([1, -1, size[0], size[1], size[2]], false)
    });
    Tensor::cat(&channels, 1)
}

/// Block average of (1, C, T, H, W), padded at the high ends by repetition.
fn average(x: &Tensor, block: [i64; 3]) -> Tensor {
    if block == [1, 1, 1] {
        return x.shallow_clone();
    }
    pad_to_multiple(x, block).avg_pool3d(block, block, [0, 0, 0], false, true, None)
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;

    #[test]
    fn frequencies_of_the_published_model() {
        let one = Tensor::ones([1], (Kind::Float, Device::Cpu));
        let t = angles(16, 256.0, &one);
        assert_eq!(
            Vec::<f32>::try_from(t.view([-1])).unwrap()[..6],
            [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
        );
        let y = Vec::<f32>::try_from(angles(56, 256.0, &one).view([-1])).unwrap();
        for (got, want) in
            y.iter()
                .step_by(2)
                .zip([1.0, 0.820_335_4, 0.672_950_1, 0.552_044_8, 0.452_861_8])
        {
            assert!((got - want).abs() < 1e-6, "{got} {want}");
        }
    }
}
