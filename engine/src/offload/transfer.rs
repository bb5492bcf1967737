//! Transfers of weights from the host to the device, beside the computation.
//!
//! From page-locked memory a transfer is one copy that the device makes by itself. Anything else goes in chunks
//! through two page-locked buffers in turn: while the device fetches one, the host's cores fill the other.
//! Nothing is ever copied back; only weights that were made from a seed on the device are fetched, once.

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    mem,
};

use tch::{Device, Tensor};

use super::{
    arena::{HostBlock, copy_in_parallel},
    options::{Staging, TransferOptions},
};
use crate::{
    device::{Event, HostBuffer, HostTensor, Stream},
    error::{Error, Shortage},
};

/// Two are enough: one is filled while the other is fetched.
pub(super) const STAGES: usize = 2;
const CHUNK_BYTES: usize = 64 << 20;
/// Page-locked host memory through which blocks without a copy there pass from the files to the device.
pub(crate) const STAGING_BYTES: u64 = (STAGES * CHUNK_BYTES) as u64;

/// What carries weights to one device.
#[derive(Debug)]
pub(crate) struct Transfers {
    options: TransferOptions,
    staging: Staging,
    device: Device,
    /// `None` on the CPU, where a transfer is a copy that is over when it returns.
    stream: Option<Stream>,
    stages: RefCell<Vec<Stage>>,
    next_stage: Cell<usize>,
    chunk_bytes: Cell<usize>,
    peak_host_bytes: Cell<u64>,
}

/// A page-locked buffer, with the transfer that still reads it.
#[derive(Debug)]
struct Stage {
    buffer: HostBuffer,
    busy: Option<Event>,
}

impl Transfers {
    pub(crate) fn new(device: Device, options: TransferOptions, staging: Staging) -> Self {
        let stream = if options.use_async_streams {
            Stream::new(device)
        } else {
            Stream::current(device)
        };
        Self {
            options,
            staging,
            device,
            stream,
            stages: RefCell::default(),
            next_stage: Cell::new(0),
            chunk_bytes: Cell::new(CHUNK_BYTES),
            peak_host_bytes: Cell::new(0),
        }
    }

    /// Sends what does not come from page-locked memory in chunks of this size.
    pub(crate) fn set_chunk_bytes(&self, bytes: usize) {
        self.synchronize();
        self.stages.borrow_mut().clear();
        self.chunk_bytes.set(bytes.max(1));
    }

    /// Host memory of the transfers themselves.
    pub(crate) fn host_bytes(&self) -> u64 {
        let stages = self.stages.borrow();
        stages.iter().map(|stage| stage.buffer.len() as u64).sum()
    }

    /// Most host memory that one transfer took so far, the copies of blocks aside.
    pub(crate) fn peak_host_bytes(&self) -> u64 {
        self.peak_host_bytes.get()
    }

    /// Begins to fill `to`, u8 on the device, with a block's weights, once `after` has happened. The computation
    /// has to wait for the event that is returned, if there is one.
    pub(crate) fn begin(
        &self,
        block: &HostBlock,
        to: &Tensor,
        after: Option<&Event>,
    ) -> Result<Option<Event>, Error> {
        let copy = block.copy();
        if copy.is_none() && self.stream.is_some() && block.weights().synthesise_into(to) {
            return Ok(None);
        }
        if let (Some(stream), Some(event)) = (&self.stream, after) {
            stream.wait(event);
        }
        // Until there is an event to wait for, nobody else knows that `to` is being written.
        let begun = TransferGuard(self);
        match (&copy, &self.stream) {
            (Some(copy), Some(stream)) if copy.is_page_locked() => {
                stream.copy(
                    &copy.tensor(0, copy.len()),
                    &to.narrow(0, 0, copy.len() as i64),
                );
            }
            (Some(copy), _) => self.send(0, copy.as_slice(), to)?,
            (None, _) => {
                for part in block.weights().parts() {
                    let (offset, bytes) = part?;
                    self.send(offset, &bytes, to)?;
                    self.count(match &bytes {
                        Cow::Borrowed(_) => 0,
                        Cow::Owned(made) => made.len(),
                    });
                }
            }
        }
        let filled = self.stream.as_ref().map(Event::record);
        mem::forget(begun);
        Ok(filled)
    }

    /// Sends bytes that are not page-locked to the place `offset` of `to`, chunk by chunk.
    fn send(&self, offset: usize, bytes: &[u8], to: &Tensor) -> Result<(), Error> {
        let chunk_bytes = self.chunk_bytes.get();
        for (number, chunk) in bytes.chunks(chunk_bytes).enumerate() {
            let start = offset + number * chunk_bytes;
            let to = to.narrow(0, start as i64, chunk.len() as i64);
            match &self.stream {
                Some(_) if self.options.use_pinned_memory => self.send_staged(chunk, &to)?,
                None if self.staging == Staging::Always => self.send_staged(chunk, &to)?,
                Some(stream) => {
                    stream.copy(&HostTensor::over(chunk), &to);
                    // From pageable memory the copy is over when the call returns, but only the documentation of
                    // the driver says so: `chunk` may be gone afterwards.
                    stream.synchronize();
                }
                None => to.shallow_clone().copy_(&HostTensor::over(chunk)),
            }
        }
        Ok(())
    }

    fn send_staged(&self, chunk: &[u8], to: &Tensor) -> Result<(), Error> {
        let mut stages = self.stages.borrow_mut();
        if stages.is_empty() {
            *stages = self.page_locked_stages()?;
        }
        let number = self.next_stage.get();
        self.next_stage.set((number + 1) % STAGES);
        let stage = &mut stages[number];
        if let Some(busy) = stage.busy.take() {
            busy.synchronize();
        }
        copy_in_parallel(chunk, &mut stage.buffer.as_mut_slice()[..chunk.len()]);
        let staged = stage.buffer.tensor(0, chunk.len());
        match &self.stream {
            Some(stream) => stream.copy(&staged, to),
            None => to.shallow_clone().copy_(&staged),
        }
        stage.busy = self.stream.as_ref().map(Event::record);
        Ok(())
    }

    /// Counts what is on the host while a part of a block is sent: the chunks, and the part's bytes if they were made
    /// for that.
    fn count(&self, made_bytes: usize) {
        let host_bytes = self.host_bytes() + made_bytes as u64;
        let peak_bytes = self.peak_host_bytes.get().max(host_bytes);
        self.peak_host_bytes.set(peak_bytes);
    }

    /// Brings weights that were synthesised on the device to the host, once.
    pub(crate) fn fetch(&self, from: &Tensor, to: &mut [u8]) -> Result<(), Error> {
        let stream = Stream::current(self.device).expect("weights are synthesised on CUDA only");
        let mut stages = self.stages.borrow_mut();
        if stages.is_empty() {
            *stages = self.page_locked_stages()?;
        }
        let stage = &mut stages[0];
        if let Some(busy) = stage.busy.take() {
            busy.synchronize();
        }
        let chunk_bytes = self.chunk_bytes.get();
        for (number, to) in to.chunks_mut(chunk_bytes).enumerate() {
            let from = from.narrow(0, (number * chunk_bytes) as i64, to.len() as i64);
            stream.copy(&from, &stage.buffer.tensor_mut(to.len()));
            stream.synchronize();
            copy_in_parallel(&stage.buffer.as_slice()[..to.len()], to);
        }
        Ok(())
    }

    fn page_locked_stages(&self) -> Result<Vec<Stage>, Error> {
        let stage = || {
            let bytes = self.chunk_bytes.get();
            let buffer = HostBuffer::new(bytes)
                .map_err(|error| Shortage::of_host(bytes, "transfers", &error))?;
            if let Err(reason) = buffer.page_lock(self.device) {
                tracing::warn!(reason, "transfers use memory that is not page-locked");
            }
            Ok(Stage { buffer, busy: None })
        };
        (0..STAGES).map(|_| stage()).collect()
    }

    /// Waits for all transfers.
    pub(crate) fn synchronize(&self) {
        if let Some(stream) = &self.stream {
            stream.synchronize();
        }
    }

    /// The same where nothing may be raised, because something is being dropped: after a failure of the device no
    /// transfer is under way.
    pub(crate) fn finish(&self) {
        if let Some(stream) = &self.stream {
            stream.finish();
        }
    }

    /// Whether copies in host memory are to be page-locked.
    pub(crate) fn page_locks(&self) -> bool {
        self.device.is_cuda() && self.options.use_pinned_memory
    }
}

/// Waits for the transfers if this is dropped, because one failed half way.
struct TransferGuard<'a>(&'a Transfers);

impl Drop for TransferGuard<'_> {
    fn drop(&mut self) {
        self.0.finish();
    }
}

impl Drop for Transfers {
    fn drop(&mut self) {
        // The device may still be reading the stages.
        self.finish();
    }
}
