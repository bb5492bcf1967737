//! Copies of streamed blocks in host memory.

use super::{DynamicSwap, bytes_of};
use crate::{
    error::Error,
    offload::arena::{Filling, HostBlock},
};

impl<B> DynamicSwap<B> {
    /// Bytes of the copies in host memory.
    pub fn host_bytes(&self) -> u64 {
        let copies = self.blocks.iter().filter_map(|block| block.copy());
        copies.map(|copy| copy.len() as u64).sum()
    }

    /// Bytes of them that are page-locked.
    pub(crate) fn page_locked_bytes(&self) -> u64 {
        let blocks = self.blocks.iter();
        blocks.map(|block| block.page_locked_bytes()).sum()
    }

    /// Begins to copy streamed blocks to host memory in the background: those that are `chosen`, page-locked for
    /// CUDA, which makes their transfers faster, unless the options are against it. The others are read from where they are stored, on every transfer,
    /// and copies that they had from before are dropped.
    ///
    /// Synthesised weights are stored nowhere; the blocks that are not chosen get copies too, not page-locked.
    ///
    /// # Panics
    /// If `chosen` has not one entry for each block.
    pub fn fill_host(&self, chosen: &[bool]) -> Result<(), Error> {
        assert_eq!(chosen.len(), self.len(), "one entry a block");
        let resident = self.residency().resident;
        let wanted = |number: usize| chosen[number] && !resident[number];
        let on_cuda = self.device().is_cuda();
        // Ends, if it still runs, before what it made is dropped.
        drop(self.filling.take());
        for (number, block) in self.blocks.iter().enumerate() {
            let is_made_here = on_cuda && block.weights().is_synthesised();
            if is_made_here && !resident[number] {
                self.synthesise_copy(block)?;
            } else if !wanted(number) && block.copy().is_some() {
                self.memory.transfers().synchronize();
                block.drop_copy();
            }
        }
        let numbers = (0..self.len()).filter(|number| wanted(*number));
        let wanted = numbers.map(|number| self.blocks[number].clone()).collect();
        let page_lock_for = self.memory.transfers().page_lock_for();
        if page_lock_for.is_none() && self.page_locked_bytes() > 0 {
            self.memory.transfers().synchronize();
            self.blocks.iter().for_each(|block| block.page_unlock());
        }
        *self.filling.borrow_mut() = Some(Filling::start(wanted, page_lock_for));
        Ok(())
    }

    /// Makes synthesised weights on the device, where it is fast, and keeps them in host memory.
    fn synthesise_copy(&self, block: &HostBlock) -> Result<(), Error> {
        if block.copy().is_some() {
            return Ok(());
        }
        let buffer = self.memory.vram().allocate(bytes_of(block))?;
        block.weights().synthesise_into(buffer.tensor());
        block.make_copy(|to| self.memory.transfers().fetch(buffer.tensor(), to))?;
        Ok(())
    }

    /// Waits for the copies in host memory.
    pub fn wait_for_host(&self) {
        if let Some(filling) = &mut *self.filling.borrow_mut() {
            filling.wait();
        }
    }
}
