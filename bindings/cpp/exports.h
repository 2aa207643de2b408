// The addon's half in C++: Node-API values in, Node-API values out, what libtorch says by way of sagetrain_torch.h.
#ifndef SAGETRAIN_ADDON_EXPORTS_H
#define SAGETRAIN_ADDON_EXPORTS_H

#ifndef NODE_ADDON_API_CPP_EXCEPTIONS_ALL
#error "compile with NODE_ADDON_API_CPP_EXCEPTIONS_ALL: without it an exception that is no Napi::Error ends the process"
#endif

#include <napi.h>

#include <string>

namespace sagetrain {

// Versions, processor, threads, devices and memory as seen from the calling thread. Throws an Error with code ERR_TORCH.
Napi::Value runtime(const Napi::CallbackInfo &info);

// Loads libtorch's CUDA half where there is one and a driver for it; once a process, before libtorch is first asked
// about devices. Returns why it could not be loaded, or an empty text.
const std::string &load_cuda();

} // namespace sagetrain

#endif
