//! CUDA graphs: a sequence of operations recorded once and started with one call, so that the device does not
//! wait for the host between small kernels.
//!
//! Failures of the device are raised as tch's operations raise theirs, for [`catch`](super::catch()).
#![expect(unsafe_code, reason = "foreign functions")]

use std::{
    ffi::{c_int, c_void},
    ptr::{self, NonNull},
};

use super::{
    shim::{checked, raised},
    stream::Stream,
};

unsafe extern "C" {
    fn fp_begin_capture(device: c_int, stream: i64, graph: *mut *mut c_void) -> c_int;
    fn fp_end_capture(graph: *mut c_void) -> c_int;
    fn fp_replay_graph(graph: *const c_void) -> c_int;
    fn fp_free_graph(graph: *mut c_void);
}

/// Recorded operations. A replay reads and writes the same tensors as the recording: inputs are changed in place,
/// results are overwritten.
#[derive(Debug)]
pub(crate) struct Graph {
    handle: NonNull<c_void>,
}

impl Graph {
    /// Records what `work` gives to the device, on `stream`; nothing runs yet, so what `work` returns holds numbers
    /// after the first [`replay`](Self::replay) only.
    ///
    /// `work` has to have run before on this stream, so that libraries have set themselves up. It draws no random
    /// numbers, uses no other stream and never waits for the device (no copy to the host). The tensors that it reads
    /// have to outlive the graph; what it allocates lies in memory of the graph's own.
    pub(crate) fn capture<T>(stream: &Stream, work: impl FnOnce() -> T) -> (Self, T) {
        let (device, id) = stream.number();
        let mut handle = ptr::null_mut();
        // SAFETY: the pointer is valid for the call and is written only by it.
        raised(checked(unsafe {
            fp_begin_capture(device, id, &raw mut handle)
        }));
        let handle = NonNull::new(handle).expect("a call that succeeds makes a graph");
        // Dropped if `work` panics, which discards the recording.
        let graph = Self { handle };
        let result = stream.scope(work);
        // SAFETY: the graph lives until it is dropped.
        raised(checked(unsafe { fp_end_capture(graph.handle.as_ptr()) }));
        (graph, result)
    }

    /// Runs the operations on the current stream.
    pub(crate) fn replay(&self) {
        // SAFETY: the graph lives until it is dropped.
        raised(checked(unsafe { fp_replay_graph(self.handle.as_ptr()) }));
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        // SAFETY: made by `fp_begin_capture`, and nobody has the handle after this.
        unsafe { fp_free_graph(self.handle.as_ptr()) };
    }
}
