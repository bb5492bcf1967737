//! What blocks added to the image stream at the latest step that computed them.

use tch::Tensor;

use super::pass::Pass;
use crate::transformer::streams::Streams;

/// The residual of the image stream, (1, L, D) in the model's type.
#[derive(Debug, Default)]
pub(super) struct Residual(Option<Tensor>);

impl Residual {
    /// Computes every block, and keeps what they add.
    pub(super) fn compute(&mut self, pass: &Pass<'_>, streams: Streams) -> Tensor {
        self.forget();
        let before = streams.image();
        let behind = pass.every_block(streams).image();
        self.keep(&before, &behind);
        behind
    }

    /// Makes room for the next one.
    pub(super) fn forget(&mut self) {
        self.0 = None;
    }

    /// Keeps what lies between the stream before and behind some blocks.
    pub(super) fn keep(&mut self, before: &Tensor, behind: &Tensor) {
        self.0 = Some(behind - before);
    }

    /// The stream behind the blocks, from the one before them.
    pub(super) fn reuse(&self, before: &Tensor) -> Tensor {
        let residual = self.0.as_ref();
        before + residual.expect("a section's first step is computed")
    }
}
