//! Host memory for weights, and torch's view of it.
#![expect(unsafe_code, reason = "views of memory that torch does not own")]

use std::{
    fmt, io,
    marker::PhantomData,
    ops::Deref,
    sync::atomic::{AtomicBool, Ordering},
};

use memmap2::{Advice, MmapMut};
use tch::{Device, Kind, TchError, Tensor};

use super::{counts::cuda_index, identity::label, shim};

/// Host memory for weights: page-aligned, anonymous, outside torch's allocator, in huge pages where the system
/// has them.
///
/// Torch's own page-locked memory comes in powers of two and is locked while the caller waits; this is as long as
/// asked for, and is locked when there is time.
#[derive(Debug)]
pub(crate) struct HostBuffer {
    map: MmapMut,
    page_locked: AtomicBool,
}

impl HostBuffer {
    /// Zeros, of which no page is resident before it is touched. Fails if the system refuses so much.
    pub(crate) fn new(bytes: usize) -> io::Result<Self> {
        let map = MmapMut::map_anon(bytes)?;
        // Faster to fill and to lock. A kernel without huge pages refuses, and small ones do as well.
        let _ = map.advise(Advice::HugePage);
        Ok(Self {
            map,
            page_locked: AtomicBool::new(false),
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.map.len()
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.map
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.map
    }

    /// Page-locks the memory, so that copies to and from any CUDA device run at full speed and beside the host.
    /// Makes all of it resident. `device` is the one whose context is used, and made if there is none yet.
    ///
    /// Any thread may call it, also while others read the buffer or copies from it are under way. It takes about
    /// as long as touching the memory. Undone when the buffer is dropped.
    ///
    /// Once locked, an asynchronous copy reads (or writes) the memory while the host goes on, and nothing keeps
    /// the buffer alive for it: wait for an [`Event`](super::Event) after the copy before dropping or rewriting it.
    ///
    /// Fails with CUDA's reason, and always on the CPU; the buffer is usable all the same.
    pub(crate) fn page_lock(&self, device: Device) -> Result<(), String> {
        let index = cuda_index(device)
            .ok_or_else(|| format!("{} needs no page-locked memory", label(device)))?;
        if self.is_page_locked() {
            return Ok(());
        }
        // SAFETY: the map outlives the lock, which `drop` undoes.
        unsafe { shim::page_lock(index, &self.map) }.map_err(own_words)?;
        self.page_locked.store(true, Ordering::Release);
        Ok(())
    }

    /// Undoes [`page_lock`](Self::page_lock). No copy from or to the memory may be under way.
    pub(crate) fn page_unlock(&self) {
        if self.page_locked.swap(false, Ordering::AcqRel)
            && let Err(error) = shim::page_unlock(&self.map)
        {
            tracing::warn!("could not unlock page-locked memory: {}", own_words(error));
        }
    }

    pub(crate) fn is_page_locked(&self) -> bool {
        self.page_locked.load(Ordering::Acquire)
    }

    /// `bytes` bytes from `offset_bytes` on, `Uint8`, without a copy.
    pub(crate) fn tensor(&self, offset_bytes: usize, bytes: usize) -> HostTensor<'_> {
        HostTensor::over(&self.map[offset_bytes..][..bytes])
    }

    /// The first `bytes` bytes, `Uint8`, to copy into.
    pub(crate) fn tensor_mut(&mut self, bytes: usize) -> HostTensor<'_> {
        HostTensor::over_mut(&mut self.map[..bytes])
    }
}

impl Drop for HostBuffer {
    fn drop(&mut self) {
        self.page_unlock();
    }
}

/// CUDA's reason, without torch's frame around it.
fn own_words(error: TchError) -> String {
    match error {
        TchError::Torch(message) => message.lines().next().unwrap_or_default().to_owned(),
        other => other.to_string(),
    }
}

/// A tensor (`Uint8`, one dimension, on the CPU) over borrowed bytes, without a copy.
///
/// For reading only unless it was made to copy into, and no tensor that shares its memory (a view, a shallow clone) may outlive it.
pub(crate) struct HostTensor<'a> {
    tensor: Tensor,
    bytes: PhantomData<&'a [u8]>,
}

impl<'a> HostTensor<'a> {
    /// A view of `bytes`, for example of a mapped file.
    pub(crate) fn over(bytes: &'a [u8]) -> Self {
        let size = [bytes.len() as i64];
        // SAFETY: a contiguous view of memory that the lifetime keeps borrowed; nobody writes through it.
        let tensor =
            unsafe { Tensor::from_blob(bytes.as_ptr(), &size, &[1], Kind::Uint8, Device::Cpu) };
        Self {
            tensor,
            bytes: PhantomData,
        }
    }

    /// A view of `bytes` that may be written to.
    fn over_mut(bytes: &'a mut [u8]) -> Self {
        let size = [bytes.len() as i64];
        // SAFETY: as above, and the borrow is exclusive.
        let tensor =
            unsafe { Tensor::from_blob(bytes.as_mut_ptr(), &size, &[1], Kind::Uint8, Device::Cpu) };
        Self {
            tensor,
            bytes: PhantomData,
        }
    }
}

impl Deref for HostTensor<'_> {
    type Target = Tensor;

    fn deref(&self) -> &Tensor {
        &self.tensor
    }
}

impl fmt::Debug for HostTensor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostTensor")
            .field("bytes", &self.tensor.numel())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_of_a_buffer_shows_its_bytes() {
        let mut buffer = HostBuffer::new(3 << 20).unwrap();
        assert_eq!(buffer.len(), 3 << 20);
        assert!(buffer.as_slice().iter().all(|&byte| byte == 0));
        buffer.as_mut_slice()[1 << 20..][..4].copy_from_slice(&[1, 2, 3, 255]);

        let view = buffer.tensor((1 << 20) + 1, 3);
        assert_eq!(view.kind(), Kind::Uint8);
        assert_eq!(*view, Tensor::from_slice(&[2_u8, 3, 255]));
        let address = buffer.as_slice()[(1 << 20) + 1..].as_ptr();
        assert_eq!(view.data_ptr().cast_const().cast(), address, "a copy");
    }

    #[test]
    fn a_view_reads_other_kinds_by_their_bytes() {
        let bytes: Vec<u8> = [1.5_f32, -2.0]
            .iter()
            .flat_map(|x| x.to_le_bytes())
            .collect();
        let view = HostTensor::over(&bytes);
        let floats = view.view_dtype(Kind::Float);
        assert_eq!(floats, Tensor::from_slice(&[1.5_f32, -2.0]));
        assert_eq!(HostTensor::over(&[]).size(), [0]);
    }

    #[test]
    #[should_panic(expected = "out of range")]
    fn a_view_past_the_end_is_refused() {
        let buffer = HostBuffer::new(16).unwrap();
        let _ = buffer.tensor(8, 9);
    }

    #[test]
    fn more_than_the_address_space_is_refused() {
        assert!(HostBuffer::new(1 << 50).is_err());
    }

    #[test]
    fn without_its_device_memory_is_not_page_locked() {
        let buffer = HostBuffer::new(4096).unwrap();
        assert!(
            buffer
                .page_lock(Device::Cpu)
                .unwrap_err()
                .starts_with("cpu")
        );
        let reason = buffer.page_lock(Device::Cuda(99)).unwrap_err();
        assert!(!reason.is_empty() && !reason.contains('\n'), "{reason}");
        assert!(!buffer.is_page_locked());
    }

    #[test]
    fn a_buffer_is_locked_on_another_thread_while_it_is_read() {
        let buffer = HostBuffer::new(4096).unwrap();
        let view = buffer.tensor(0, 4096);
        let locked = std::thread::scope(|scope| {
            let locking = scope.spawn(|| buffer.page_lock(Device::Cuda(0)));
            assert_eq!(view.sum(Kind::Int64).int64_value(&[]), 0);
            locking.join().unwrap().is_ok()
        });
        assert_eq!(buffer.is_page_locked(), locked);
    }
}
