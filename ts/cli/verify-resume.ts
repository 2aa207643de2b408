import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { listCheckpoints } from '../checkpoint.js'
import { present } from '../json.js'
import { fixed } from '../report/format.js'
import { verifyResume, type Comparison, type ResumeCertificate, type StateDigests } from '../verify-resume.js'
import type { Command, Context } from './command.js'
import { EXIT, UsageError } from './exit-codes.js'
import { readRunFolder } from './run-folder.js'
import { printTable } from './table.js'
import { calledOff, watchInterruption } from './signals.js'
import { taskOf } from './train.js'

const LABELS: Readonly<Record<keyof StateDigests, string>> = {
  parameters: 'parameters',
  optimizer: 'optimizer state',
  gradients: 'unfinished gradients',
  counters: 'counters',
  position: 'place in the data',
}

/** Arrays that are named one by one; of more it is their number that counts. */
const NAMED = 10

export const verifyResumeCommand: Command = {
  name: 'verify-resume',
  usage: 'sagetrain verify-resume RUN|CHECKPOINT [options]',
  about: 'proves that a run goes on from its checkpoint to the same bits, by SHA-256 of everything that continuation depends on',
  options: {
    steps: { type: 'string', value: 'K', about: 'updates to take, once straight and once with a save and a load between (default: 4)' },
    'no-replay': { type: 'boolean', about: 'do not replay from the run’s last checkpoint but one to its last' },
  },
  examples: () => ['sagetrain verify-resume runs/translation', 'sagetrain verify-resume runs/quickstart/adam-sage --steps 20', 'sagetrain verify-resume runs/translation/checkpoints/step-00001200 --json'],
  run: async ({ positionals, options }, context) => {
    const [place, ...surplus] = positionals
    if (place === undefined || surplus.length > 0) throw new UsageError('verify-resume takes one run or checkpoint')
    const steps = Number(options['steps'] ?? 4)
    if (!Number.isSafeInteger(steps) || steps < 1) throw new UsageError(`--steps ${String(options['steps'])}: give a whole number above 0`)
    const { folder, checkpoint, later } = await checkpointsOf(place, options['no-replay'] !== true)
    using interruption = watchInterruption(() => undefined)
    try {
      const certificate = await certify({ folder, checkpoint, later, steps }, context, interruption.signal)
      context.json(certificate)
      print(certificate, context)
      return certificate.equal ? EXIT.ok : EXIT.error
    } catch (error) {
      if (!calledOff(error, interruption.signal)) throw error
      return interruption.exitCode() ?? EXIT.error
    }
  },
}

interface Place {
  /** The run's folder, with its configuration. */
  readonly folder: string
  readonly checkpoint: string
  readonly later: string | undefined
}

async function certify({ folder, checkpoint, later, steps }: Place & { readonly steps: number }, context: Context, signal: AbortSignal): Promise<ResumeCertificate> {
  const config = await readRunFolder(folder)
  await using task = await taskOf(config.task, context).prepare(config.prepare, (line) => context.terminal.line(line), signal)
  if (task.dataset === undefined) throw new UsageError(`the task "${config.task}" has no data that training could be repeated on`)
  context.terminal.line(`Taking ${fixed(steps)} updates from ${checkpoint}, twice${later === undefined ? '' : `, and replaying it up to ${later}`} …`)
  return await verifyResume(checkpoint, task.dataset, { steps, ...present({ later, tokenizers: task.tokenizerFiles }) })
}

/** A run's last checkpoint but one and its last, or the one that was given. */
async function checkpointsOf(place: string, replays: boolean): Promise<Place> {
  if (existsSync(join(place, 'manifest.json'))) return { folder: runFolderOf(dirname(dirname(resolve(place)))), checkpoint: place, later: undefined }
  const found = await listCheckpoints(join(place, 'checkpoints'))
  const [last, before] = [found.at(-1), found.at(-2)]
  if (last === undefined) throw new UsageError(`${place}: no checkpoint is there; give a run with checkpoints/ (of several arms one), or a checkpoint`)
  const pair = replays && before !== undefined
  return { folder: runFolderOf(resolve(place)), checkpoint: pair ? before : last, later: pair ? last : undefined }
}

/** An arm's configuration is the run's, a folder above. */
function runFolderOf(arm: string): string {
  return [arm, dirname(arm)].find((folder) => existsSync(join(folder, 'config.json'))) ?? arm
}

function print(certificate: ResumeCertificate, { terminal }: Context): void {
  const { checkpoint, step, steps, machine, interrupted, replayed, equal } = certificate
  terminal.line()
  terminal.line(`${checkpoint}, step ${fixed(step)}; libtorch ${machine.libtorch}, ${machine.cpuCapability}, ${machine.threads} ${machine.threads === 1 ? 'thread' : 'threads'}`)
  printComparison(`${fixed(steps)} updates`, ['straight on', 'saved and loaded'], interrupted, terminal)
  if (replayed !== undefined && 'incomparable' in replayed) terminal.line(`Not compared with ${replayed.later}: ${replayed.incomparable}`)
  else if (replayed !== undefined) printComparison(`${fixed(replayed.batches)} batches`, [replayed.later, 'replayed'], replayed, terminal)
  terminal.line(terminal.style('bold', equal ? 'The same to the last bit.' : 'Not the same.'))
}

function printComparison(what: string, [one, other]: readonly [string, string], { expected, found, differences }: Comparison, terminal: Context['terminal']): void {
  const parts = Object.keys(LABELS) as (keyof StateDigests)[]
  terminal.line()
  printTable(
    terminal,
    [{ label: `SHA-256 after ${what}`, align: 'left' }, { label: one, align: 'left' }, { label: other, align: 'left' }, { label: '', align: 'left' }],
    parts.map((part) => [LABELS[part], expected[part].slice(0, 16), found[part].slice(0, 16), expected[part] === found[part] ? 'equal' : 'DIFFERS']),
  )
  for (const name of differences.slice(0, NAMED)) terminal.line(`  differs: ${name}`)
  if (differences.length > NAMED) terminal.line(`  and ${fixed(differences.length - NAMED)} more`)
}
