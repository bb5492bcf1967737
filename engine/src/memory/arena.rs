//! The host's side of streamed weights: a copy of each block in page-locked memory, as far as the budget goes.
//!
//! A thread fills the copies from the mapped files and page-locks them while the model runs already; until a
//! copy is there, and for blocks beyond the budget, the weights are read from the files on every transfer.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use rayon::prelude::*;
use tch::Device;

use crate::{device::HostBuffer, error::Error, weights::BlockWeights};

/// What one thread copies at once.
const PIECE_BYTES: usize = 4 << 20;

/// Where a block's weights are read from: their files, or the copy in host memory.
#[derive(Debug)]
pub(crate) struct HostBlock {
    weights: BlockWeights,
    copy: OnceLock<HostBuffer>,
}

impl HostBlock {
    pub(crate) fn new(weights: BlockWeights) -> Arc<Self> {
        Arc::new(Self {
            weights,
            copy: OnceLock::new(),
        })
    }

    pub(crate) fn weights(&self) -> &BlockWeights {
        &self.weights
    }

    /// The copy in host memory, if it is there already.
    pub(crate) fn copy(&self) -> Option<&HostBuffer> {
        self.copy.get()
    }

    /// Makes the copy, unless it is there; `write` writes the weights.
    pub(crate) fn make_copy(
        &self,
        write: impl FnOnce(&mut [u8]) -> Result<(), Error>,
    ) -> Result<&HostBuffer, Error> {
        if self.copy.get().is_none() {
            let bytes = self.weights.bytes();
            let mut buffer = HostBuffer::new(bytes).map_err(|source| Error::OutOfMemory {
                message: format!("the host has no {bytes} bytes for a block's weights: {source}"),
            })?;
            write(buffer.as_mut_slice())?;
            // Nobody else fills this model; if somebody did, the copies would be equal.
            let _ = self.copy.set(buffer);
        }
        Ok(self.copy.get().expect("it was set above"))
    }

    /// Reads the weights from where they are stored.
    fn read(&self, to: &mut [u8]) -> Result<(), Error> {
        for part in self.weights.parts() {
            let (offset, part) = part?;
            copy_in_parallel(&part, &mut to[offset..offset + part.len()]);
        }
        Ok(())
    }
}

/// Copies with all of the machine's cores: one alone reaches a fraction of the memory's bandwidth.
pub(crate) fn copy_in_parallel(from: &[u8], to: &mut [u8]) {
    to.par_chunks_mut(PIECE_BYTES)
        .zip(from.par_chunks(PIECE_BYTES))
        .for_each(|(to, from)| to.copy_from_slice(from));
}

/// The thread that makes the host copies of one model.
#[derive(Debug)]
pub(crate) struct Filling {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Filling {
    /// Makes copies of `blocks` in their order. For CUDA they are page-locked.
    pub(crate) fn start(blocks: Vec<Arc<HostBlock>>, device: Device) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let fill = move || {
            for block in blocks {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                if let Err(error) = fill(&block, device) {
                    tracing::warn!(%error, "further blocks are read from their files");
                    return;
                }
            }
        };
        Self {
            stop,
            thread: Some(thread::spawn(fill)),
        }
    }

    /// Waits until all copies are there.
    pub(crate) fn wait(&mut self) {
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that fills the host's copies panicked");
        }
    }
}

impl Drop for Filling {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.wait();
    }
}

fn fill(block: &HostBlock, device: Device) -> Result<(), Error> {
    let copy = block.make_copy(|to| block.read(to))?;
    if device.is_cuda()
        && !copy.is_page_locked()
        && let Err(reason) = copy.page_lock(device)
    {
        tracing::warn!(reason, "a block's host copy is not page-locked");
    }
    Ok(())
}
