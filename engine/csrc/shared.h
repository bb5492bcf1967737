// What the torch shims share: how their functions fail, and how they reach CUDA's runtime without linking it.
#pragma once

#include <ATen/DeviceAccelerator.h>
#include <c10/core/Stream.h>

#include <dlfcn.h>

#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>

namespace fp {

// What the last failed call of this thread threw.
inline thread_local char last_error[4096] = "";

// Runs `body`; 0, or -1 after an exception, whose message is kept in `last_error`.
template <typename F> int guarded(F &&body) {
  try {
    body();
    return 0;
  } catch (const std::exception &error) {
    std::snprintf(last_error, sizeof last_error, "%s", error.what());
  } catch (...) {
    std::snprintf(last_error, sizeof last_error, "an exception without a message");
  }
  return -1;
}

// Folder of the libtorch_cpu.so that this process has loaded, with a trailing slash; empty if unknown.
inline std::string libtorch_folder() {
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

inline c10::Stream stream_of(int device, int64_t stream) {
  return c10::Stream::unpack3(stream, static_cast<c10::DeviceIndex>(device), c10::kCUDA);
}

// A function of CUDA's runtime, which comes into the process with libtorch.
template <typename Signature> Signature *cuda_function(const char *name) {
  void *symbol = dlsym(RTLD_DEFAULT, name);
  if (symbol == nullptr) {
    throw std::runtime_error(std::string("no CUDA runtime in this process: ") + name + " is missing");
  }
  return reinterpret_cast<Signature *>(symbol);
}

// Calls one that returns a cudaError_t, and throws what is not cudaSuccess.
template <typename Signature, typename... Arguments>
void call_cuda(const char *name, Arguments... arguments) {
  const int status = cuda_function<Signature>(name)(arguments...);
  if (status != 0) {
    // The runtime also keeps the error for this thread's next cudaGetLastError, which would be torch's.
    cuda_function<int()>("cudaGetLastError")();
    const char *reason = cuda_function<const char *(int)>("cudaGetErrorString")(status);
    throw std::runtime_error(std::string("CUDA error: ") + reason + " (" + name + ")");
  }
}

} // namespace fp
