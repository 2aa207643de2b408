import { readFileSync, writeFileSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { SagetrainError } from '#ts/errors.js'
import { runCommand } from '#ts/cli/run.js'
import { search } from '#ts/cli/search.js'
import { choiceOf } from '#ts/choice.js'
import { isObject, isSetAt } from '#ts/merge.js'
import type { TaskCommand } from '#ts/cli/task-command.js'
import { temporaryFolder } from '../temporary.js'
import { scriptedTask, type Script } from './scripted-task.js'

async function sagetrain(task: TaskCommand, args: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
  const out: string[] = []
  const output = { write: (text: string) => out.push(text) }
  const code = await runCommand(['search', ...args], { commands: [search], tasks: new Map([['scripted', task]]), version: '0.0.0', stdout: output, stderr: output, environment: {}, versions: () => [] })
  return { code, out: out.join('') }
}

test('every arm is tried at every rate, the best by validation is written with how it was found', async (t) => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'run.json')
  await writeFile(file, JSON.stringify({ $schema: 'kept', task: 'scripted', train: { optimizer: { type: 'adam', lr: 1 }, steps: 20 }, compare: [{ name: 'adam' }, { name: 'adam-sage', train: { optimizer: { sage: {} } } }] }))
  const script: Script = { started: [], disposed: 0 }
  // Adam-SAGE diverges at the larger rate; Adam beside it must be measured all the same.
  script.onStep = (arm, step) => {
    if (arm.startsWith('adam-sage-lr-0.004') && step === 12) throw new SagetrainError('ERR_NON_FINITE', 'loss: is NaN at step 12')
  }
  const { code, out } = await sagetrain(scriptedTask(script), ['--config', file, '--rates', '1e-3,4e-3', '--steps', '20', '--write', '--runs', folder])
  t.is(code, 0, out)
  const written = JSON.parse(await readFile(file, 'utf8'))
  t.is(written.$schema, 'kept')
  t.deepEqual(written.compare, [{ name: 'adam', train: { optimizer: { lr: 1e-3 } } }, { name: 'adam-sage', train: { optimizer: { sage: {}, lr: 1e-3 } } }])
  t.deepEqual(written.rates.trials, [
    { arm: 'adam', setting: 'lr 0.001', value: 20, chosen: true },
    { arm: 'adam', setting: 'lr 0.004', value: 20, chosen: false },
    { arm: 'adam-sage', setting: 'lr 0.001', value: 20, chosen: true },
    { arm: 'adam-sage', setting: 'lr 0.004', value: null, chosen: false },
  ])
  t.regex(written.rates.command, /^sagetrain search --config .* --rates 1e-3,4e-3 --steps 20 --write/)
  t.regex(written.rates.description, /with --steps 20, trained at each of lr 0\.001, 0\.004;/)
  t.deepEqual((await readdir(join(folder, 'run-search'))).toSorted(), ['search.html', 'search.json', 'search.md', 'trials', 'trials-grid.svg'])
})

test.serial('a grid of rates, β0 and β1 goes on where it was stopped, and is drawn', async (t) => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'run.json')
  await writeFile(file, JSON.stringify({ task: 'scripted', name: 'grid', train: { optimizer: { type: 'adam', lr: 1, betas: [0.9, 0.98] }, steps: 10, threads: 2 }, compare: [{ name: 'adam' }, { name: 'adam-sage', train: { optimizer: { sage: { beta0: 0.8 } } } }] }))
  const script: Script = { started: [], disposed: 0 }
  script.onStep = (_arm, step) => void (script.started.length === 4 && step === 3 && process.emit('SIGINT', 'SIGINT'))
  const args = ['--config', file, '--rates', '1e-3,2e-3', '--beta0', '0.6,0.8', '--beta1', '0.5,0.9', '--runs', folder, '--write']
  t.is((await sagetrain(scriptedTask(script), args)).code, 130)
  t.is(script.started.length, 4)
  script.onStep = () => undefined
  const { code, out } = await sagetrain(scriptedTask(script), args)
  t.is(code, 0, out)
  t.regex(out, /Plan: grid, 12 runs, 2 at a time; 2 are done/)
  t.is(new Set(script.started.map(({ name }) => name)).size, 12)
  t.true(script.started.every(({ train }) => train['threads'] === 1), 'the machine’s two threads, or those that the file has, are shared')
  const { trials } = JSON.parse(await readFile(file, 'utf8')).rates
  t.deepEqual(trials.filter(({ arm }: { arm: string }) => arm === 'adam').map(({ setting }: { setting: string }) => setting), ['lr 0.001, β1 0.5', 'lr 0.002, β1 0.5', 'lr 0.001, β1 0.9', 'lr 0.002, β1 0.9'])
  t.is(trials.length, 12)
  t.deepEqual(JSON.parse(await readFile(file, 'utf8')).compare, [
    { name: 'adam', train: { optimizer: { lr: 1e-3, betas: [0.9, 0.98] } } },
    { name: 'adam-sage', train: { optimizer: { sage: { beta0: 0.8 }, lr: 1e-3, betas: [0.9, 0.98] } } },
  ], 'of points as good as each other those of the configuration, at the lowest rate')
  const tie = /Of equally good points the one with the lowest rate is taken, then with the configuration’s own β0 and β1/
  for (const told of [out, JSON.parse(await readFile(file, 'utf8')).rates.description, await readFile(join(folder, 'grid-search/search.md'), 'utf8')]) t.regex(told, tie)
  t.regex(out, /lr 0\.002, β1 0\.5 +10\.00  equally good/)
  const kept = JSON.parse(await readFile(join(folder, 'grid-search/search.json'), 'utf8'))
  t.deepEqual([kept.results.best.length, kept.results.ties.length], [2, 10])
  const markdown = await readFile(join(folder, 'grid-search/search.md'), 'utf8')
  for (const part of ['Adam-SAGE, β0 0.8', '| β1 | lr 0.001 | lr 0.002 |', '| 0.9 | 10.00 | 10.00 |']) t.true(markdown.includes(part), part)
  const drawing = await readFile(join(folder, 'grid-search/trials-grid.svg'), 'utf8')
  t.is(drawing.match(/>10\.0</g)?.length, 12)
  const refused = await sagetrain(scriptedTask(script), ['--config', file, '--rates', '1e-3', '--beta0', '1'])
  t.deepEqual([refused.code, /--beta0 1: give numbers from 0 to below 1/.test(refused.out)], [2, true], refused.out)
})

test('points are ranked by what their runs choose their best by, at the evaluation that is kept', async (t) => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'run.json')
  const train = { optimizer: { type: 'adam', lr: 1 }, best: { metric: 'loss' }, steps: 20 }
  await writeFile(file, JSON.stringify({ task: 'scripted', name: 'chosen', train }))
  const script: Script = { started: [], disposed: 0 }
  // The larger rate has the lower loss and the lower BLEU; its loss rises again, its BLEU does not fall.
  const found = { '0.001': [[0.5, 30], [0.45, 40]], '0.004': [[0.3125, 5], [0.9, 10]] } as const
  script.evaluation = (arm, step) => {
    const [loss, bleu] = found[arm.includes('0.004') ? '0.004' : '0.001'][step === 10 ? 0 : 1]
    return { metrics: { loss, bleu }, best: step === 10 || arm.includes('0.001') }
  }
  const task: TaskCommand = { ...scriptedTask(script), choice: ({ best }) => choiceOf(isObject(best) ? String(best['metric']) : 'bleu') }
  const args = ['--config', file, '--rates', '1e-3,4e-3', '--write', '--runs', folder]
  const { code, out } = await sagetrain(task, args)
  t.is(code, 0, out)
  const written = JSON.parse(await readFile(file, 'utf8'))
  t.is(written.train.optimizer.lr, 4e-3)
  t.like(written.rates, { metric: 'validation loss', trials: [{ setting: 'lr 0.001', value: 0.45, chosen: false }, { setting: 'lr 0.004', value: 0.3125, chosen: true }] })
  t.regex(out, /lr 0\.004 +0\.3125 +best/)
  const drawing = await readFile(join(folder, 'chosen-search/trials-grid.svg'), 'utf8')
  t.deepEqual([...drawing.matchAll(/fill-opacity="([\d.]+)"\/><text[^>]*>([^<]*)</g)].map(([, shade, told]) => [told, shade]), [['0.450', '0.06'], ['0.313', '0.50']], 'the best is the darkest')

  const [first = ''] = await readdir(join(folder, 'chosen-search/trials'))
  const cell = join(folder, 'chosen-search/trials', first, 'cell.json')
  const { validationBy, ...rest } = JSON.parse(await readFile(cell, 'utf8'))
  t.is(validationBy, 'loss')
  await writeFile(cell, JSON.stringify({ ...rest, validation: 40 }))
  t.is((await sagetrain(task, args)).code, 0)
  t.is(script.started.length, 3, 'what was ranked by the headline is ranked anew')

  await writeFile(file, JSON.stringify({ task: 'scripted', train, compare: [{ name: 'a' }, { name: 'b', train: { best: { metric: 'bleu' } } }] }))
  const mixed = await sagetrain(task, args)
  t.deepEqual([mixed.code, /chosen by different numbers, loss and bleu: a search ranks all by one/.test(mixed.out)], [2, true], mixed.out)
})

test('a run that stops because the one beside it diverged is ranked anew too', async (t) => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'run.json')
  await writeFile(file, JSON.stringify({ task: 'scripted', name: 'beside', train: { optimizer: { type: 'adam', lr: 1 }, steps: 20 }, compare: [{ name: 'a' }, { name: 'b' }] }))
  const script: Script = { started: [], disposed: 0 }
  const task: TaskCommand = { ...scriptedTask(script), choice: () => choiceOf('loss') }
  const args = ['--config', file, '--rates', '1e-3', '--runs', folder]
  t.is((await sagetrain(task, args)).code, 0)
  const trials = join(folder, 'beside-search/trials')
  const cells = (await readdir(trials)).map((name) => join(trials, name, 'cell.json'))
  t.is(cells.length, 2)
  for (const cell of cells) {
    const { validationBy: _, ...before } = JSON.parse(readFileSync(cell, 'utf8'))
    writeFileSync(cell, JSON.stringify({ ...before, validation: 40 }))
  }
  script.onStep = (arm, step) => {
    if (arm.startsWith('a') && step === 12) throw new SagetrainError('ERR_NON_FINITE', 'loss: is NaN at step 12')
  }
  const { code, out } = await sagetrain(task, args)
  t.is(code, 0, out)
  t.like(cells.map((cell) => JSON.parse(readFileSync(cell, 'utf8'))), [{ validation: null, validationBy: 'loss' }, { validation: 0.4, validationBy: 'loss' }], out)
})

for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]] as const) {
  test.serial(`${signal} during the preparation or a trial stops the search with ${code} and no complaint`, async (t) => {
    const folder = temporaryFolder(t)
    const file = join(folder, 'run.json')
    await writeFile(file, JSON.stringify({ task: 'scripted', train: { optimizer: { type: 'adam', lr: 1 }, steps: 20 } }))
    const args = ['--config', file, '--rates', '1e-3', '--runs', join(folder, 'runs')]
    const scripted = scriptedTask({ started: [], disposed: 0 })
    const preparing: TaskCommand = {
      ...scripted,
      prepare: async (_options, _say, stop) => {
        process.emit(signal, signal)
        stop.throwIfAborted()
        return t.fail('not stopped') as never
      },
    }
    const early = await sagetrain(preparing, args)
    t.is(early.code, code)
    t.regex(early.out, /once more to exit at once\.\nStopped\. The same command goes on/)
    t.deepEqual(await readdir(join(folder, 'runs')).catch(() => []), [])

    const script: Script = { started: [], disposed: 0, onStep: (_arm, step) => void (step === 3 && process.emit(signal, signal)) }
    const late = await sagetrain(scriptedTask(script), args)
    t.is(late.code, code, late.out)
    t.notRegex(late.out, /unexpected/)
    t.is(script.disposed, 2)
    t.is(process.listenerCount(signal), 0)
  })
}

test('configurations without a name have a folder each, and need no rate', async (t) => {
  const folder = temporaryFolder(t)
  for (const name of ['one', 'two']) {
    const file = join(folder, `${name}.json`)
    await writeFile(file, JSON.stringify({ task: 'scripted', train: { optimizer: { type: 'adam' }, steps: 10 } }))
    const strict: TaskCommand = { ...scriptedTask({ started: [], disposed: 0 }), check: ({ optimizer }) => void t.true(isSetAt(optimizer, ['lr'])) }
    const { code, out } = await sagetrain(strict, ['--config', file, '--rates', '1e-3', '--runs', join(folder, 'runs')])
    t.is(code, 0, out)
  }
  t.deepEqual(await readdir(join(folder, 'runs')), ['one-search', 'two-search'])
})

test('a configuration that is refused leaves no folder', async (t) => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'run.json')
  await writeFile(file, JSON.stringify({ task: 'scripted', train: {} }))
  const refusing: TaskCommand = scriptedTask({ started: [], disposed: 0 })
  const task: TaskCommand = {
    ...refusing,
    check: () => {
      throw new SagetrainError('ERR_CONFIG', 'train.stepz: unknown option')
    },
  }
  const { code, out } = await sagetrain(task, ['--config', file, '--rates', '1e-3', '--runs', join(folder, 'runs')])
  t.is(code, 2, out)
  t.deepEqual(await readdir(join(folder, 'runs')).catch(() => []), [])

  await writeFile(file, JSON.stringify({ task: 'scripted', train: { threads: 0 } }))
  const early = await sagetrain({ ...refusing, prepare: async () => Promise.reject(new Error('prepared')) }, ['--config', file, '--rates', '1e-3'])
  t.is(early.code, 2, 'what no arm could be trained with is refused before the data are prepared')
})
