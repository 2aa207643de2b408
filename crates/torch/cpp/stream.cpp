// libtorch's streams by their raw handles, and copies to a device, through c10's interface of a device: no CUDA header and no CUDA library is needed to build.
#include <ATen/core/Tensor.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include "guard.h"
#include "operation.h"

// `StreamKey` of src/ffi/stream.rs: c10::StreamData3.
struct sagetrain_stream {
  int64_t id;
  int32_t device;
  int32_t type;
};

namespace {

// Throws where libtorch_cuda is not loaded.
const c10::impl::DeviceGuardImplInterface &cuda() { return *c10::impl::getDeviceGuardImpl(c10::DeviceType::CUDA); }

c10::Device device_of(int32_t number) {
  TORCH_CHECK(number >= 0 && number < cuda().deviceCount(), "there is no cuda:", number, " among ", static_cast<int>(cuda().deviceCount()));
  return {c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(number)};
}

sagetrain_stream packed(const c10::Stream &stream) {
  const c10::StreamData3 data = stream.pack3();
  return {data.stream_id, data.device_index, static_cast<int32_t>(data.device_type)};
}

c10::Stream unpacked(const sagetrain_stream &stream) {
  return c10::Stream::unpack3(stream.id, static_cast<c10::DeviceIndex>(stream.device), static_cast<c10::DeviceType>(stream.type));
}

} // namespace

// The calling thread's current stream as a CUstream.
SAGETRAIN_EXPORT sagetrain_status sagetrain_cuda_stream(int32_t device, uint64_t *handle) {
  return sagetrain::guard([&] { *handle = reinterpret_cast<uint64_t>(cuda().getStream(device_of(device)).native_handle()); });
}

// Makes a device the calling thread's current one.
SAGETRAIN_EXPORT sagetrain_status sagetrain_cuda_exchange_device(int32_t device, int32_t *previous) {
  return sagetrain::guard([&] { *previous = cuda().exchangeDevice(device_of(device)).index(); });
}

// A stream of libtorch's pool.
SAGETRAIN_EXPORT sagetrain_status sagetrain_cuda_pool_stream(int32_t device, sagetrain_stream *stream) {
  return sagetrain::guard([&] { *stream = packed(cuda().getStreamFromGlobalPool(device_of(device))); });
}

// Makes a stream its device's current one for the calling thread.
SAGETRAIN_EXPORT sagetrain_status sagetrain_cuda_exchange_stream(const sagetrain_stream *stream, sagetrain_stream *previous) {
  return sagetrain::guard([&] { *previous = packed(cuda().exchangeStream(unpacked(*stream))); });
}

// A copy of a tensor of the host on a device, by way of pinned memory, so that nobody waits.
SAGETRAIN_EXPORT sagetrain_status sagetrain_cuda_upload(void *host, int32_t device, void **out) {
  return sagetrain::guard([&] {
    const at::Tensor pinned = sagetrain::tensor_at(host).pin_memory();
    *out = sagetrain::release(pinned.to(device_of(device), pinned.scalar_type(), /*non_blocking=*/true));
  });
}

// Memory of these tensors is not given to another before what is queued on the current stream has run.
SAGETRAIN_EXPORT sagetrain_status sagetrain_cuda_record(const void *const *tensors, int64_t count, int32_t device) {
  return sagetrain::guard([&] {
    const c10::Stream stream = cuda().getStream(device_of(device));
    for (int64_t i = 0; i < count; i++)
      cuda().recordDataPtrOnStream(static_cast<const at::Tensor *>(tensors[i])->storage().data_ptr(), stream);
  });
}
