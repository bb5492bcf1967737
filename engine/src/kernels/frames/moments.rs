//! Means and variances by channel, gathered in parts.

use tch::{Kind, Tensor};

/// Counts, means, and sums of squared differences from the mean of frames' channels, part by part: (parts, 3, C) f32.
#[derive(Debug)]
pub(crate) struct Moments(pub(super) Tensor);

/// Those of groups of channels, each (groups) f64.
#[derive(Debug)]
pub(crate) struct GroupMoments {
    /// Numbers of a group.
    pub(crate) count: f64,
    pub(crate) mean: Tensor,
    /// Sum of squared differences from the mean.
    pub(crate) squares: Tensor,
}

impl Moments {
    /// All parts of frames that were made one after the other.
    pub(crate) fn all(mut parts: Vec<Self>) -> Self {
        if parts.len() == 1 {
            return parts.remove(0);
        }
        let parts: Vec<_> = parts.into_iter().map(|part| part.0).collect();
        Self(Tensor::cat(&parts, 0))
    }

    /// Of so many groups of neighbouring channels; each channel has `positions` numbers. In f64 (Chan et al.: Updating
    /// formulae, 1979).
    pub(crate) fn of_groups(&self, groups: i64, positions: i64) -> GroupMoments {
        let parts = self.0.to_kind(Kind::Double);
        let size = parts.size();
        let per_group = size[2] / groups;
        let parts = parts.view([size[0], 3, groups, per_group]);
        let part = |i| parts.select(1, i); // (parts, groups, C / groups)
        let (counts, means, squares) = (part(0), part(1), part(2));
        let count = (positions * per_group) as f64;
        let over = [0_i64, 2].as_slice();
        let sum = |x: Tensor| x.sum_dim_intlist(over, false, Kind::Double);
        let mean = sum(&counts * &means) / count; // (groups)
        let apart = means - mean.unsqueeze(0).unsqueeze(2);
        let squares = sum(squares + counts * apart.square());
        GroupMoments {
            count,
            mean,
            squares,
        }
    }
}

impl GroupMoments {
    /// Adds those of other numbers.
    pub(crate) fn add(&mut self, other: &Self) {
        let count = self.count + other.count;
        let apart = &other.mean - &self.mean;
        self.squares += &other.squares + apart.square() * (self.count * other.count / count);
        self.mean += apart * (other.count / count);
        self.count = count;
    }
}
