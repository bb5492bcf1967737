#include "torch_graph.h"
#include "shared.h"

#if __has_include(<cuda_runtime_api.h>) && __has_include(<c10/cuda/CUDACachingAllocator.h>)

#include <ATen/Context.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/cuda/CUDACachingAllocator.h>

#include <atomic>
#include <memory>
#include <type_traits>

namespace {

using Allocator = c10::cuda::CUDACachingAllocator::CUDAAllocator;

// What libc10_cuda has registered. The accessor in its header would have to be linked.
Allocator &allocator() { return *static_cast<Allocator *>(c10::GetAllocator(c10::kCUDA)); }

cudaStream_t handle(const c10::Stream &stream) {
  return static_cast<cudaStream_t>(stream.native_handle());
}

// What operations allocate while they are recorded, at the same addresses in every replay.
class Pool {
public:
  explicit Pool(const c10::Stream &stream) : device_(stream.device_index()) {
    // Apart from the numbers that torch gives to its own graphs.
    static std::atomic<uint64_t> next{uint64_t{1} << 32};
    id_ = {next++, 0};
    allocator().beginAllocateToPool(
        device_, id_, [recording = handle(stream)](cudaStream_t used) { return used == recording; });
  }
  Pool(const Pool &) = delete;
  Pool &operator=(const Pool &) = delete;
  ~Pool() {
    close();
    fp::guarded([&] { allocator().releasePool(device_, id_); });
  }

  // Lets allocations go elsewhere again.
  void close() {
    if (open_) {
      open_ = false;
      fp::guarded([&] { allocator().endAllocateToPool(device_, id_); });
    }
  }

private:
  c10::DeviceIndex device_;
  c10::MempoolId_t id_;
  bool open_ = true;
};

struct Destroy {
  void operator()(cudaGraph_t graph) const {
    fp::guarded([&] { fp::call_cuda<decltype(cudaGraphDestroy)>("cudaGraphDestroy", graph); });
  }
  void operator()(cudaGraphExec_t graph) const {
    fp::guarded([&] { fp::call_cuda<decltype(cudaGraphExecDestroy)>("cudaGraphExecDestroy", graph); });
  }
};
using Recording = std::unique_ptr<std::remove_pointer_t<cudaGraph_t>, Destroy>;
using Executable = std::unique_ptr<std::remove_pointer_t<cudaGraphExec_t>, Destroy>;

class Graph {
public:
  explicit Graph(const c10::Stream &stream) : stream_(stream), pool_(stream) {
    c10::DeviceGuard on(stream_.device());
    // Of this thread alone: others may call what a capture forbids, page-locking for one.
    fp::call_cuda<decltype(cudaStreamBeginCapture)>("cudaStreamBeginCapture", handle(stream_),
                                                    cudaStreamCaptureModeThreadLocal);
    recording_ = true;
  }
  Graph(const Graph &) = delete;
  Graph &operator=(const Graph &) = delete;
  ~Graph() {
    if (recording_) {
      fp::guarded([&] { end_recording(); });
    }
  }

  void end() {
    const Recording recording = end_recording();
    pool_.close();
    cudaGraphExec_t executable = nullptr;
    fp::call_cuda<decltype(cudaGraphInstantiateWithFlags)>("cudaGraphInstantiateWithFlags", &executable,
                                                           recording.get(), 0ULL);
    executable_.reset(executable);
  }

  void replay() const {
    c10::DeviceGuard on(stream_.device());
    const auto current = c10::impl::VirtualGuardImpl(c10::kCUDA).getStream(stream_.device());
    fp::call_cuda<decltype(cudaGraphLaunch)>("cudaGraphLaunch", executable_.get(), handle(current));
  }

private:
  Recording end_recording() {
    recording_ = false;
    cudaGraph_t recorded = nullptr;
    fp::call_cuda<decltype(cudaStreamEndCapture)>("cudaStreamEndCapture", handle(stream_), &recorded);
    return Recording(recorded);
  }

  c10::Stream stream_;
  // Freed after the executable graph, which uses its memory.
  Pool pool_;
  Executable executable_;
  bool recording_ = false;
};

} // namespace

int fp_begin_capture(int device, int64_t stream, void **graph) {
  return fp::guarded([&] {
    at::globalContext().lazyInitDevice(c10::kCUDA);
    *graph = std::make_unique<Graph>(fp::stream_of(device, stream)).release();
  });
}

int fp_end_capture(void *graph) {
  return fp::guarded([&] { static_cast<Graph *>(graph)->end(); });
}

int fp_replay_graph(const void *graph) {
  return fp::guarded([&] { static_cast<const Graph *>(graph)->replay(); });
}

void fp_free_graph(void *graph) { delete static_cast<Graph *>(graph); }

#else

int fp_begin_capture(int, int64_t, void **) {
  return fp::guarded([] { throw std::runtime_error("built without CUDA's headers"); });
}

int fp_end_capture(void *) { return -1; }

int fp_replay_graph(const void *) { return -1; }

void fp_free_graph(void *) {}

#endif
