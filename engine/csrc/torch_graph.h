// CUDA graphs, as C functions in the manner of torch_shim.h. torch's own class for them is in libtorch_cuda, which
// the engine does not link; this one asks torch's allocator and CUDA's runtime itself. It needs CUDA's headers to
// compile, and no library of CUDA's to link; compiled without them, a capture fails and says so.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// From now on, what this thread gives to the stream is recorded instead of run; fp_free_graph frees the graph.
int fp_begin_capture(int device, int64_t stream, void **graph);
// Ends the recording.
int fp_end_capture(void *graph);
// Runs what was recorded, on the device's current stream.
int fp_replay_graph(const void *graph);
// Discards the recording if it has not ended, and frees the graph and the memory of its operations.
void fp_free_graph(void *graph);

#ifdef __cplusplus
}
#endif
