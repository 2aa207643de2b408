import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { SagetrainError } from '#ts/errors.js'
import { runCommand } from '#ts/cli/run.js'
import { train } from '#ts/cli/train.js'
import { temporaryFolder } from '../temporary.js'
import { scriptedTask, type Script } from './scripted-task.js'

interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
  readonly script: Script
  readonly runs: string
}

async function sagetrain(t: ExecutionContext, args: readonly string[], onStep?: Script['onStep'], runs?: string): Promise<Outcome> {
  const folder = runs ?? (await mkdtemp(join(tmpdir(), 'sagetrain-train-')))
  if (runs === undefined) t.teardown(() => rm(folder, { recursive: true, force: true }))
  const script: Script = { started: [], disposed: 0, ...(onStep && { onStep }) }
  const [out, err]: [string[], string[]] = [[], []]
  const code = await runCommand(args.includes('--resume') || !args.includes('scripted') ? args : [...args, '--runs', folder], {
    commands: [train],
    tasks: new Map([['scripted', scriptedTask(script)]]),
    version: '0.0.0',
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    environment: {},
    versions: () => [],
  })
  return { code, out: out.join(''), err: err.join(''), script, runs: folder }
}

const COMPARE = { task: 'scripted', train: { optimizer: { type: 'adam', lr: 1e-3 }, steps: 20, threads: 4 }, compare: [{ name: 'adam' }, { name: 'adam-sage', train: { optimizer: { sage: { beta0: 0.8 } } } }] }

async function configFile(t: ExecutionContext, config: unknown): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sagetrain-config-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const file = join(folder, 'run.json')
  await writeFile(file, JSON.stringify(config))
  return file
}

test('a run prints its plan first, trains, and leaves its report', async (t) => {
  const { code, out, err, runs, script } = await sagetrain(t, ['train', 'scripted', '--optimizer', 'adam-sage', '--optimizer.sage.beta0', '0.7'])
  t.is(code, 0, err)
  t.true(out.indexOf('Plan: scripted, Adam-SAGE') < out.indexOf('adam-sage  step'))
  t.regex(out, /validation: loss 0\.800 {2}BLEU 10\.0 {2}\(best so far\)/)
  t.regex(out, /One seed per arm \(seed 1\)/)
  t.deepEqual((await readdir(join(runs, 'scripted'))).toSorted(), ['checkpoints', 'config.json', 'report.html', 'result.json'])
  t.deepEqual(JSON.parse(await readFile(join(runs, 'scripted', 'config.json'), 'utf8')).train.optimizer, { type: 'adam', lr: 1e-3, sage: { beta0: 0.7 } })
  t.is(script.disposed, 2)
  // oxlint-disable-next-line no-control-regex -- nothing of a translation may reach the terminal's own language
  t.notRegex(out, /\u001b/)
})

test('arms run at the same time, each with its share of the threads and its own folder', async (t) => {
  const waiting = new Map<string, () => void>()
  // Each arm's first step waits for the other's: one after the other they would wait for ever.
  const { code, out, runs, script } = await sagetrain(t, ['train', 'scripted', '--config', await configFile(t, COMPARE)], (arm, step) => {
    if (step > 1) return undefined
    return new Promise<void>((resolve) => {
      waiting.set(arm, resolve)
      if (waiting.size === 2) for (const go of waiting.values()) go()
    })
  })
  t.is(code, 0, out)
  t.deepEqual(script.started.map(({ train: { threads } }) => threads), [2, 2])
  t.deepEqual((await readdir(join(runs, 'scripted'))).toSorted(), ['adam', 'adam-sage', 'config.json', 'report.html', 'result.json'])
  t.regex(out, /Adam-SAGE is ahead by 2\.0 BLEU/)
  t.regex(out, /Adam {7,}1\.500.*20\.0 \[18\.0, 22\.0\]/)
  t.regex(await readFile(join(runs, 'scripted', 'report.html'), 'utf8'), /Hallo &lt;Welt&gt;/)
})

test('--json puts the result alone on standard output', async (t) => {
  const { code, out, err } = await sagetrain(t, ['train', 'scripted', '--json', '--steps', '5'])
  t.is(code, 0)
  t.is(JSON.parse(out).arms[0].result.metrics.bleu, 20)
  t.regex(err, /Plan: scripted/)
})

test('several seeds run one after the other and are reported as mean and deviation', async (t) => {
  const { code, out, script, runs } = await sagetrain(t, ['train', 'scripted', '--seeds', '3,5', '--steps', '5'])
  t.is(code, 0)
  t.deepEqual(script.started.map(({ name, train: { seed } }) => [name, seed]), [['adam-seed-3', 3], ['adam-seed-5', 5]])
  t.regex(out, /Adam, mean ± s +1\.500 ± 0\.000/)
  t.true((await readdir(join(runs, 'scripted'))).includes('adam-seed-5'))
})

test('a second run of the same name gets its own folder', async (t) => {
  const { runs } = await sagetrain(t, ['train', 'scripted', '--steps', '2'])
  await Promise.all([1, 2].map(() => sagetrain(t, ['train', 'scripted', '--steps', '2', '--runs', runs], undefined, runs)))
  t.deepEqual((await readdir(runs)).toSorted(), ['scripted', 'scripted-2', 'scripted-3'])
})

test.serial('a signal ends the run in good order, with the command that goes on, and its exit code', async (t) => {
  for (const [signal, expected] of [['SIGINT', 130], ['SIGTERM', 143]] as const) {
    // oxlint-disable-next-line no-await-in-loop -- signals are the process's: one run at a time
    const { code, out, runs, script } = await sagetrain(t, ['train', 'scripted', '--config', await configFile(t, COMPARE)], (arm, step) => {
      if (arm === 'adam' && step === 7) process.emit(signal, signal)
    })
    t.is(code, expected)
    t.regex(out, /finishing the step and saving; once more to exit at once/)
    t.regex(out, new RegExp(`Stopped\\. To go on: npx sagetrain train --resume ${runs}/scripted\n`))
    t.is(script.disposed, 3)
    t.regex(await readFile(join(runs, 'scripted', 'report.html'), 'utf8'), /Interrupted before its end/)
    t.is(process.listenerCount(signal), 0)

    const resumed = await sagetrain(t, ['train', '--resume', join(runs, 'scripted')])
    t.is(resumed.code, 0, resumed.err)
    t.deepEqual(resumed.script.started.map(({ name, resume }) => [name, resume]), [['adam', true], ['adam-sage', true]])
    const { command } = JSON.parse(await readFile(join(runs, 'scripted', 'result.json'), 'utf8'))
    t.regex(command, /^sagetrain train scripted --config \S+ --runs \S+; sagetrain train --resume \S+$/)
  }
})

test('an arm that fails stops the other, which saves', async (t) => {
  const { code, out, err, script, runs } = await sagetrain(t, ['train', 'scripted', '--config', await configFile(t, COMPARE)], (arm, step) => {
    if (arm === 'adam-sage' && step === 3) throw new Error('diverged')
  })
  t.is(code, 1)
  t.regex(err, /unexpected: Error: diverged/)
  t.is(script.disposed, 3)
  t.is((await readdir(join(runs, 'scripted', 'adam', 'checkpoints'))).length, 1)
  t.regex(await readFile(join(runs, 'scripted', 'report.html'), 'utf8'), /Interrupted before its end/)
  t.regex(out, new RegExp(`Once its cause is mended, .*train --resume ${runs}/scripted\n`))
})

test('an arm that diverges is named, with what helps; resuming would not', async (t) => {
  const config = await configFile(t, COMPARE)
  const diverge = (arm: string, step: number): void => {
    if (arm === 'adam-sage' && step === 3) throw new SagetrainError('ERR_NON_FINITE', 'step 3: the gradient of w is NaN')
  }
  const { code, out, err, runs } = await sagetrain(t, ['train', 'scripted', '--config', config], diverge)
  t.is(code, 1)
  t.regex(err, /^sagetrain: adam-sage: step 3: the gradient of w is NaN \(ERR_NON_FINITE\)/)
  t.regex(out, /would diverge again: train anew with a lower rate \(--compare\.adam-sage\.optimizer\.lr\)/)
  t.notRegex(out, /--resume/)
  t.regex(await readFile(join(runs, 'scripted', 'report.html'), 'utf8'), /Interrupted before its end/)
  const { out: json } = await sagetrain(t, ['train', 'scripted', '--config', config, '--json'], diverge)
  t.like(JSON.parse(json).error, { code: 'ERR_NON_FINITE', fields: { arm: 'adam-sage' } })
})

test('what cannot be run is refused with its reason and exit code, and leaves nothing behind', async (t) => {
  const config = await configFile(t, { task: 'scripted', train: {} })
  for (const [args, code, message] of [
    [['train'], 2, /which task\? There are: scripted/],
    [['train', 'scripted', 'twice'], 2, /train takes one task/],
    [['train', 'unscripted'], 2, /unknown task "unscripted"; there are: scripted/],
    [['trian', 'scripted'], 2, /unknown command "trian"; did you mean "train"\?/],
    [['train', 'scripted', '--optimiser', 'adam'], 2, /unknown option --optimiser; did you mean --optimizer\?/],
    [['train', 'scripted', '--seeds', 'many'], 2, /--seeds many: give a count/],
    [['train', 'scripted', '--config', config], 2, /train\.optimizer: is missing \(ERR_CONFIG\)/],
    [['train', 'scripted', '--source', 'missing'], 1, /source: missing is not a file; give one \(ERR_DATA\)/],
    [['train', 'scripted', '--threads', '0'], 2, /train\.threads: expected a whole number >= 1, got 0/],
    [['train', 'scripted', '--threads', '1.5'], 2, /train\.threads: .*got 1\.5/],
    [['train', 'scripted', '--threads', 'abc'], 2, /train\.threads: .*got "abc"/],
    [['train', 'scripted', '--config', await configFile(t, COMPARE), '--compare.adam.threads', '3'], 2, /compare\.adam\.threads: arms share the threads equally; give train\.threads/],
    [['train', '--resume', '/nowhere'], 2, /no run is there/],
    [['train', '--resume', '/nowhere', '--steps', '3'], 2, /--steps cannot change it/],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- each case has its own folder and is over at once
    const outcome = await sagetrain(t, args)
    t.is(outcome.code, code, args.join(' '))
    t.regex(outcome.err, message)
    // oxlint-disable-next-line no-await-in-loop -- likewise
    t.deepEqual(await readdir(outcome.runs), [], args.join(' '))
  }
  const { out } = await sagetrain(t, ['train', 'scripted', '--source', 'missing', '--json'])
  t.is(JSON.parse(out).error.code, 'ERR_DATA')
})

test('--resume refuses everything that would be of another run', async (t) => {
  const { runs } = await sagetrain(t, ['train', 'scripted', '--steps', '2'])
  const folder = join(runs, 'scripted')
  for (const [args, message] of [
    [['--seeds', '3'], /own configuration; --seeds cannot change it/],
    [['--name', 'other', '--runs', 'elsewhere'], /--name, --runs cannot change it/],
    [['--config', 'run.json', '--steps', '3'], /--config, --steps cannot change it/],
    [['unscripted'], /is a run of the task "scripted", not "unscripted"/],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- each is over at once
    const { code, err, script } = await sagetrain(t, ['train', ...args, '--resume', folder])
    t.is(code, 2, args.join(' '))
    t.regex(err, message)
    t.deepEqual(script.started, [])
  }
  t.is((await sagetrain(t, ['train', 'scripted', '--resume', folder])).code, 0)
})

test.serial('a run that is being trained is not gone on with; one whose process died is', async (t) => {
  const folder = temporaryFolder(t)
  let beside: Outcome | undefined
  const { code, runs } = await sagetrain(t, ['train', 'scripted', '--steps', '4', '--name', 'busy', '--runs', folder], async (_arm, step) => {
    if (step === 2) beside = await sagetrain(t, ['train', '--resume', join(folder, 'busy')])
  }, folder)
  t.is(code, 0)
  t.is(beside?.code, 1)
  t.regex(beside?.err ?? '', new RegExp(`busy is being trained by this process \\(${process.pid}\\); wait for its end.*ERR_STATE`))
  t.deepEqual(beside?.script.started, [])

  const lock = join(runs, 'busy', 'lock')
  t.false(existsSync(lock))
  await writeFile(lock, JSON.stringify({ pid: process.pid, started: 'long ago', host: hostname() }))
  t.is((await sagetrain(t, ['train', '--resume', join(runs, 'busy')])).code, 0)
})

test('help has every command, option, example and exit code; no command at all is a usage error', async (t) => {
  const general = await sagetrain(t, ['--help'])
  t.is(general.code, 0)
  t.regex(general.out, /train +trains a task[^]*scripted {2}a formula[^]*sagetrain train scripted --steps 20[^]*130 {2}Ctrl-C/)
  const command = await sagetrain(t, ['train', '--help'])
  t.is(command.code, 0)
  for (const option of ['--config FILE', '--seeds N|LIST', '--resume FOLDER', '--json', '--compare.ARM.KEY']) t.true(command.out.includes(option), option)
  t.is((await sagetrain(t, ['help', 'train'])).out, command.out)
  const task = await sagetrain(t, ['train', 'scripted', '--help'])
  for (const part of ['sagetrain train scripted: a formula', 'Usage: sagetrain train scripted [options]', 'Defaults of scripted', '  optimizer  adam lr 0.001\n  steps      20\n']) t.true(task.out.includes(part), part)
  t.is((await sagetrain(t, ['help', 'train', 'scripted'])).out, task.out)
  t.is((await sagetrain(t, [])).code, 2)
  t.is((await sagetrain(t, ['--version'])).out, '0.0.0\n')
})
