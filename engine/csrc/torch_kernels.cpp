#include "torch_kernels.h"
#include "shared.h"

#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <cstdlib>
#include <memory>

namespace {

// NVRTC's handle of a program.
using Program = struct Opaque *;

// libnvrtc.so of torch's CUDA: in the process already, in the loader's paths, or beside torch's libraries.
class Nvrtc {
public:
  static const Nvrtc &get() {
    static const Nvrtc nvrtc;
    return nvrtc;
  }

  bool is_installed() const { return library_ != nullptr; }

  template <typename Signature, typename... Arguments> int call(const char *name, Arguments... arguments) const {
    void *symbol = dlsym(library_, name);
    if (symbol == nullptr) {
      throw std::runtime_error(std::string("NVRTC has no ") + name);
    }
    return reinterpret_cast<Signature *>(symbol)(arguments...);
  }

private:
  Nvrtc() {
    constexpr const char *name = "libnvrtc.so.13";
    library_ = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library_ == nullptr) {
      const std::string beside = fp::libtorch_folder() + "../../nvidia/cu13/lib/" + name;
      library_ = dlopen(beside.c_str(), RTLD_NOW | RTLD_LOCAL);
    }
  }

  void *library_ = nullptr;
};

struct Destroy {
  void operator()(Program program) const { Nvrtc::get().call<int(Program *)>("nvrtcDestroyProgram", &program); }
};

void compile(const Nvrtc &nvrtc, Program program, const char *const *options, int count) {
  if (nvrtc.call<int(Program, int, const char *const *)>("nvrtcCompileProgram", program, count, options) == 0) {
    return;
  }
  size_t length = 0;
  nvrtc.call<int(Program, size_t *)>("nvrtcGetProgramLogSize", program, &length);
  std::string log(length, '\0');
  nvrtc.call<int(Program, char *)>("nvrtcGetProgramLog", program, log.data());
  throw std::runtime_error("NVRTC: " + log);
}

struct Dim3 {
  unsigned x, y, z;
};

} // namespace

int fp_device_architecture(int device, int *architecture) {
  return fp::guarded([&] {
    constexpr int major_attribute = 75, minor_attribute = 76; // cudaDevAttrComputeCapabilityMajor, …Minor
    int major = 0, minor = 0;
    fp::call_cuda<int(int *, int, int)>("cudaDeviceGetAttribute", &major, major_attribute, device);
    fp::call_cuda<int(int *, int, int)>("cudaDeviceGetAttribute", &minor, minor_attribute, device);
    *architecture = 10 * major + minor;
  });
}

int fp_compiler_version(int *major, int *minor) {
  bool installed = true;
  const int status = fp::guarded([&] {
    const Nvrtc &nvrtc = Nvrtc::get();
    installed = nvrtc.is_installed();
    if (installed && nvrtc.call<int(int *, int *)>("nvrtcVersion", major, minor) != 0) {
      throw std::runtime_error("NVRTC does not say its version");
    }
  });
  return installed ? status : 1;
}

int fp_driver_version(int *version) {
  return fp::guarded([&] { fp::call_cuda<int(int *)>("cudaDriverGetVersion", version); });
}

int fp_compile(const char *source, const char *const *options, int count, void **code, size_t *bytes) {
  bool installed = true;
  const int status = fp::guarded([&] {
    const Nvrtc &nvrtc = Nvrtc::get();
    if (!nvrtc.is_installed()) {
      installed = false;
      return;
    }
    Program created = nullptr;
    const int failed = nvrtc.call<int(Program *, const char *, const char *, int, const char *const *,
                                      const char *const *)>("nvrtcCreateProgram", &created, source,
                                                            static_cast<const char *>("kernel.cu"), 0,
                                                            static_cast<const char *const *>(nullptr),
                                                            static_cast<const char *const *>(nullptr));
    if (failed != 0) {
      throw std::runtime_error("NVRTC makes no program");
    }
    const std::unique_ptr<Opaque, Destroy> program(created);
    compile(nvrtc, program.get(), options, count);
    size_t length = 0;
    nvrtc.call<int(Program, size_t *)>("nvrtcGetCUBINSize", program.get(), &length);
    std::unique_ptr<char, decltype(&std::free)> image(static_cast<char *>(std::malloc(length)), &std::free);
    if (image == nullptr || nvrtc.call<int(Program, char *)>("nvrtcGetCUBIN", program.get(), image.get()) != 0) {
      throw std::runtime_error("NVRTC returns no machine code");
    }
    *bytes = length;
    *code = image.release();
  });
  return installed ? status : 1;
}

void fp_free_code(void *code) { std::free(code); }

int fp_load_kernel(int device, const void *code, const char *name, void **kernel) {
  return fp::guarded([&] {
    c10::DeviceGuard on({c10::kCUDA, static_cast<c10::DeviceIndex>(device)});
    void *library = nullptr;
    void *none = nullptr;
    fp::call_cuda<int(void **, const void *, void *, void *, unsigned, void *, void *, unsigned)>(
        "cudaLibraryLoadData", &library, code, none, none, 0U, none, none, 0U);
    fp::call_cuda<int(void **, void *, const char *)>("cudaLibraryGetKernel", kernel, library, name);
  });
}

int fp_launch(int device, const void *kernel, const unsigned grid[3], unsigned threads, unsigned shared_bytes,
              void **arguments) {
  return fp::guarded([&] {
    const c10::Device on{c10::kCUDA, static_cast<c10::DeviceIndex>(device)};
    c10::DeviceGuard guard(on);
    void *stream = c10::impl::VirtualGuardImpl(c10::kCUDA).getStream(on).native_handle();
    fp::call_cuda<int(const void *, Dim3, Dim3, void **, size_t, void *)>(
        "cudaLaunchKernel", kernel, Dim3{grid[0], grid[1], grid[2]}, Dim3{threads, 1, 1}, arguments,
        static_cast<size_t>(shared_bytes), stream);
  });
}
