//! Tiles along time, joined as they come.

use tch::{Device, Kind, Tensor};

use super::{
    axis::{HEIGHT, TIME, WIDTH},
    time::TimeTile,
};

/// What the tiles so far have become. It stays as it was if a tile can't be added for want of memory.
#[derive(Debug, Default)]
pub(crate) struct Joined {
    /// What no tile can change any more, (B, C, T, H, W) each.
    finished: Vec<Tensor>,
    /// What is used of the newest tile.
    last: Option<Tensor>,
    input_done: i64,
}

impl Joined {
    /// Positions of the input that are done.
    pub(crate) fn input_done(&self) -> i64 {
        self.input_done
    }

    /// Positions of the result that the next tile can be faded from.
    pub(crate) fn open(&self) -> i64 {
        self.last.as_ref().map_or(0, |last| length(last, TIME))
    }

    /// Adds what became of the next tile, (B, C, T, H, W), and overwrites what of it fades.
    pub(crate) fn push(&mut self, tile: &TimeTile, result: &Tensor) {
        let used = length(result, TIME) - tile.dropped;
        let next = result.narrow(TIME, tile.dropped, used);
        if let Some(last) = &self.last {
            let faded = tile.faded.min(used).min(self.open());
            blend(last, &next, TIME, faded);
            // A copy, since a view would keep what is dropped.
            let finished = last.narrow(TIME, 0, self.open() - faded).copy();
            self.finished.push(finished);
        }
        self.last = Some(next);
        self.input_done = tile.input.end;
    }

    /// Makes room on the device.
    pub(crate) fn leave_device(&mut self) {
        for tensor in self.finished.iter_mut().chain(&mut self.last) {
            *tensor = tensor.to_device(Device::Cpu);
        }
    }

    /// All of it, on the device of the newest tile, and from now on in one piece here, too.
    ///
    /// # Panics
    /// If no tile was added.
    pub(crate) fn whole(&mut self) -> Tensor {
        let last = self.last.as_ref().expect("a video has at least one tile");
        if self.finished.is_empty() {
            return last.shallow_clone();
        }
        let finished = self.finished.iter();
        let parts: Vec<_> = finished
            .map(|part| part.to_device(last.device()))
            .chain([last.shallow_clone()])
            .collect();
        let whole = Tensor::cat(&parts, TIME);
        self.finished.clear();
        self.last.insert(whole).shallow_clone()
    }
}

pub(super) fn length(x: &Tensor, dim: i64) -> i64 {
    x.size()[dim as usize]
}

/// The first `length` positions along `dim`, or all where there are fewer.
pub(super) fn head(x: &Tensor, dim: i64, positions: i64) -> Tensor {
    x.narrow(dim, 0, positions.min(length(x, dim)))
}

/// Fades from the end of `previous` into the start of `next`, in place: position x of E is
/// `previous·(1 − x/E) + next·(x/E)`, each product rounded to the tensors' type as upstream rounds it.
pub(super) fn blend(previous: &Tensor, next: &Tensor, dim: i64, extent: i64) {
    debug_assert!([TIME, HEIGHT, WIDTH].contains(&dim));
    let (before, after) = (length(previous, dim), length(next, dim));
    let extent = extent.min(before).min(after);
    if extent == 0 {
        return;
    }
    let mut shape = [1; 5];
    shape[dim as usize] = extent;
    let ramp = Tensor::arange(extent, (Kind::Double, next.device())) / extent as f64;
    let scaled = |x: Tensor, weights: &Tensor| {
        let weights = weights.to_kind(Kind::Float).reshape(shape);
        (x.to_kind(Kind::Float) * weights).to_kind(next.kind())
    };
    let previous = previous.narrow(dim, before - extent, extent);
    let fading = scaled(previous.to_device(next.device()), &(1.0 - &ramp));
    let rising = scaled(next.narrow(dim, 0, extent), &ramp);
    next.narrow(dim, 0, extent).copy_(&(fading + rising));
}

#[cfg(test)]
mod tests;
