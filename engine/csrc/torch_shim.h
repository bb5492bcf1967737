// What libtorch offers and tch does not expose, as C functions. Each returns 0, or -1 when it failed; no
// exception leaves it. Only libtorch's device-generic API is used: no CUDA header, no CUDA library to link.
//
// Devices are CUDA's indices. A stream is torch's number of it, which belongs to a device. Tensors are `at::Tensor`s,
// as torch-sys hands them out.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Why the last call of this thread that returned -1 did; valid until the next one that does.
const char *fp_last_error(void);

// Sets options of torch's allocator, as PYTORCH_ALLOC_CONF would.
int fp_set_allocator_options(const char *options);
// Opens libtorch.so and libtorch_cuda.so beside the libtorch_cpu.so in use; that registers CUDA with torch.
// Returns 1 when they are not installed.
int fp_load_cuda(void);

// Free and total memory of a CUDA device as its driver counts them.
int fp_memory_info(int device, uint64_t *free_bytes, uint64_t *total_bytes);
// What torch's allocator has in use on a device, what it holds of the driver, and the most of each.
typedef struct {
  uint64_t allocated_bytes, reserved_bytes, peak_allocated_bytes, peak_reserved_bytes;
} fp_allocator_stats;
int fp_get_allocator_stats(int device, fp_allocator_stats *stats);
// Starts counting the peaks anew.
int fp_reset_peak(int device);
// Returns memory cached by torch's allocator to the driver.
int fp_empty_cache(void);

// Page-locks host memory for all CUDA contexts; a context of `device` is there afterwards. Any thread may call it.
int fp_page_lock(int device, void *data, size_t bytes);
// Undoes fp_page_lock.
int fp_page_unlock(void *data);

// A stream of torch's pool, never the default one. It is not given back.
int fp_new_stream(int device, int64_t *stream);
// The stream that this thread's operations go to.
int fp_current_stream(int device, int64_t *stream);
// Makes this thread's operations go to a stream; `previous` is where they went.
int fp_exchange_stream(int device, int64_t stream, int64_t *previous);
// Blocks until the stream has finished what was given to it.
int fp_synchronize_stream(int device, int64_t stream);
// Copies a tensor into another one on a stream, without blocking the host where the memory allows.
int fp_copy(int device, int64_t stream, const void *from, const void *to);

// A new event, recorded on a stream; fp_free_event frees it.
int fp_record_event(int device, int64_t stream, int timed, void **event);
void fp_free_event(void *event);
// Makes what is given to a stream afterwards wait for the event.
int fp_wait_event(int device, int64_t stream, const void *event);
int fp_query_event(const void *event, int *done);
int fp_synchronize_event(const void *event);
// Milliseconds between two timed events that are done.
int fp_elapsed_millis(const void *from, const void *to, double *millis);

// Scaled dot-product attention with the one kernel named; `mask` may be null. `output` is a new `at::Tensor`.
// Fails if the kernel does not take these tensors. While it runs, other threads' attention is restricted as well.
enum { FP_CUDNN, FP_FLASH, FP_MEMORY_EFFICIENT, FP_MATH };
int fp_attention(int kernel, const void *q, const void *k, const void *v, const void *mask, void **output);

// The same by cuDNN, with the logarithm of each query's sum of exponentials, (B, H, Lq, 1) f32: two new tensors.
int fp_cudnn_attention(const void *q, const void *k, const void *v, void **output, void **logarithms);

// Which fused kernels attention may choose; math always stays.
int fp_set_attention_kernels(int cudnn, int flash, int memory_efficient);

// `output`, a new `at::Tensor`, is gelu(x weightᵀ + bias) with the tanh approximation, computed by CUDA's matrix product itself;
// x (n, in), weight (out, in), bias (out).
int fp_gelu_product(const void *bias, const void *x, const void *weight, void **output);

// Version of libtorch.
const char *fp_torch_version(void);

#ifdef __cplusplus
}
#endif
