//! The device's memory for weights: every buffer comes from here, and room is made here.

use std::{cell::Cell, rc::Rc};

use tch::{Device, Kind, Tensor};

use crate::{
    device,
    error::{Error, MemoryKind, Shortage},
};

/// Memory of one device, of which weights are allocated.
#[derive(Debug)]
pub struct Vram {
    device: Device,
    /// Most bytes that may be allocated here; `None`: what the device has.
    capacity_bytes: Option<u64>,
    live_bytes: Cell<u64>,
    peak_bytes: Cell<u64>,
    cache_clearings: Cell<u64>,
    #[cfg(test)]
    faults: faults::Faults,
}

/// A run of device memory; returned to torch's allocator when dropped.
#[derive(Debug)]
pub(crate) struct Buffer {
    /// (bytes), u8.
    tensor: Tensor,
    vram: Rc<Vram>,
}

impl Buffer {
    pub(crate) fn tensor(&self) -> &Tensor {
        &self.tensor
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.tensor.size()[0] as u64
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let live_bytes = &self.vram.live_bytes;
        live_bytes.set(live_bytes.get() - self.bytes());
    }
}

impl Vram {
    /// The memory of `device`, of which at most `capacity_bytes` may go to weights.
    pub fn new(device: Device, capacity_bytes: Option<u64>) -> Rc<Self> {
        Rc::new(Self {
            device,
            capacity_bytes,
            live_bytes: Cell::new(0),
            peak_bytes: Cell::new(0),
            cache_clearings: Cell::new(0),
            #[cfg(test)]
            faults: faults::Faults::default(),
        })
    }

    /// The device.
    pub fn device(&self) -> Device {
        self.device
    }

    /// Bytes of all buffers that are alive.
    pub fn live_bytes(&self) -> u64 {
        self.live_bytes.get()
    }

    /// Most bytes that were alive at once.
    pub fn peak_bytes(&self) -> u64 {
        self.peak_bytes.get()
    }

    /// Bytes that can still be allocated: what the driver has free and what torch keeps for reuse, within the
    /// capacity. `None`: nobody knows (the CPU without a capacity).
    pub fn free_bytes(&self) -> Option<u64> {
        let within = self
            .capacity_bytes
            .map(|capacity| capacity.saturating_sub(self.live_bytes.get()));
        match (device::free_bytes(self.device), within) {
            (Some(free), Some(within)) => Some(free.min(within)),
            (free, within) => free.or(within),
        }
    }

    /// Returns what torch keeps for reuse to the driver.
    pub(crate) fn empty_cache(&self) {
        device::empty_cache();
        self.cache_clearings.set(self.cache_clearings.get() + 1);
    }

    /// Counts that from now on.
    pub(super) fn start_counting(&self) {
        self.cache_clearings.set(0);
    }

    /// How often the cache was emptied here.
    pub fn cache_clearings(&self) -> u64 {
        self.cache_clearings.get()
    }

    /// A buffer of uninitialised memory. When there is no room, torch's cache is emptied and it is tried again.
    pub(crate) fn allocate(self: &Rc<Self>, bytes: u64) -> Result<Buffer, Error> {
        self.try_allocate(bytes).or_else(|error| {
            if !matches!(error, Error::OutOfMemory { .. }) {
                return Err(error);
            }
            self.empty_cache();
            self.try_allocate(bytes)
        })
    }

    fn try_allocate(self: &Rc<Self>, bytes: u64) -> Result<Buffer, Error> {
        #[cfg(test)]
        self.faults.strike()?;
        let live_bytes = self.live_bytes.get();
        if let Some(capacity) = self.capacity_bytes
            && live_bytes + bytes > capacity
        {
            let shortage = Shortage {
                asked_bytes: Some(bytes),
                total_bytes: Some(capacity),
                weights_bytes: Some(live_bytes),
                ..Shortage::of(MemoryKind::Device)
            };
            return Err(shortage.into());
        }
        let options = (Kind::Uint8, self.device);
        let tensor = device::catch(|| Ok(Tensor::empty([bytes as i64], options)))?;
        self.live_bytes.set(live_bytes + bytes);
        let peak_bytes = self.peak_bytes.get().max(live_bytes + bytes);
        self.peak_bytes.set(peak_bytes);
        Ok(Buffer {
            tensor,
            vram: self.clone(),
        })
    }

    /// Makes `target_bytes` of memory free: carries out `evictions` in their order until it is, and returns what
    /// is free then. What torch caches is returned to the driver.
    ///
    /// Where nobody knows what is free, all evictions are carried out.
    ///
    /// Used by jobs on a device that does not hold all models at once: before an encoder or the VAE is loaded, with
    /// whole models as evictions, and before each section is decoded, with the transformer's blocks.
    pub fn force_free_vram<'a>(
        &self,
        target_bytes: u64,
        evictions: impl IntoIterator<Item = Box<dyn FnOnce() + 'a>>,
    ) -> Result<u64, Error> {
        let mut evictions = evictions.into_iter();
        loop {
            let free_bytes = self.free_bytes();
            if let Some(free_bytes) = free_bytes.filter(|free| *free >= target_bytes) {
                self.empty_cache();
                return Ok(free_bytes);
            }
            let Some(evict) = evictions.next() else {
                self.empty_cache();
                return free_bytes.map_or(Ok(u64::MAX), |free_bytes| {
                    Err(Error::VramShort {
                        target_bytes,
                        free_bytes,
                        held_bytes: self.live_bytes.get(),
                    })
                });
            };
            evict();
        }
    }

    #[cfg(test)]
    pub(crate) fn faults(&self) -> &faults::Faults {
        &self.faults
    }
}

/// Allocations that fail on purpose.
#[cfg(test)]
pub(crate) mod faults {
    use std::cell::Cell;

    use crate::error::{Error, MemoryKind, Shortage};

    /// Which allocations fail, counted from the last time that this was decided.
    #[derive(Debug, Default)]
    pub(crate) struct Faults {
        counted: Cell<u64>,
        failing: Cell<Option<(u64, u64)>>,
    }

    impl Faults {
        /// Lets `count` allocations fail, the first of them the one with the number `first` (from 0).
        pub(crate) fn fail(&self, first: u64, count: u64) {
            self.counted.set(0);
            self.failing.set(Some((first, count)));
        }

        /// Lets none fail; returns how many allocations were asked for since the last decision.
        pub(crate) fn stop(&self) -> u64 {
            self.failing.set(None);
            self.counted.replace(0)
        }

        pub(super) fn strike(&self) -> Result<(), Error> {
            let number = self.counted.replace(self.counted.get() + 1);
            match self.failing.get() {
                Some((first, count)) if number >= first && number - first < count => {
                    let shortage = Shortage {
                        detail: Some(format!("allocation {number} was made to fail")),
                        ..Shortage::of(MemoryKind::Device)
                    };
                    Err(shortage.into())
                }
                _ => Ok(()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    const MIB: u64 = 1 << 20;

    /// A device of 8 MiB, full of buffers of 2 MiB each.
    fn full() -> (Rc<Vram>, RefCell<Vec<Buffer>>) {
        let vram = Vram::new(Device::Cpu, Some(8 * MIB));
        let buffers = (0..4).map(|_| vram.allocate(2 * MIB).unwrap()).collect();
        (vram, RefCell::new(buffers))
    }

    fn drop_one<'a>(buffers: &'a RefCell<Vec<Buffer>>) -> Box<dyn FnOnce() + 'a> {
        Box::new(|| drop(buffers.borrow_mut().pop()))
    }

    #[test]
    fn what_does_not_fit_is_out_of_memory_and_leaves_nothing() {
        let (vram, buffers) = full();
        let error = vram.allocate(1).unwrap_err();
        assert!(matches!(error, Error::OutOfMemory { .. }), "{error}");
        assert_eq!(vram.live_bytes(), 8 * MIB);
        drop(buffers);
        assert_eq!((vram.live_bytes(), vram.free_bytes()), (0, Some(8 * MIB)));
    }

    #[test]
    fn force_free_vram_stops_as_soon_as_the_target_is_reached() {
        let (vram, buffers) = full();
        let evictions = (0..4).map(|_| drop_one(&buffers));
        assert_eq!(vram.force_free_vram(3 * MIB, evictions).unwrap(), 4 * MIB);
        assert_eq!(buffers.borrow().len(), 2);
    }

    #[test]
    fn force_free_vram_that_cannot_reach_its_target_says_by_how_much() {
        let (vram, buffers) = full();
        let error = vram
            .force_free_vram(5 * MIB, [drop_one(&buffers)])
            .unwrap_err();
        let Error::VramShort {
            target_bytes,
            free_bytes,
            held_bytes,
        } = error
        else {
            panic!("{error}")
        };
        assert_eq!(
            [target_bytes, free_bytes, held_bytes],
            [5 * MIB, 2 * MIB, 6 * MIB]
        );
    }
}
