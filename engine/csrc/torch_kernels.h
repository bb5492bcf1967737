// CUDA sources compiled by NVRTC, and launched on torch's current stream. Each function returns 0, or -1 when it failed;
// `fp_last_error` says why. NVRTC is opened when it is first needed: no CUDA library is linked.
#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// Compute capability of a device, as in 90 for 9.0.
int fp_device_architecture(int device, int *architecture);
// NVRTC's version, as in 13 and 0. Returns 1 when it is not installed.
int fp_compiler_version(int *major, int *minor);
// Version of CUDA that the driver has, as in 13000.
int fp_driver_version(int *version);
// Compiles `source` with options such as "--gpu-architecture=sm_90", to machine code. Needs no device. The code is freed by
// fp_free_code. Returns 1 when NVRTC is not installed.
int fp_compile(const char *source, const char *const *options, int count, void **code, size_t *bytes);
void fp_free_code(void *code);
// The function `name` of machine code, for a device. It stays loaded as long as the process.
int fp_load_kernel(int device, const void *code, const char *name, void **kernel);
// Gives a kernel to the current stream of a device. Each argument is a pointer to its value.
int fp_launch(int device, const void *kernel, const unsigned grid[3], unsigned threads, unsigned shared_bytes,
              void **arguments);

#ifdef __cplusplus
}
#endif
