#include "torch_shim.h"

#include <ATen/DeviceAccelerator.h>
#include <ATen/core/Tensor.h>
#include <c10/core/CachingDeviceAllocator.h>

#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <string>

namespace {

template <typename F>
int guarded(F &&body) {
  try {
    body();
    return 0;
  } catch (...) {
    return -1;
  }
}

// Folder of the libtorch_cpu.so that this process has loaded, with a trailing slash; empty if unknown.
std::string libtorch_folder() {
  Dl_info info;
  // Any function that lives in libtorch_cpu.so (not an inline one).
  auto *symbol = reinterpret_cast<void *>(&at::accelerator::deviceCount);
  if (dladdr(symbol, &info) == 0 || info.dli_fname == nullptr) {
    return {};
  }
  std::string path = info.dli_fname;
  auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash + 1);
}

} // namespace

int fp_load_cuda(char *reason, size_t capacity) {
  int status = -1;
  guarded([&] {
    const std::string folder = libtorch_folder();
    const std::string cuda = folder + "libtorch_cuda.so";
    if (access(cuda.c_str(), F_OK) != 0) {
      status = 1;
      return;
    }
    // libtorch.so first: ahead-of-time compiled models need it to be there.
    dlopen((folder + "libtorch.so").c_str(), RTLD_NOW | RTLD_GLOBAL);
    if (dlopen(cuda.c_str(), RTLD_NOW | RTLD_GLOBAL) != nullptr) {
      status = 0;
    } else {
      const char *error = dlerror();
      std::snprintf(reason, capacity, "%s", error != nullptr ? error : "no reason given");
    }
  });
  return status;
}

int fp_memory_info(int device, uint64_t *free_bytes, uint64_t *total_bytes) {
  return guarded([&] {
    auto [free, total] = at::accelerator::getMemoryInfo(static_cast<c10::DeviceIndex>(device));
    *free_bytes = free;
    *total_bytes = total;
  });
}

int fp_peak_bytes(int device, uint64_t *peak_bytes) {
  return guarded([&] {
    const auto stats = at::accelerator::getDeviceStats(static_cast<c10::DeviceIndex>(device));
    const auto total = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    *peak_bytes = static_cast<uint64_t>(stats.allocated_bytes[total].peak);
  });
}

int fp_reset_peak(int device) {
  return guarded([&] { at::accelerator::resetPeakStats(static_cast<c10::DeviceIndex>(device)); });
}

int fp_empty_cache(void) {
  return guarded([&] { at::accelerator::emptyCache(); });
}
