// What libtorch and the machine are like, for `doctor`, the log and reports.
#include <sagetrain_torch.h>

#include "exports.h"

namespace {

[[noreturn]] void throw_status(Napi::Env env, sagetrain_status &status) {
  Napi::Error error = Napi::Error::New(env, status.message ? status.message : "libtorch gave no reason");
  sagetrain_status_free(&status);
  error.Set("code", Napi::String::New(env, "ERR_TORCH"));
  throw error;
}

Napi::Object to_object(Napi::Env env, const sagetrain_runtime_info &info) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("libtorchVersion", info.libtorch_version);
  object.Set("buildConfig", info.build_config);
  object.Set("parallelInfo", info.parallel_info);
  object.Set("cpuCapability", info.cpu_capability);
  object.Set("hasBfloat16", info.has_bfloat16 != 0);
  object.Set("hasOpenmp", info.has_openmp != 0);
  object.Set("threads", info.threads);
  object.Set("cudaDevices", info.cuda_devices);
  object.Set("cudaError", sagetrain::load_cuda());
  object.Set("peakResidentBytes", static_cast<double>(info.peak_resident_bytes));
  return object;
}

} // namespace

Napi::Value sagetrain::runtime(const Napi::CallbackInfo &info) {
  sagetrain_runtime_info answer{};
  sagetrain_status status = sagetrain_runtime(&answer);
  if (status.code != SAGETRAIN_OK) throw_status(info.Env(), status);
  return to_object(info.Env(), answer);
}
