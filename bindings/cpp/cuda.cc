// libtorch registers its CUDA half when that library is loaded, so one addon serves machines with and without a GPU.
#include <dlfcn.h>

#include "exports.h"

namespace {

// Found by the addon's run path, beside libtorch_cpu. Without a driver (libcuda) its second of loading would be wasted.
std::string try_load() {
  void *driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!driver) return "";
  dlclose(driver);
  if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL)) return "";
  const char *reason = dlerror();
  return reason ? reason : "libtorch_cuda.so could not be loaded";
}

} // namespace

const std::string &sagetrain::load_cuda() {
  static const std::string reason = try_load();
  return reason;
}
