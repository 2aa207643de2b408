// Every exported function runs its body in `guard`: no C++ exception crosses the C boundary.
#pragma once

#include <c10/util/Exception.h>
#include <cstdlib>
#include <cstring>
#include <exception>

#include "sagetrain_torch.h"

#define SAGETRAIN_EXPORT extern "C" __attribute__((visibility("default")))

namespace sagetrain {

inline sagetrain_status failed(int32_t code, const char *message) {
  return {code, strdup(message)};
}

template <typename Body> sagetrain_status guard(Body &&body) noexcept {
  try {
    body();
    return {SAGETRAIN_OK, nullptr};
  } catch (const c10::Error &error) {
    return failed(SAGETRAIN_TORCH, error.what_without_backtrace());
  } catch (const std::exception &error) {
    return failed(SAGETRAIN_EXCEPTION, error.what());
  } catch (...) {
    return failed(SAGETRAIN_UNKNOWN, "something was thrown that is no exception");
  }
}

} // namespace sagetrain
