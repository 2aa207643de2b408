import type { DoctorReport, Finding } from './doctor.js'
import { formatBytes } from './setup/progress.mjs'

/** A report as lines for people: the machine, what was found with the remedy where something will not do, what libtorch says. */
export function doctorLines(report: DoctorReport): readonly string[] {
  const { machine, findings, ok } = report
  return [
    row('machine', `${machine.platform}, ${machine.cores} × ${machine.processor}, ${formatBytes(machine.memoryBytes)} of memory`),
    row('cache', `${machine.cacheFolder}, ${formatBytes(machine.cacheFreeBytes)} free`),
    ...findings.map(findingLine),
    ...runtimeLines(report),
    '',
    ok ? 'Training can run here.' : 'Training cannot run here yet.',
  ]
}

const row = (label: string, value: string): string => `  ${label.padEnd(13)} ${value}`

function findingLine({ name, found, ok, needed, remedy }: Finding): string {
  if (ok) return row(name, found ?? '')
  return `${needed ? '✗' : '-'} ${name.padEnd(13)} ${found ?? (needed ? 'missing' : 'missing; only set-up needs it')}: ${remedy}`
}

function runtimeLines({ addon }: DoctorReport): readonly string[] {
  if (!addon.loads) return []
  const { cpuCapability, hasBfloat16, threads, cudaDevices, cudaError, peakResidentBytes } = addon.runtime
  return [
    row('kernels', `${cpuCapability}, ${hasBfloat16 ? 'fast bfloat16' : 'no fast bfloat16: float32 is the faster precision here'}`),
    row('threads', String(threads)),
    row('devices', cudaDevices > 0 ? `cpu, ${cudaDevices} × cuda` : 'cpu'),
    ...(cudaError ? [row('cuda', `there is a driver, but ${cudaError}: run \`npm run setup -- --cuda\``)] : []),
    row('memory', `${formatBytes(peakResidentBytes)} with libtorch loaded`),
  ]
}
