#include "torch_shim.h"
#include "shared.h"

#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/_addmm_activation.h>
#include <ATen/ops/_scaled_dot_product_cudnn_attention.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <c10/core/AllocatorConfig.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/Event.h>
#include <c10/core/GradMode.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/headeronly/version.h>

#include <dlfcn.h>
#include <unistd.h>

#include <memory>
#include <string>

namespace {

c10::Device cuda(int device) {
  return {c10::kCUDA, static_cast<c10::DeviceIndex>(device)};
}

// Restricts torch's scaled dot-product attention to one kernel while it lives.
class OnlyKernel {
public:
  explicit OnlyKernel(int kernel)
      : cudnn_(context_.userEnabledCuDNNSDP()), flash_(context_.userEnabledFlashSDP()),
        memory_efficient_(context_.userEnabledMemEfficientSDP()), math_(context_.userEnabledMathSDP()),
        overrideable_(context_.userEnabledOverrideableSDP()) {
    set(kernel == FP_CUDNN, kernel == FP_FLASH, kernel == FP_MEMORY_EFFICIENT, kernel == FP_MATH, false);
  }
  OnlyKernel(const OnlyKernel &) = delete;
  OnlyKernel &operator=(const OnlyKernel &) = delete;
  ~OnlyKernel() { set(cudnn_, flash_, memory_efficient_, math_, overrideable_); }

private:
  void set(bool cudnn, bool flash, bool memory_efficient, bool math, bool overrideable) {
    context_.setSDPUseCuDNN(cudnn);
    context_.setSDPUseFlash(flash);
    context_.setSDPUseMemEfficient(memory_efficient);
    context_.setSDPUseMath(math);
    context_.setSDPUseOverrideable(overrideable);
  }

  at::Context &context_ = at::globalContext();
  bool cudnn_, flash_, memory_efficient_, math_, overrideable_;
};

const at::Tensor &tensor_of(const void *tensor) { return *static_cast<const at::Tensor *>(tensor); }

const c10::Event &event_of(const void *event) { return *static_cast<const c10::Event *>(event); }

} // namespace

const char *fp_last_error(void) { return fp::last_error; }

int fp_set_allocator_options(const char *options) {
  return fp::guarded([&] { c10::CachingAllocator::setAllocatorSettings(options); });
}

int fp_load_cuda(void) {
  bool installed = true;
  const int status = fp::guarded([&] {
    const std::string folder = fp::libtorch_folder();
    const std::string library = folder + "libtorch_cuda.so";
    if (access(library.c_str(), F_OK) != 0) {
      installed = false;
      return;
    }
    // libtorch.so first: ahead-of-time compiled models need it to be there.
    dlopen((folder + "libtorch.so").c_str(), RTLD_NOW | RTLD_GLOBAL);
    if (dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) {
      const char *error = dlerror();
      throw std::runtime_error(error != nullptr ? error : "no reason given");
    }
  });
  return installed ? status : 1;
}

int fp_memory_info(int device, uint64_t *free_bytes, uint64_t *total_bytes) {
  return fp::guarded([&] {
    auto [free, total] = at::accelerator::getMemoryInfo(static_cast<c10::DeviceIndex>(device));
    *free_bytes = free;
    *total_bytes = total;
  });
}

int fp_get_allocator_stats(int device, fp_allocator_stats *stats) {
  return fp::guarded([&] {
    const auto all = at::accelerator::getDeviceStats(static_cast<c10::DeviceIndex>(device));
    const auto total = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    const auto &allocated = all.allocated_bytes[total];
    const auto &reserved = all.reserved_bytes[total];
    stats->allocated_bytes = static_cast<uint64_t>(allocated.current);
    stats->reserved_bytes = static_cast<uint64_t>(reserved.current);
    stats->peak_allocated_bytes = static_cast<uint64_t>(allocated.peak);
    stats->peak_reserved_bytes = static_cast<uint64_t>(reserved.peak);
  });
}

int fp_reset_peak(int device) {
  return fp::guarded([&] { at::accelerator::resetPeakStats(static_cast<c10::DeviceIndex>(device)); });
}

int fp_empty_cache(void) {
  return fp::guarded([&] { at::accelerator::emptyCache(); });
}

int fp_page_lock(int device, void *data, size_t bytes) {
  return fp::guarded([&] {
    // Without it the context would be made on this thread's device, which for a new thread is the first one.
    c10::DeviceGuard on(cuda(device));
    constexpr unsigned portable = 1; // cudaHostRegisterPortable
    fp::call_cuda<int(void *, size_t, unsigned)>("cudaHostRegister", data, bytes, portable);
  });
}

int fp_page_unlock(void *data) {
  return fp::guarded([&] { fp::call_cuda<int(void *)>("cudaHostUnregister", data); });
}

int fp_new_stream(int device, int64_t *stream) {
  return fp::guarded([&] {
    *stream = c10::impl::VirtualGuardImpl(c10::kCUDA).getNewStream(cuda(device)).id();
  });
}

int fp_current_stream(int device, int64_t *stream) {
  return fp::guarded([&] {
    *stream = c10::impl::VirtualGuardImpl(c10::kCUDA).getStream(cuda(device)).id();
  });
}

int fp_exchange_stream(int device, int64_t stream, int64_t *previous) {
  return fp::guarded([&] {
    const c10::impl::VirtualGuardImpl guard(c10::kCUDA);
    *previous = guard.exchangeStream(fp::stream_of(device, stream)).id();
  });
}

int fp_synchronize_stream(int device, int64_t stream) {
  return fp::guarded([&] { fp::stream_of(device, stream).synchronize(); });
}

int fp_copy(int device, int64_t stream, const void *from, const void *to) {
  return fp::guarded([&] {
    c10::StreamGuard on(fp::stream_of(device, stream));
    c10::NoGradGuard without_gradients;
    tensor_of(to).copy_(tensor_of(from), /*non_blocking=*/true);
  });
}

int fp_record_event(int device, int64_t stream, int timed, void **event) {
  return fp::guarded([&] {
    const auto flag = timed ? c10::EventFlag::BACKEND_DEFAULT : c10::EventFlag::PYTORCH_DEFAULT;
    auto recorded = std::make_unique<c10::Event>(c10::kCUDA, flag);
    recorded->record(fp::stream_of(device, stream));
    *event = recorded.release();
  });
}

void fp_free_event(void *event) { delete static_cast<c10::Event *>(event); }

int fp_wait_event(int device, int64_t stream, const void *event) {
  return fp::guarded([&] { event_of(event).block(fp::stream_of(device, stream)); });
}

int fp_query_event(const void *event, int *done) {
  return fp::guarded([&] { *done = event_of(event).query() ? 1 : 0; });
}

int fp_synchronize_event(const void *event) {
  return fp::guarded([&] { event_of(event).synchronize(); });
}

int fp_elapsed_millis(const void *from, const void *to, double *millis) {
  return fp::guarded([&] { *millis = event_of(from).elapsedTime(event_of(to)); });
}

int fp_attention(int kernel, const void *q, const void *k, const void *v, const void *mask, void **output) {
  return fp::guarded([&] {
    OnlyKernel only(kernel);
    c10::NoGradGuard without_gradients;
    std::optional<at::Tensor> bias;
    if (mask != nullptr) {
      bias = tensor_of(mask);
    }
    *output = new at::Tensor(
        at::scaled_dot_product_attention(tensor_of(q), tensor_of(k), tensor_of(v), bias));
  });
}

int fp_cudnn_attention(const void *q, const void *k, const void *v, void **output, void **logarithms) {
  return fp::guarded([&] {
    c10::NoGradGuard without_gradients;
    constexpr bool with_logarithms = true;
    auto results = at::_scaled_dot_product_cudnn_attention(tensor_of(q), tensor_of(k), tensor_of(v), {}, with_logarithms);
    *output = new at::Tensor(std::get<0>(results));
    *logarithms = new at::Tensor(std::get<1>(results));
  });
}

int fp_set_attention_kernels(int cudnn, int flash, int memory_efficient) {
  return fp::guarded([&] {
    at::globalContext().setSDPUseCuDNN(cudnn != 0);
    at::globalContext().setSDPUseFlash(flash != 0);
    at::globalContext().setSDPUseMemEfficient(memory_efficient != 0);
  });
}

int fp_gelu_product(const void *bias, const void *x, const void *weight, void **output) {
  return fp::guarded([&] {
    c10::NoGradGuard without_gradients;
    *output = new at::Tensor(
        at::_addmm_activation(tensor_of(bias), tensor_of(x), tensor_of(weight).t(), 1, 1, /*use_gelu=*/true));
  });
}

const char *fp_torch_version(void) { return TORCH_VERSION; }
