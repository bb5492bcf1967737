//! Whose turn is when: the rest of a pass through the blocks, and the next pass.

use super::residency::Passes;

/// The order of the blocks, seen from a place in a pass.
pub(super) struct Turns<'a> {
    blocks: usize,
    /// The block whose turn is next; the number of blocks at the end of a pass.
    next: usize,
    /// Which of this pass's blocks are gone through. The next pass goes through all, as far as anybody knows.
    wanted: &'a dyn Fn(usize) -> bool,
}

impl<'a> Turns<'a> {
    pub(super) fn new(blocks: usize, next: usize, wanted: &'a dyn Fn(usize) -> bool) -> Self {
        Self {
            blocks,
            next,
            wanted,
        }
    }

    /// The blocks whose turns come, in this order: those of this pass, and before their own turn comes again those of the
    /// next.
    pub(super) fn upcoming(&self, passes: Passes) -> impl Iterator<Item = usize> {
        let of_this_pass = (self.next..self.blocks).filter(|number| (self.wanted)(*number));
        let of_next_pass = match passes {
            Passes::Once => 0..0,
            Passes::Repeated => 0..self.next.min(self.blocks),
        };
        of_this_pass.chain(of_next_pass)
    }

    /// After how many turns it is a block's.
    pub(super) fn until(&self, number: usize) -> usize {
        if number >= self.next && (self.wanted)(number) {
            number - self.next
        } else {
            number + self.blocks - self.next
        }
    }
}
