//! The host's side of streamed weights: a copy of each block in page-locked memory, as far as the budget goes.
//!
//! A thread fills the copies from the mapped files and page-locks them while the model runs already; until a
//! copy is there, and for blocks beyond the budget, the weights are read from the files on every transfer.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use rayon::prelude::*;
use tch::Device;

use crate::{
    device::HostBuffer,
    error::{Error, Shortage},
    weights::{BlockWeights, Repacked},
};

/// What one thread copies at once.
const PIECE_BYTES: usize = 4 << 20;

/// Where a block's weights are read from: their files, or the copy in host memory.
#[derive(Debug)]
pub(crate) struct HostBlock {
    weights: BlockWeights,
    copy: Mutex<Option<Arc<HostBuffer>>>,
}

impl HostBlock {
    pub(crate) fn new(weights: BlockWeights) -> Arc<Self> {
        Arc::new(Self {
            weights,
            copy: Mutex::default(),
        })
    }

    pub(crate) fn weights(&self) -> &BlockWeights {
        &self.weights
    }

    /// The copy in host memory, if it is there already.
    pub(crate) fn copy(&self) -> Option<Arc<HostBuffer>> {
        self.shared_copy().clone()
    }

    /// What of the copy is page-locked.
    pub(crate) fn page_locked_bytes(&self) -> u64 {
        let locked = self.copy().filter(|copy| copy.is_page_locked());
        locked.map_or(0, |copy| copy.len() as u64)
    }

    /// Leaves the copy to the system, as ordinary memory. No transfer may be reading it.
    pub(crate) fn page_unlock(&self) {
        if let Some(copy) = self.copy() {
            copy.page_unlock();
        }
    }

    /// Drops the copy. No transfer may be reading it.
    pub(crate) fn drop_copy(&self) {
        *self.shared_copy() = None;
    }

    /// Makes the copy, unless it is there; `write` writes the weights.
    pub(crate) fn make_copy(
        &self,
        write: impl FnOnce(&mut [u8]) -> Result<(), Error>,
    ) -> Result<Arc<HostBuffer>, Error> {
        if let Some(copy) = self.copy() {
            return Ok(copy);
        }
        let bytes = self.weights.bytes();
        let mut buffer = HostBuffer::new(bytes)
            .map_err(|error| Shortage::of_host(bytes, "a block's weights", &error))?;
        // Without the lock: who asks for the copy meanwhile reads the weights where they are stored.
        write(buffer.as_mut_slice())?;
        let copy = Arc::new(buffer);
        *self.shared_copy() = Some(copy.clone());
        Ok(copy)
    }

    fn shared_copy(&self) -> MutexGuard<'_, Option<Arc<HostBuffer>>> {
        // A whole value is replaced, so it is never half written.
        self.copy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the weights from where they are stored.
    fn read(&self, to: &mut [u8]) -> Result<(), Error> {
        for part in self.weights.parts() {
            let (offset, bytes) = part?;
            write_in_parallel(&bytes, 0, &mut to[offset..offset + bytes.len()]);
        }
        Ok(())
    }
}

/// Writes bytes from `start` on, as many as `to` takes, and as fast as the machine can.
pub(crate) fn write_in_parallel(bytes: &Repacked<'_>, start: usize, to: &mut [u8]) {
    match bytes.as_there() {
        Some(there) => copy_in_parallel(&there[start..start + to.len()], to),
        None => bytes.write(start, to),
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
    /// Makes copies of `blocks` in their order, page-locked for a device if there is one.
    pub(crate) fn start(blocks: Vec<Arc<HostBlock>>, page_lock_for: Option<Device>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let fill = move || {
            for block in blocks {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                if let Err(error) = fill(&block, page_lock_for) {
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

fn fill(block: &HostBlock, page_lock_for: Option<Device>) -> Result<(), Error> {
    let copy = block.make_copy(|to| block.read(to))?;
    if let Some(device) = page_lock_for
        && let Err(reason) = copy.page_lock(device)
    {
        tracing::warn!(reason, "a block's host copy is not page-locked");
    }
    Ok(())
}
