// A doctor's report for people.
import { formatBytes } from './progress.mjs'

/** @typedef {import('./doctor.mjs').DoctorReport} DoctorReport */

/**
 * The machine, what was found with the remedy where something will not do, and what libtorch says, as lines.
 *
 * @param {DoctorReport} report
 * @returns {string[]}
 */
export function doctorLines({ machine, findings, addon, ok }) {
  return [
    row('machine', `${machine.platform}, ${machine.cores} × ${machine.processor}, ${formatBytes(machine.memoryBytes)} of memory`),
    row('cache', `${machine.cacheFolder}, ${formatBytes(machine.cacheFreeBytes)} free`),
    ...findings.map(findingLine),
    ...(addon.loads ? runtimeLines(addon.runtime) : []),
    '',
    ok ? 'Training can run here.' : 'Training cannot run here yet.',
  ]
}

/**
 * @param {string} label
 * @param {string} value
 */
const row = (label, value) => `  ${label.padEnd(13)} ${value}`

/** @param {import('./doctor.mjs').Finding} finding */
function findingLine({ name, found, ok, needed, remedy }) {
  if (ok) return row(name, found ?? '')
  return `${needed ? '✗' : '-'} ${name.padEnd(13)} ${found ?? (needed ? 'missing' : 'missing; only set-up needs it')}: ${remedy}`
}

/** @param {import('../../bindings/binding.cjs').Runtime} runtime */
function runtimeLines({ cpuCapability, hasBfloat16, threads, cudaDevices, cudaError, peakResidentBytes }) {
  return [
    row('kernels', `${cpuCapability}, ${hasBfloat16 ? 'fast bfloat16' : 'no fast bfloat16: float32 is the faster precision here'}`),
    row('threads', String(threads)),
    row('devices', cudaDevices > 0 ? `cpu, ${cudaDevices} × cuda` : 'cpu'),
    ...(cudaError ? [row('cuda', `there is a driver, but ${cudaError}: run \`npm run setup -- --cuda\``)] : []),
    row('memory', `${formatBytes(peakResidentBytes)} with libtorch loaded`),
  ]
}
