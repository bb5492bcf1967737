//! The buffers in host memory through which weights pass in chunks on their way to a device.

use std::cell::{Cell, RefCell};

use tch::Device;

use crate::{
    device::{Event, HostBuffer},
    error::{Error, Shortage},
    weights::Repacked,
};

/// Two are enough: one is filled while the other is fetched.
const STAGES: usize = 2;
/// Chunks are whole numbers of any type.
const ALIGNMENT_BYTES: usize = 16;
/// Most host memory for chunks in transit, where nobody says otherwise.
pub(crate) const DEFAULT_CHUNK_BYTES: u64 = 256 << 20;

/// Two buffers that take turns, made when they are first needed.
#[derive(Debug)]
pub(super) struct Stages {
    both: RefCell<Vec<Stage>>,
    next: Cell<usize>,
    /// Size of one.
    bytes: Cell<usize>,
}

/// A buffer, with the transfer that still reads it.
#[derive(Debug)]
struct Stage {
    buffer: HostBuffer,
    busy: Option<Event>,
}

/// The size of each stage, so that they and what is converted into them take `chunk_bytes` together.
fn stage_bytes(chunk_bytes: usize) -> usize {
    let for_stages = chunk_bytes.saturating_sub(Repacked::WRITING_BYTES);
    let for_stages = for_stages.max(chunk_bytes / 2); // of a small chunk
    (for_stages / STAGES / ALIGNMENT_BYTES).max(1) * ALIGNMENT_BYTES
}

impl Stages {
    pub(super) fn new() -> Self {
        Self {
            both: RefCell::default(),
            next: Cell::new(0),
            bytes: Cell::new(stage_bytes(DEFAULT_CHUNK_BYTES as usize)),
        }
    }

    /// Limits what they may take; returns whether that changes them. Those that are there are dropped then: no transfer
    /// may be reading them.
    pub(super) fn set_chunk_bytes(&self, bytes: usize) -> bool {
        let bytes = stage_bytes(bytes);
        bytes != self.bytes.replace(bytes)
    }

    /// Size of one: what goes through it at once.
    pub(super) fn stage_bytes(&self) -> usize {
        self.bytes.get()
    }

    /// Host memory that they take.
    pub(super) fn host_bytes(&self) -> u64 {
        let stages = self.both.borrow();
        stages.iter().map(|stage| stage.buffer.len() as u64).sum()
    }

    /// What of it is page-locked.
    pub(super) fn page_locked_bytes(&self) -> u64 {
        let stages = self.both.borrow();
        let locked = stages.iter().filter(|stage| stage.buffer.is_page_locked());
        locked.map(|stage| stage.buffer.len() as u64).sum()
    }

    /// Gives their memory back. No transfer may be reading them.
    pub(super) fn clear(&self) {
        self.both.borrow_mut().clear();
    }

    /// Has `transfer` use the buffer whose turn it is, once nothing reads it any more. The result is the event after which
    /// that is so again; `page_lock_for` is a device that fetches from the buffer by itself.
    pub(super) fn turn(
        &self,
        page_lock_for: Option<Device>,
        transfer: impl FnOnce(&mut HostBuffer) -> Option<Event>,
    ) -> Result<(), Error> {
        let mut stages = self.both.borrow_mut();
        if stages.is_empty() {
            let stage = || Stage::new(self.bytes.get(), page_lock_for);
            *stages = (0..STAGES).map(|_| stage()).collect::<Result<_, _>>()?;
        }
        let number = self.next.get();
        self.next.set((number + 1) % STAGES);
        let stage = &mut stages[number];
        if let Some(busy) = stage.busy.take() {
            busy.synchronize();
        }
        stage.busy = transfer(&mut stage.buffer);
        Ok(())
    }
}

impl Stage {
    fn new(bytes: usize, page_lock_for: Option<Device>) -> Result<Self, Error> {
        let buffer = HostBuffer::new(bytes)
            .map_err(|error| Shortage::of_host(bytes, "transfers", &error))?;
        if let Some(device) = page_lock_for
            && let Err(reason) = buffer.page_lock(device)
        {
            tracing::warn!(reason, "transfers use memory that is not page-locked");
        }
        Ok(Self { buffer, busy: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_is_both_stages_and_what_is_converted_into_them() {
        for chunk_bytes in [1 << 20, (64 << 20) + 5, 1024 << 20] {
            let both = STAGES * stage_bytes(chunk_bytes);
            let taken = both + Repacked::WRITING_BYTES;
            assert!((chunk_bytes - STAGES * ALIGNMENT_BYTES..=chunk_bytes).contains(&taken));
        }
        for chunk_bytes in [1, 33, 4096] {
            let bytes = stage_bytes(chunk_bytes);
            assert!(
                bytes > 0 && bytes.is_multiple_of(ALIGNMENT_BYTES),
                "{chunk_bytes}"
            );
        }
    }
}
