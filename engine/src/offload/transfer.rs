//! Transfers of weights from the host to the device, beside the computation.
//!
//! From page-locked memory a transfer is one copy that the device makes by itself. Anything else goes in chunks
//! through two page-locked buffers in turn: while the device fetches one, the host's cores fill the other. Without
//! page-locked memory each chunk is a copy of its own, for which the host waits.
//! Nothing is ever copied back; only weights that were made from a seed on the device are fetched, once.

use std::{borrow::Cow, cell::Cell, mem, ops::Range};

use tch::{Device, Tensor};

use super::{
    arena::{HostBlock, write_in_parallel},
    options::{Staging, TransferOptions},
    stages::Stages,
};
use crate::{
    device::{Event, HostTensor, Stream},
    error::Error,
    weights::Repacked,
};

/// What carries weights to one device.
#[derive(Debug)]
pub(crate) struct Transfers {
    options: Cell<TransferOptions>,
    staging: Staging,
    device: Device,
    /// `None` on the CPU, where a transfer is a copy that is over when it returns.
    stream: Cell<Option<Stream>>,
    /// That beside the computation, once it was needed.
    side_stream: Cell<Option<Stream>>,
    stages: Stages,
    peak_host_bytes: Cell<u64>,
}

impl Transfers {
    pub(crate) fn new(device: Device, options: TransferOptions, staging: Staging) -> Self {
        let transfers = Self {
            options: Cell::new(options),
            staging,
            device,
            stream: Cell::default(),
            side_stream: Cell::default(),
            stages: Stages::new(),
            peak_host_bytes: Cell::new(0),
        };
        transfers.choose_stream();
        transfers
    }

    /// Has weights travel in another way from now on.
    pub(crate) fn set_options(&self, options: TransferOptions) {
        if options != self.options.get() {
            self.release();
            self.options.set(options);
            self.choose_stream();
        }
    }

    fn choose_stream(&self) {
        self.stream.set(if self.options.get().use_async_streams {
            let side_stream = self.side_stream.get();
            let side_stream = side_stream.or_else(|| Stream::new(self.device));
            self.side_stream.set(side_stream);
            side_stream
        } else {
            Stream::current(self.device)
        });
    }

    /// Limits the host memory for chunks in transit.
    pub(crate) fn set_chunk_bytes(&self, bytes: usize) {
        if self.stages.set_chunk_bytes(bytes) {
            self.release();
        }
    }

    /// Gives back the host memory of the transfers themselves. They have it again when they need it.
    pub(crate) fn release(&self) {
        self.finish();
        self.stages.clear();
    }

    /// Host memory of the transfers themselves.
    pub(crate) fn host_bytes(&self) -> u64 {
        self.stages.host_bytes()
    }

    /// What of it is page-locked.
    pub(crate) fn page_locked_bytes(&self) -> u64 {
        self.stages.page_locked_bytes()
    }

    /// Most host memory that one transfer took so far, the copies of blocks aside.
    pub(crate) fn peak_host_bytes(&self) -> u64 {
        self.peak_host_bytes.get()
    }

    /// Counts that peak from what is there now.
    pub(crate) fn reset_peak(&self) {
        self.peak_host_bytes.set(self.host_bytes());
    }

    /// Begins to fill `to`, u8 on the device, with a block's weights, once `after` has happened. The computation
    /// has to wait for the event that is returned, if there is one.
    pub(crate) fn begin(
        &self,
        block: &HostBlock,
        to: &Tensor,
        after: Option<&Event>,
    ) -> Result<Option<Event>, Error> {
        let (copy, stream) = (block.copy(), self.stream.get());
        if copy.is_none() && stream.is_some() && block.weights().synthesise_into(to) {
            return Ok(None);
        }
        if let (Some(stream), Some(event)) = (&stream, after) {
            stream.wait(event);
        }
        // Until there is an event to wait for, nobody else knows that `to` is being written.
        let begun = TransferGuard(self);
        match (&copy, &stream) {
            (Some(copy), Some(stream)) if copy.is_page_locked() => {
                stream.copy(
                    &copy.tensor(0, copy.len()),
                    &to.narrow(0, 0, copy.len() as i64),
                );
            }
            (Some(copy), _) => self.send(0, &Repacked::there(copy.as_slice()), to)?,
            (None, _) => {
                for part in block.weights().parts() {
                    let (offset, bytes) = part?;
                    self.send(offset, &bytes, to)?;
                }
            }
        }
        let filled = stream.as_ref().map(Event::record);
        mem::forget(begun);
        Ok(filled)
    }

    /// Sends bytes that are not page-locked to the place `offset` of `to`, chunk by chunk.
    fn send(&self, offset: usize, bytes: &Repacked<'_>, to: &Tensor) -> Result<(), Error> {
        let is_staged = self.options.get().use_pinned_memory
            && (self.device.is_cuda() || self.staging == Staging::Always);
        let is_converted = bytes.as_there().is_none();
        let stage_bytes = self.stages.stage_bytes();
        for start in (0..bytes.len()).step_by(stage_bytes) {
            let end = bytes.len().min(start + stage_bytes);
            let to = to.narrow(0, (offset + start) as i64, (end - start) as i64);
            let made_bytes = if is_staged {
                self.send_staged(bytes, start, &to)?;
                0
            } else {
                self.send_directly(bytes, start..end, &to)
            };
            let writing_bytes = if is_converted {
                Repacked::WRITING_BYTES
            } else {
                0
            };
            self.count(bytes.made_bytes() + made_bytes + writing_bytes);
        }
        Ok(())
    }

    /// Copies a chunk and waits for it; returns what it took of memory because it had to be converted.
    fn send_directly(&self, bytes: &Repacked<'_>, run: Range<usize>, to: &Tensor) -> usize {
        let (start, length) = (run.start, run.len());
        let chunk = bytes.as_there().map_or_else(
            || {
                let mut made = vec![0; length];
                bytes.write(start, &mut made);
                Cow::Owned(made)
            },
            |there| Cow::Borrowed(&there[run]),
        );
        match self.stream.get() {
            Some(stream) => {
                stream.copy(&HostTensor::over(&chunk), to);
                // From pageable memory the copy is over when the call returns, but only the documentation of
                // the driver says so: `chunk` may be gone afterwards.
                stream.synchronize();
            }
            None => to.shallow_clone().copy_(&HostTensor::over(&chunk)),
        }
        match chunk {
            Cow::Borrowed(_) => 0,
            Cow::Owned(made) => made.len(),
        }
    }

    /// Sends the chunk of `bytes` from `start` on that `to` takes by way of a stage.
    fn send_staged(&self, bytes: &Repacked<'_>, start: usize, to: &Tensor) -> Result<(), Error> {
        let (length, stream) = (to.size()[0] as usize, self.stream.get());
        self.stages.turn(self.page_lock_for(), |stage| {
            write_in_parallel(bytes, start, &mut stage.as_mut_slice()[..length]);
            let staged = stage.tensor(0, length);
            match &stream {
                Some(stream) => stream.copy(&staged, to),
                None => to.shallow_clone().copy_(&staged),
            }
            stream.as_ref().map(Event::record)
        })
    }

    /// Counts what is on the host while a part of a block is sent: the stages, and what was made for it.
    fn count(&self, made_bytes: usize) {
        let host_bytes = self.host_bytes() + made_bytes as u64;
        let peak_bytes = self.peak_host_bytes.get().max(host_bytes);
        self.peak_host_bytes.set(peak_bytes);
    }

    /// Brings weights that were synthesised on the device to the host, once.
    pub(crate) fn fetch(&self, from: &Tensor, to: &mut [u8]) -> Result<(), Error> {
        let stream = Stream::current(self.device).expect("weights are synthesised on CUDA only");
        let stage_bytes = self.stages.stage_bytes();
        for (number, to) in to.chunks_mut(stage_bytes).enumerate() {
            let from = from.narrow(0, (number * stage_bytes) as i64, to.len() as i64);
            self.stages.turn(self.page_lock_for(), |stage| {
                stream.copy(&from, &stage.tensor_mut(to.len()));
                stream.synchronize();
                let staged = Repacked::there(&stage.as_slice()[..to.len()]);
                write_in_parallel(&staged, 0, to);
                None
            })?;
        }
        Ok(())
    }

    /// Waits for all transfers.
    pub(crate) fn synchronize(&self) {
        if let Some(stream) = self.stream.get() {
            stream.synchronize();
        }
    }

    /// The same where nothing may be raised, because something is being dropped: after a failure of the device no
    /// transfer is under way.
    pub(crate) fn finish(&self) {
        if let Some(stream) = self.stream.get() {
            stream.finish();
        }
    }

    /// The device for which host memory is to be page-locked, if it is.
    pub(crate) fn page_lock_for(&self) -> Option<Device> {
        let is_wanted = self.device.is_cuda() && self.options.get().use_pinned_memory;
        is_wanted.then_some(self.device)
    }

    /// Whether blocks travel before their turn comes.
    pub(crate) fn prefetches(&self) -> bool {
        self.options.get().prefetches
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
