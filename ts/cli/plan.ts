import type { Json } from '../json.js'
import { fixed } from '../report/format.js'
import { isObject, type JsonObject } from '../merge.js'
import type { ArmRun } from './arms.js'
import type { RunConfig } from './run-config.js'
import { printFacts } from './table.js'
import type { PreparedTask } from './task-command.js'
import type { Terminal } from './terminal.js'

/** A specification in a few words: `adam lr 0.002 betas 0.9,0.98 sage(beta0 0.8)`. */
export function inWords(value: Json): string {
  if (Array.isArray(value)) return value.map(inWords).join(',')
  if (!isObject(value)) return String(value)
  const { type, ...rest } = value
  const words = Object.entries(rest).map(([key, item]) => (isObject(item) ? `${key}(${inWords(item)})` : item === true ? key : `${key} ${inWords(item)}`))
  return [...(typeof type === 'string' ? [type] : []), ...words].join(' ')
}

function common(runs: readonly ArmRun[]): JsonObject {
  const [first, ...others] = runs.map(({ train }) => train)
  const shared = Object.entries(first ?? {}).filter(([key, value]) => others.every((other) => JSON.stringify(other[key]) === JSON.stringify(value)))
  return Object.fromEntries(shared)
}

/** What an arm has that the others have not. */
function own(run: ArmRun, shared: JsonObject): string {
  const rest = Object.fromEntries(Object.entries(run.train).filter(([key]) => !(key in shared) && key !== 'seed'))
  return inWords(rest.optimizer !== undefined && Object.keys(rest).length === 1 ? rest.optimizer : rest)
}

/**
 * What ends a training that has both epochs and steps; undefined for one that has not.
 *
 * @param samples of the training part, where they are known
 */
export function endOf({ epochs, steps, batch, accumulate }: JsonObject, samples: number | undefined): string | undefined {
  if (typeof epochs !== 'number' || typeof steps !== 'number') return undefined
  const batchSize = isObject(batch) ? batch['batchSize'] : undefined
  const [few, many] = [counted(steps, 'step'), counted(epochs, 'epoch')]
  if (samples === undefined || typeof batchSize !== 'number' || accumulate !== undefined) return `${few} or ${many}, whichever comes first`
  const each = Math.ceil(samples / batchSize)
  return steps <= epochs * each ? `${few}; ${many} would be ${fixed(epochs * each)}` : `${many} of ${counted(each, 'step')}, before ${few}`
}

/** `1 step`, `5 steps`. */
function counted(number: number, what: string): string {
  return `${fixed(number)} ${what}${number === 1 ? '' : 's'}`
}

/** Prints what is going to happen before any of it does, and about how long it takes. */
export function printPlan(terminal: Terminal, config: RunConfig, seeds: readonly (readonly ArmRun[])[], { facts, dataset }: Pick<PreparedTask, 'facts' | 'dataset'>, folder: string): void {
  const runs = seeds[0] ?? []
  const shared = common(runs)
  const both = runs.length > 1
  const end = endOf(shared, dataset?.length)
  terminal.line()
  terminal.line(terminal.style('bold', `Plan: ${config.task}, ${runs.map(({ label }) => label).join(' and ')}${both ? ', side by side' : ''}${seeds.length > 1 ? `, ${seeds.length} seeds` : ''}`))
  printFacts(terminal, [
    ...facts,
    ...(both ? runs.map((run) => ({ label: run.name, value: own(run, shared) })) : []),
    ...Object.entries(shared).map(([label, value]) => ({ label: label === 'threads' && both ? 'threads each' : label, value: inWords(value) || 'with its defaults' })),
    ...(end === undefined ? [] : [{ label: 'ends after', value: end }]),
    { label: 'estimate', value: estimate(config, seeds.length) },
    { label: 'folder', value: folder },
  ])
  terminal.line()
}

function estimate({ estimate: measured }: RunConfig, seeds: number): string {
  if (measured === undefined) return 'follows from the first steps (ETA)'
  const minutes = Math.round(measured.minutes * seeds)
  return `about ${minutes < 1 ? 'one minute at most' : `${minutes} minute${minutes === 1 ? '' : 's'}`}, as measured on ${measured.machine}; the ETA tells this machine's`
}
