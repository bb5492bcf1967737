//! CUDA streams and events: copies that run beside the arithmetic, and the order between the two.
//!
//! Failures of the device are raised as tch's operations raise theirs, for [`catch`](super::catch()).
#![expect(unsafe_code, reason = "foreign functions")]

use std::{
    ffi::{c_int, c_void},
    ptr::{self, NonNull},
};

use tch::{Device, TchError, Tensor};

use super::{
    counts::cuda_index,
    shim::{checked, raised},
};

unsafe extern "C" {
    fn fp_new_stream(device: c_int, stream: *mut i64) -> c_int;
    fn fp_current_stream(device: c_int, stream: *mut i64) -> c_int;
    fn fp_exchange_stream(device: c_int, stream: i64, previous: *mut i64) -> c_int;
    safe fn fp_synchronize_stream(device: c_int, stream: i64) -> c_int;
    fn fp_copy(device: c_int, stream: i64, from: *const c_void, to: *const c_void) -> c_int;
    fn fp_record_event(device: c_int, stream: i64, timed: c_int, event: *mut *mut c_void) -> c_int;
    fn fp_free_event(event: *mut c_void);
    fn fp_wait_event(device: c_int, stream: i64, event: *const c_void) -> c_int;
    fn fp_query_event(event: *const c_void, done: *mut c_int) -> c_int;
    fn fp_synchronize_event(event: *const c_void) -> c_int;
    fn fp_elapsed_millis(from: *const c_void, to: *const c_void, millis: *mut f64) -> c_int;
}

/// A CUDA stream beside torch's current one; work given to it runs in order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stream {
    device: c_int,
    /// Torch's number of it. Torch's streams live as long as the process.
    id: i64,
}

impl Stream {
    /// A stream of torch's pool, never the default one; `None` on the CPU.
    ///
    /// The pool has 32 streams for each device and hands them out in turn.
    pub(crate) fn new(device: Device) -> Option<Self> {
        let device = cuda_index(device)?;
        let mut id = 0;
        // SAFETY: the pointer is valid for the call and is written only by it.
        raised(checked(unsafe { fp_new_stream(device, &raw mut id) }));
        Some(Self { device, id })
    }

    /// The stream that tch's operations of this thread go to; `None` on the CPU.
    pub(crate) fn current(device: Device) -> Option<Self> {
        let device = cuda_index(device)?;
        let mut id = 0;
        // SAFETY: the pointer is valid for the call and is written only by it.
        raised(checked(unsafe { fp_current_stream(device, &raw mut id) }));
        Some(Self { device, id })
    }

    /// Runs `work`, with tch's operations of this thread going to this stream.
    ///
    /// The two streams are not ordered by it: what `work` reads has to be there ([`wait`](Self::wait)), and who
    /// reads its results has to wait for them.
    pub(crate) fn scope<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = raised(self.enter());
        let _back = RestoreStream(before);
        work()
    }

    /// Makes this stream the current one; the result is the one before.
    fn enter(&self) -> Result<Self, TchError> {
        let mut id = 0;
        // SAFETY: the pointer is valid for the call and is written only by it.
        checked(unsafe { fp_exchange_stream(self.device, self.id, &raw mut id) })?;
        Ok(Self {
            device: self.device,
            id,
        })
    }

    /// The device's index, and torch's number of the stream.
    pub(super) fn number(&self) -> (c_int, i64) {
        (self.device, self.id)
    }

    /// Copies `from` into `to`, of equal shape, on this stream. The host goes on at once if its side is
    /// page-locked, else when CUDA has read the bytes.
    ///
    /// Nothing keeps page-locked memory of a [`HostBuffer`](super::HostBuffer) alive: before it is written or
    /// dropped, an event recorded after the copy has to be done. The same goes for device memory that torch may
    /// hand out again: torch counts a tensor as used by the stream it was made on, not by this one.
    pub(crate) fn copy(&self, from: &Tensor, to: &Tensor) {
        let (from, to) = (from.as_ptr().cast(), to.as_ptr().cast());
        // SAFETY: both point to tensors that live through the call. Torch checks their shapes.
        raised(checked(unsafe { fp_copy(self.device, self.id, from, to) }));
    }

    /// What is given to this stream from now on starts after `event`.
    pub(crate) fn wait(&self, event: &Event) {
        let event = event.handle.as_ptr();
        // SAFETY: the event lives until it is dropped.
        raised(checked(unsafe {
            fp_wait_event(self.device, self.id, event)
        }));
    }

    /// Blocks the host until all that was given to this stream is done.
    pub(crate) fn synchronize(&self) {
        raised(checked(fp_synchronize_stream(self.device, self.id)));
    }

    /// The same for a drop, which must not panic: a failure, after which nothing runs on the stream, is logged.
    pub(crate) fn finish(&self) {
        if let Err(error) = checked(fp_synchronize_stream(self.device, self.id)) {
            tracing::debug!(%error, "could not wait for a stream");
        }
    }
}

/// Makes a stream the current one again when dropped.
struct RestoreStream(Stream);

impl Drop for RestoreStream {
    fn drop(&mut self) {
        // It was current before, so it can be again; and a drop must not panic.
        let _ = self.0.enter();
    }
}

/// A point in a stream's work.
#[derive(Debug)]
pub(crate) struct Event {
    handle: NonNull<c_void>,
}

impl Event {
    /// The point after all that `stream` was given so far.
    pub(crate) fn record(stream: &Stream) -> Self {
        Self::recorded(stream, Timing::Off)
    }

    /// The same, with the device's time, for [`elapsed_secs`](Self::elapsed_secs).
    pub(crate) fn record_timed(stream: &Stream) -> Self {
        Self::recorded(stream, Timing::On)
    }

    fn recorded(stream: &Stream, timing: Timing) -> Self {
        let mut handle = ptr::null_mut();
        // SAFETY: the pointer is valid for the call and is written only by it.
        raised(checked(unsafe {
            fp_record_event(stream.device, stream.id, timing as c_int, &raw mut handle)
        }));
        let handle = NonNull::new(handle).expect("a call that succeeds makes an event");
        Self { handle }
    }

    /// Whether the device has passed it.
    pub(crate) fn is_done(&self) -> bool {
        let mut done = 0;
        // SAFETY: the event lives until it is dropped; the pointer is valid for the call.
        raised(checked(unsafe {
            fp_query_event(self.handle.as_ptr(), &raw mut done)
        }));
        done != 0
    }

    /// Blocks the host until the device has passed it.
    pub(crate) fn synchronize(&self) {
        // SAFETY: the event lives until it is dropped.
        raised(checked(unsafe {
            fp_synchronize_event(self.handle.as_ptr())
        }));
    }

    /// The device's time from this event to a later one; both timed and done.
    pub(crate) fn elapsed_secs(&self, later: &Self) -> f64 {
        let mut millis = 0.0;
        // SAFETY: both events live until they are dropped; the pointer is valid for the call.
        raised(checked(unsafe {
            fp_elapsed_millis(self.handle.as_ptr(), later.handle.as_ptr(), &raw mut millis)
        }));
        millis / 1e3
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: made by `fp_record_event`, and nobody has the handle after this.
        unsafe { fp_free_event(self.handle.as_ptr()) };
    }
}

/// Whether an event takes the device's time.
#[derive(Debug, Clone, Copy)]
enum Timing {
    Off = 0,
    On = 1,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{device::catch, error::Error};

    #[test]
    fn the_cpu_has_no_streams() {
        assert!(Stream::new(Device::Cpu).is_none());
        assert!(Stream::current(Device::Cpu).is_none());
    }

    #[test]
    fn a_device_that_is_not_there_is_torchs_error_with_its_reason() {
        let error = catch(|| Ok(Stream::new(Device::Cuda(99)))).unwrap_err();
        let (Error::Torch { message } | Error::Device { message }) = &error else {
            panic!("{error:?}")
        };
        assert!(
            message.contains("99") || message.to_lowercase().contains("cuda"),
            "{message}"
        );
        assert!(!message.contains("Torch("), "{message}");
    }
}
