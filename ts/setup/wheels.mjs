// The wheels that libtorch comes from. Their names, and with them their contents, are the same whatever Python is there.

/**
 * @typedef {object} Wheel
 * @property {string} requirement what pip is asked for
 * @property {string} file name of the file
 * @property {string} platform pip's platform tag
 * @property {number} bytes
 * @property {string} sha256
 */

/** The only libtorch that the addon is built against. */
export const libtorchVersion = '2.13.0'

/** @type {readonly Wheel[]} */
export const cpuWheels = [
  {
    requirement: 'torch==2.13.0',
    file: 'torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl',
    platform: 'manylinux_2_28_x86_64',
    bytes: 526_574_961,
    sha256: '60fcdcb2f3876e21146cb4524ef06397d727ca9ad5f020818547e25075fe3cb7',
  },
  {
    requirement: 'nvidia-cuda-runtime==13.0.96',
    file: 'nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl',
    platform: 'manylinux2014_x86_64',
    bytes: 2_243_632,
    sha256: '7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548',
  },
  {
    requirement: 'nvidia-cuda-cupti==13.0.85',
    file: 'nvidia_cuda_cupti-13.0.85-py3-none-manylinux_2_25_x86_64.whl',
    platform: 'manylinux_2_25_x86_64',
    bytes: 10_715_597,
    sha256: '4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8',
  },
  {
    requirement: 'nvidia-cuda-nvrtc==13.0.88',
    file: 'nvidia_cuda_nvrtc-13.0.88-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl',
    platform: 'manylinux2010_x86_64',
    bytes: 90_215_200,
    sha256: 'ad9b6d2ead2435f11cbb6868809d2adeeee302e9bb94bcf0539c7a40d80e8575',
  },
]

/** What libtorch_cuda needs beside them, on a machine with a GPU: the versions that torch 2.13.0 names. @type {readonly Wheel[]} */
export const cudaWheels = [
  {
    requirement: 'nvidia-cublas==13.1.1.3',
    file: 'nvidia_cublas-13.1.1.3-py3-none-manylinux_2_27_x86_64.whl',
    platform: 'manylinux_2_27_x86_64',
    bytes: 423_138_758,
    sha256: '37936a16db8fe4ac1f065c2139360608a543a09275cb1a1af612e08cfa065436',
  },
  {
    requirement: 'nvidia-cudnn-cu13==9.20.0.48',
    file: 'nvidia_cudnn_cu13-9.20.0.48-py3-none-manylinux_2_27_x86_64.whl',
    platform: 'manylinux_2_27_x86_64',
    bytes: 366_173_588,
    sha256: '0c45dd8eeb50b603f07995b1b300c62ffe6a1980482b82b3bcf94a4ca9d49304',
  },
  {
    requirement: 'nvidia-cufft==12.0.0.61',
    file: 'nvidia_cufft-12.0.0.61-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl',
    platform: 'manylinux2014_x86_64',
    bytes: 214_085_489,
    sha256: '6c44f692dce8fd5ffd3e3df134b6cdb9c2f72d99cf40b62c32dde45eea9ddad3',
  },
  {
    requirement: 'nvidia-cufile==1.15.1.6',
    file: 'nvidia_cufile-1.15.1.6-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl',
    platform: 'manylinux2014_x86_64',
    bytes: 1_223_672,
    sha256: '08a3ecefae5a01c7f5117351c64f17c7c62efa5fffdbe24fc7d298da19cd0b44',
  },
  {
    requirement: 'nvidia-curand==10.4.0.35',
    file: 'nvidia_curand-10.4.0.35-py3-none-manylinux_2_27_x86_64.whl',
    platform: 'manylinux_2_27_x86_64',
    bytes: 59_544_258,
    sha256: '1aee33a5da6e1db083fe2b90082def8915f30f3248d5896bcec36a579d941bfc',
  },
  {
    requirement: 'nvidia-cusolver==12.0.4.66',
    file: 'nvidia_cusolver-12.0.4.66-py3-none-manylinux_2_27_x86_64.whl',
    platform: 'manylinux_2_27_x86_64',
    bytes: 200_941_980,
    sha256: '0a759da5dea5c0ea10fd307de75cdeb59e7ea4fcb8add0924859b944babf1112',
  },
  {
    requirement: 'nvidia-cusparse==12.6.3.3',
    file: 'nvidia_cusparse-12.6.3.3-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl',
    platform: 'manylinux2014_x86_64',
    bytes: 145_942_937,
    sha256: '2b3c89c88d01ee0e477cb7f82ef60a11a4bcd57b6b87c33f789350b59759360b',
  },
  {
    requirement: 'nvidia-cusparselt-cu13==0.8.1',
    file: 'nvidia_cusparselt_cu13-0.8.1-py3-none-manylinux2014_x86_64.whl',
    platform: 'manylinux2014_x86_64',
    bytes: 170_148_586,
    sha256: '786ce87568c303fadb5afcc7102d454cd3040d75f6f8626f5db460d1871f4dd0',
  },
  {
    requirement: 'nvidia-nccl-cu13==2.29.7',
    file: 'nvidia_nccl_cu13-2.29.7-py3-none-manylinux_2_18_x86_64.whl',
    platform: 'manylinux_2_18_x86_64',
    bytes: 205_976_000,
    sha256: 'edd81538446786ec3b73972543e53bb43bcaf0bfc8ef76cb679fcc390ffe136d',
  },
  {
    requirement: 'nvidia-nvjitlink==13.0.88',
    file: 'nvidia_nvjitlink-13.0.88-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl',
    platform: 'manylinux2010_x86_64',
    bytes: 40_713_933,
    sha256: '13a74f429e23b921c1109976abefacc69835f2f433ebd323d3946e11d804e47b',
  },
  {
    requirement: 'nvidia-nvshmem-cu13==3.4.5',
    file: 'nvidia_nvshmem_cu13-3.4.5-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl',
    platform: 'manylinux2014_x86_64',
    bytes: 60_412_546,
    sha256: '290f0a2ee94c9f3687a02502f3b9299a9f9fe826e6d0287ee18482e78d495b80',
  },
]

/** @param {readonly Wheel[]} wheels */
export const totalBytes = (wheels) => wheels.reduce((sum, wheel) => sum + wheel.bytes, 0)
