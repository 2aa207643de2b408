// Wheels as small as can be: the entries that set-up looks for, in a zip archive without compression.
import { crc32 } from 'node:zlib'

const torch = 'torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl'
const libraries = ['libtorch_cpu.so', 'libtorch.so', 'libc10.so', 'libgomp.so.1', 'libtorch_cuda.so', 'libtorch_python.so', 'libc10_cuda.so']

/** File names of the CUDA wheels, in the order set-up fetches them. */
const cuda = [
  'nvidia_cublas-13.1.1.3-py3-none-manylinux_2_27_x86_64.whl',
  'nvidia_cudnn_cu13-9.20.0.48-py3-none-manylinux_2_27_x86_64.whl',
  'nvidia_cufft-12.0.0.61-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl',
  'nvidia_cufile-1.15.1.6-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl',
  'nvidia_curand-10.4.0.35-py3-none-manylinux_2_27_x86_64.whl',
  'nvidia_cusolver-12.0.4.66-py3-none-manylinux_2_27_x86_64.whl',
  'nvidia_cusparse-12.6.3.3-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl',
  'nvidia_cusparselt_cu13-0.8.1-py3-none-manylinux2014_x86_64.whl',
  'nvidia_nccl_cu13-2.29.7-py3-none-manylinux_2_18_x86_64.whl',
  'nvidia_nvjitlink-13.0.88-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl',
  'nvidia_nvshmem_cu13-3.4.5-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl',
]
const cpu = [
  'nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl',
  'nvidia_cuda_cupti-13.0.85-py3-none-manylinux_2_25_x86_64.whl',
  'nvidia_cuda_nvrtc-13.0.88-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl',
]

/** The entries of every wheel, by the wheel's file name. */
export const wheelFiles: Readonly<Record<string, readonly string[]>> = {
  [torch]: ['torch/version.py', 'torch/include/ATen/ATen.h', 'torch/nn/linear.py', 'torchgen/gen.py', ...libraries.map((name) => `torch/lib/${name}`)],
  ...Object.fromEntries([...cpu, ...cuda].map((file) => [file, [`nvidia/cu13/lib/${file.split('-')[0]}.so`]])),
}

/** A zip archive in which each entry holds its own name. */
export function zip(names: readonly string[]): Buffer {
  const locals: Buffer[] = []
  const centrals: Buffer[] = []
  let offset = 0
  for (const name of names) {
    const data = Buffer.from(name)
    const fields = Buffer.alloc(26) // version, flags, method, time, date, crc, sizes, lengths: shared by both headers
    fields.writeUInt16LE(20, 0)
    fields.writeUInt16LE(0x21, 8) // 1 January 1980
    fields.writeUInt32LE(crc32(data), 10)
    fields.writeUInt32LE(data.length, 14)
    fields.writeUInt32LE(data.length, 18)
    fields.writeUInt16LE(data.length, 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, data, data])
    const place = Buffer.alloc(14)
    place.writeUInt32LE(offset, 10)
    centrals.push(Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.from([20, 0]), fields, place, data]))
    locals.push(local)
    offset += local.length
  }
  return Buffer.concat([...locals, ...centrals, endRecord(names.length, centrals, offset)])
}

function endRecord(count: number, centrals: readonly Buffer[], offset: number): Buffer {
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 0, 'latin1')
  end.writeUInt16LE(count, 8)
  end.writeUInt16LE(count, 10)
  end.writeUInt32LE(centrals.reduce((sum, part) => sum + part.length, 0), 12)
  end.writeUInt32LE(offset, 16)
  return end
}
