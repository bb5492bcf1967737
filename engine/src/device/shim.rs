//! Calls into `csrc/torch_shim.cpp`: what libtorch offers and tch does not expose. No exception crosses it;
//! a call that failed says so by its return value, and why on request.
#![expect(unsafe_code, reason = "foreign functions")]

use std::ffi::{CStr, c_char, c_int, c_void};

use tch::TchError;

/// What torch's allocator counts on one device, of this process alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)] // as `fp_allocator_stats` in csrc/torch_shim.h
pub struct AllocatorStats {
    /// Bytes that tensors occupy.
    pub allocated_bytes: u64,
    /// Bytes that torch has from the driver: what tensors occupy and what it keeps for reuse.
    pub reserved_bytes: u64,
    /// Most of `allocated_bytes` since `reset_peak`.
    pub peak_allocated_bytes: u64,
    /// Most of `reserved_bytes` since `reset_peak`.
    pub peak_reserved_bytes: u64,
}

unsafe extern "C" {
    safe fn fp_last_error() -> *const c_char;
    safe fn fp_torch_version() -> *const c_char;
    fn fp_set_allocator_options(options: *const c_char) -> c_int;
    safe fn fp_load_cuda() -> c_int;
    fn fp_memory_info(device: c_int, free_bytes: *mut u64, total_bytes: *mut u64) -> c_int;
    fn fp_get_allocator_stats(device: c_int, stats: *mut AllocatorStats) -> c_int;
    safe fn fp_reset_peak(device: c_int) -> c_int;
    safe fn fp_empty_cache() -> c_int;
    fn fp_page_lock(device: c_int, data: *mut c_void, bytes: usize) -> c_int;
    fn fp_page_unlock(data: *mut c_void) -> c_int;
}

/// Turns the status of a call into a result, with torch's reason.
pub(crate) fn checked(status: c_int) -> Result<(), TchError> {
    if status == 0 {
        return Ok(());
    }
    // SAFETY: a terminated string that stays as it is until this thread's next failing call.
    let reason = unsafe { CStr::from_ptr(fp_last_error()) };
    Err(TchError::Torch(reason.to_string_lossy().into_owned()))
}

/// The value of a call that has no way to fail but the device's. A failure is raised as tch's own operations
/// raise theirs, for [`catch`](super::catch()).
pub(crate) fn raised<T>(result: Result<T, TchError>) -> T {
    result.unwrap_or_else(|error| panic!("{error:?}"))
}

/// Version of libtorch, as in `2.11.0`.
pub(crate) fn torch_version() -> &'static str {
    // SAFETY: a terminated string constant.
    let version = unsafe { CStr::from_ptr(fp_torch_version()) };
    version.to_str().unwrap_or_default()
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
    let status = fp_load_cuda();
    if status == 1 {
        return CudaLibrary::Absent;
    }
    match checked(status) {
        Err(TchError::Torch(reason)) => CudaLibrary::Broken { reason },
        _ => CudaLibrary::Loaded,
    }
}

/// Sets options of torch's allocator, in the syntax of `PYTORCH_ALLOC_CONF`.
pub(super) fn set_allocator_options(options: &CStr) -> Result<(), TchError> {
    // SAFETY: a terminated string, of which no pointer is kept.
    checked(unsafe { fp_set_allocator_options(options.as_ptr()) })
}

/// Free and total bytes of a CUDA device, as the driver counts them.
pub(super) fn memory_info(device: c_int) -> Option<(u64, u64)> {
    let (mut free_bytes, mut total_bytes) = (0, 0);
    // SAFETY: both pointers are valid for the call and are written only by it.
    let status = unsafe { fp_memory_info(device, &raw mut free_bytes, &raw mut total_bytes) };
    (status == 0).then_some((free_bytes, total_bytes))
}

/// What torch's allocator counts on a CUDA device.
pub(super) fn allocator_stats(device: c_int) -> Option<AllocatorStats> {
    let mut stats = AllocatorStats::default();
    // SAFETY: the struct has C's layout, and the pointer is valid for the call and written only by it.
    let status = unsafe { fp_get_allocator_stats(device, &raw mut stats) };
    (status == 0).then_some(stats)
}

/// Starts counting the peaks anew.
pub(super) fn reset_peak(device: c_int) -> bool {
    fp_reset_peak(device) == 0
}

/// Returns torch's cached, unused memory to the driver.
pub(super) fn empty_cache() -> bool {
    fp_empty_cache() == 0
}

/// Page-locks memory for all CUDA contexts.
///
/// # Safety
/// The memory stays mapped until [`page_unlock`].
pub(super) unsafe fn page_lock(device: c_int, bytes: &[u8]) -> Result<(), TchError> {
    let data = bytes.as_ptr().cast_mut().cast();
    // SAFETY: CUDA changes the pages' state and none of their bytes; the caller keeps them mapped.
    checked(unsafe { fp_page_lock(device, data, bytes.len()) })
}

/// Undoes [`page_lock`].
pub(super) fn page_unlock(bytes: &[u8]) -> Result<(), TchError> {
    // SAFETY: CUDA looks the address up among those it has locked and touches no bytes.
    checked(unsafe { fp_page_unlock(bytes.as_ptr().cast_mut().cast()) })
}
