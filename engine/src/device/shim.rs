//! Calls into `csrc/torch_shim.cpp`: what libtorch offers and tch does not expose. No exception crosses it;
//! a call that failed says so by its return value.
#![expect(unsafe_code, reason = "foreign functions")]

use std::ffi::{CStr, c_char, c_int};

unsafe extern "C" {
    fn fp_load_cuda(reason: *mut c_char, capacity: usize) -> c_int;
    fn fp_memory_info(device: c_int, free_bytes: *mut u64, total_bytes: *mut u64) -> c_int;
    fn fp_peak_bytes(device: c_int, peak_bytes: *mut u64) -> c_int;
    fn fp_reset_peak(device: c_int) -> c_int;
    fn fp_empty_cache() -> c_int;
}

/// What became of libtorch's CUDA half.
#[derive(Debug)]
pub(super) enum CudaLibrary {
    /// It is in the process.
    Loaded,
    /// It is not installed.
    Absent,
    /// It is installed and does not load.
    Broken {
        /// The loader's reason.
        reason: String,
    },
}

/// Opens libtorch's CUDA half, from the folder that its CPU half came from.
pub(super) fn load_cuda() -> CudaLibrary {
    let mut reason: [c_char; 1024] = [0; 1024];
    // SAFETY: the function writes at most `capacity` bytes, the last of them zero, and keeps no pointer.
    let status = unsafe { fp_load_cuda(reason.as_mut_ptr(), reason.len()) };
    match status {
        0 => CudaLibrary::Loaded,
        1 => CudaLibrary::Absent,
        _ => {
            // SAFETY: the buffer holds a terminated string: zeros before the call, terminated by it.
            let reason = unsafe { CStr::from_ptr(reason.as_ptr()) };
            CudaLibrary::Broken {
                reason: reason.to_string_lossy().into_owned(),
            }
        }
    }
}

/// Free and total bytes of a CUDA device, as the driver counts them.
pub(super) fn memory_info(device: c_int) -> Option<(u64, u64)> {
    let (mut free_bytes, mut total_bytes) = (0, 0);
    // SAFETY: both pointers are valid for the call and are written only by it.
    let status = unsafe { fp_memory_info(device, &raw mut free_bytes, &raw mut total_bytes) };
    (status == 0).then_some((free_bytes, total_bytes))
}

/// Most bytes that torch's allocator has had in use on a CUDA device.
pub(super) fn peak_bytes(device: c_int) -> Option<u64> {
    let mut peak_bytes = 0;
    // SAFETY: the pointer is valid for the call and is written only by it.
    let status = unsafe { fp_peak_bytes(device, &raw mut peak_bytes) };
    (status == 0).then_some(peak_bytes)
}

/// Starts counting the peak anew.
pub(super) fn reset_peak(device: c_int) -> bool {
    // SAFETY: a plain call by value.
    unsafe { fp_reset_peak(device) == 0 }
}

/// Returns torch's cached, unused memory to the driver.
pub(super) fn empty_cache() -> bool {
    // SAFETY: the function takes nothing and touches no tensor in use.
    unsafe { fp_empty_cache() == 0 }
}
