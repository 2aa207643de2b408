// Called from Rust when the addon is loaded into an environment; napi-rs owns the register symbol.
#include "exports.h"

namespace {

void set_exports(Napi::Env env, Napi::Object exports) {
  sagetrain::load_cuda();
  exports.Set("runtime", Napi::Function::New(env, sagetrain::runtime, "runtime"));
}

} // namespace

// Returns `exports`, or null with a JavaScript exception pending.
extern "C" __attribute__((visibility("hidden"))) napi_value sagetrain_set_exports(napi_env env, napi_value exports) {
  try {
    set_exports(Napi::Env(env), Napi::Object(env, exports));
    return exports;
  } catch (const Napi::Error &error) {
    error.ThrowAsJavaScriptException();
  } catch (const std::exception &error) {
    Napi::Error::New(env, error.what()).ThrowAsJavaScriptException();
  }
  return nullptr;
}
