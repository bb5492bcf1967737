// What libtorch offers and tch does not expose, as C functions. Each returns 0, or -1 when it failed; no
// exception leaves it. Only libtorch's device-generic API is used: no CUDA header, no CUDA library to link.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Opens libtorch.so and libtorch_cuda.so beside the libtorch_cpu.so in use; that registers CUDA with torch.
// Returns 1 when they are not installed; after -1, `reason` (of `capacity` bytes) says why they do not load.
int fp_load_cuda(char *reason, size_t capacity);
// Free and total memory of a CUDA device as its driver counts them.
int fp_memory_info(int device, uint64_t *free_bytes, uint64_t *total_bytes);
// Most bytes that torch's allocator has had in use on a CUDA device.
int fp_peak_bytes(int device, uint64_t *peak_bytes);
// Starts counting that peak anew.
int fp_reset_peak(int device);
// Returns memory cached by torch's allocator to the driver.
int fp_empty_cache(void);

#ifdef __cplusplus
}
#endif
