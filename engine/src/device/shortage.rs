//! Torch's account of memory that ran out, as numbers.
//!
//! Its wording has changed over the years, and it ends with advice about environment variables that whoever runs a farm
//! does not set. What is not found in it is left out.

use crate::error::{MemoryKind, Shortage};

/// What ran out, as torch and the libraries under it put it.
const OUT_OF_MEMORY: [&str; 7] = [
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "Cannot allocate memory",
    "std::bad_alloc",
    "STATUS_ALLOC_FAILED",
    "ALLOCATION_FAILED",
];
/// What tells that it was the machine's memory.
const HOST: [&str; 4] = [
    "DefaultCPUAllocator",
    "alloc_cpu",
    "std::bad_alloc",
    "HOST_ALLOCATION_FAILED",
];
/// Libraries that ask for memory themselves.
const LIBRARIES: [(&str, &str); 3] = [
    ("CUBLAS_STATUS", "the cuBLAS library asked for it"),
    ("CUDNN_STATUS", "the cuDNN library asked for it"),
    ("CUSOLVER_STATUS", "the cuSOLVER library asked for it"),
];

/// What torch's message says of a shortage of memory; `None` if it is about something else.
pub(super) fn shortage(message: &str) -> Option<Shortage> {
    let has = |mark: &&str| message.contains(*mark);
    if !OUT_OF_MEMORY.iter().any(has) {
        return None;
    }
    if HOST.iter().any(has) {
        return Some(Shortage {
            asked_bytes: after(message, "tried to allocate "),
            ..Shortage::of(MemoryKind::Host)
        });
    }
    let reserved_bytes = before(message, " reserved in total by PyTorch");
    let tensors_bytes = before(message, " is allocated by PyTorch")
        .or_else(|| before(message, " already allocated"));
    let unused_bytes = before(message, " is reserved by PyTorch but unallocated")
        .or_else(|| Some(reserved_bytes?.saturating_sub(tensors_bytes?)));
    let library = LIBRARIES.iter().find(|(mark, _)| has(mark));
    Some(Shortage {
        asked_bytes: after(message, "Tried to allocate "),
        free_bytes: before(message, " is free").or_else(|| before(message, " free;")),
        total_bytes: total_bytes(message),
        held_bytes: after(message, "this process has ").or(reserved_bytes),
        tensors_bytes,
        unused_bytes,
        detail: library.map(|(_, asked)| (*asked).to_owned()),
        ..Shortage::of(MemoryKind::Device)
    })
}

/// `7.79 GiB total capacity`, `a total capacity of 79.10 GiB`, and `a total capacty of 14.75 GiB` of torch 2.1.
fn total_bytes(message: &str) -> Option<u64> {
    const MARK: &str = "total capac";
    before(message, MARK).or_else(|| {
        let (_, rest) = message.split_once(MARK)?;
        after(rest, " of ")
    })
}

/// The size that follows a mark.
fn after(message: &str, mark: &str) -> Option<u64> {
    let (_, rest) = message.split_once(mark)?;
    let mut words = rest.split_whitespace();
    size(words.next()?, words.next()?)
}

/// The size that precedes a mark.
fn before(message: &str, mark: &str) -> Option<u64> {
    let (rest, _) = message.split_once(mark)?;
    let mut words = rest.split_whitespace().rev();
    let unit = words.next()?;
    size(words.next()?, unit)
}

/// `20.00` and `GiB`, as bytes. What is larger than any memory is torch's miscount of a process that it can't see.
fn size(number: &str, unit: &str) -> Option<u64> {
    const NONSENSE: f64 = (1_u64 << 60) as f64;
    let number: f64 = number.trim_start_matches('(').parse().ok()?;
    let unit = unit.trim_end_matches(|c: char| !c.is_alphabetic());
    let shift = match unit {
        "bytes" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        "TiB" => 40,
        _ => return None,
    };
    let bytes = number * (1_u64 << shift) as f64;
    (0.0..NONSENSE).contains(&bytes).then_some(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages as torch and its libraries have worded them, and how they are told.
    #[test]
    fn the_wordings_of_torch_are_understood() {
        let table = [
            // torch 2.3 to 2.9
            (
                "CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of 23.68 GiB of which 312.00 MiB is free. Process 4711 has 2.25 GiB memory in use. Including non-PyTorch memory, this process has 21.12 GiB memory in use. Of the allocated memory 20.00 GiB is allocated by PyTorch, with 1.00 GiB allocated in private pools (e.g., CUDA Graphs), and 512.00 MiB is reserved by PyTorch but unallocated. If reserved but unallocated memory is large try setting PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True to avoid fragmentation.  See documentation for Memory Management  (https://pytorch.org/docs/stable/notes/cuda.html#environment-variables)",
                "out of device memory: 2.50 GiB were asked for; 0.30 GiB of 23.68 GiB were free; this worker had 21.12 GiB (20.00 GiB of weights and activations, 0.50 GiB of reserve that torch keeps); other programs and the driver had 2.26 GiB",
            ),
            // torch 2.1, with its typo
            (
                "CUDA out of memory. Tried to allocate 1.50 GiB. GPU 0 has a total capacty of 14.75 GiB of which 832.81 MiB is free. Process 2188 has 13.93 GiB memory in use. Of the allocated memory 13.50 GiB is allocated by PyTorch, and 256.00 MiB is reserved by PyTorch but unallocated. If reserved but unallocated memory is large try setting max_split_size_mb to avoid fragmentation.",
                "out of device memory: 1.50 GiB were asked for; 0.81 GiB of 14.75 GiB were free; this worker had 13.50 GiB of weights and activations, 0.25 GiB of reserve that torch keeps",
            ),
            // torch 1.10 to 2.0
            (
                "CUDA out of memory. Tried to allocate 20.00 MiB (GPU 0; 7.79 GiB total capacity; 5.20 GiB already allocated; 17.06 MiB free; 5.50 GiB reserved in total by PyTorch) If reserved memory is >> allocated memory try setting max_split_size_mb to avoid fragmentation.  See documentation for Memory Management and PYTORCH_CUDA_ALLOC_CONF",
                "out of device memory: 20.0 MiB were asked for; 17.1 MiB of 7.79 GiB were free; this worker had 5.50 GiB (5.20 GiB of weights and activations, 0.30 GiB of reserve that torch keeps); other programs and the driver had 2.27 GiB",
            ),
            // A fraction of the device is allowed, and a process in another namespace can't be seen.
            (
                "CUDA out of memory. Tried to allocate 512.00 KiB. GPU 1 has a total capacity of 79.10 GiB of which 3.00 GiB is free. Process 1 has 17179869184.00 GiB memory in use. 40.00 GiB allowed; Of the allocated memory 39.00 GiB is allocated by PyTorch, and 0 bytes is reserved by PyTorch but unallocated.",
                "out of device memory: 0.5 MiB were asked for; 3.00 GiB of 79.10 GiB were free; this worker had 39.00 GiB of weights and activations",
            ),
            (
                "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
                "out of device memory: the cuBLAS library asked for it",
            ),
            (
                "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
                "out of device memory: the cuDNN library asked for it",
            ),
            (
                "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED",
                "out of host memory",
            ),
            (
                "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace below might be incorrect.\nFor debugging consider passing CUDA_LAUNCH_BLOCKING=1\nCompile with `TORCH_USE_CUDA_DSA` to enable device-side assertions.",
                "out of device memory",
            ),
            ("CUDA driver error: out of memory", "out of device memory"),
            (
                "[enforce fail at alloc_cpu.cpp:119] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 4503599627370496 bytes. Error code 12 (Cannot allocate memory)",
                "out of host memory: 4194304.00 GiB were asked for",
            ),
            (
                "[enforce fail at ..\\c10\\core\\CPUAllocator.cpp:79] data. DefaultCPUAllocator: not enough memory: you tried to allocate 1073741824 bytes.",
                "out of host memory: 1.00 GiB were asked for",
            ),
            ("std::bad_alloc", "out of host memory"),
            // A wording to come: nothing is made up.
            ("CUDA out of memory. Wanted: plenty", "out of device memory"),
        ];
        for (message, expected) in table {
            let told = shortage(message).unwrap().to_string();
            assert_eq!(told, expected, "{message}");
            assert!(!told.contains("CONF") && !told.contains('\n'), "{told}");
        }
        for other in [
            "CUDA error: an illegal memory access was encountered",
            "mat1 and mat2",
        ] {
            assert_eq!(shortage(other), None);
        }
    }
}
