// What the C++ half exports: napi-derive knows nothing of it, so set-up appends this to binding.d.cts.

/** What libtorch and the machine are like, as seen from the calling thread. */
export interface Runtime {
  /** Such as `2.13.0`. */
  libtorchVersion: string
  /** How libtorch was built: compiler, oneDNN, BLAS. */
  buildConfig: string
  /** Its thread pools. */
  parallelInfo: string
  /** The kernels in use: `AVX512`, `AVX2` or `DEFAULT`. */
  cpuCapability: string
  /** Whether the processor multiplies bfloat16 matrices faster than float32 ones. */
  hasBfloat16: boolean
  /** Whether the addon's own loops run on several threads. */
  hasOpenmp: boolean
  /** Threads of one operation. */
  threads: number
  /** GPUs that libtorch can use. */
  cudaDevices: number
  /** Why the CUDA half could not be loaded although there is a driver; empty when it was, or when there is none. */
  cudaError: string
  /** The most resident memory the process has had, in bytes. */
  peakResidentBytes: number
}

/** @throws an Error with `code` `ERR_TORCH` when libtorch fails. */
export declare function runtime(): Runtime
