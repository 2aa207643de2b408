import type { Fact } from '../report/report-data.js'
import { native } from '../binding.js'

/** What computed a run: versions, and what libtorch made of the processor. */
export function versionFacts(version: string): readonly Fact[] {
  const { libtorchVersion, cpuCapability, hasBfloat16 } = native().runtime()
  return [
    { label: 'versions', value: `sagetrain ${version}, libtorch ${libtorchVersion}, Node ${process.versions.node}` },
    { label: 'kernels', value: `${cpuCapability}${hasBfloat16 ? ', bfloat16 in hardware' : ''}` },
  ]
}
