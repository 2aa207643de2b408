import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { SagetrainError } from '#ts/errors.js'
import { tidyCell } from '#ts/cli/finished-cell.js'
import { ArmRecord } from '#ts/cli/record.js'
import { readResults, runCells, type CellsOptions } from '#ts/cli/run-cells.js'
import { createTerminal } from '#ts/cli/terminal.js'
import type { Cell } from '#ts/reproduce/experiment.js'
import { temporaryFolder } from '../temporary.js'
import { scriptedTask, type Script } from './scripted-task.js'

function cell(arm: string, rate: number): Cell {
  return { name: `${arm}-lr-${rate}-seed-1`, label: arm, arm, rate, seed: 1, train: { optimizer: { type: 'adam', lr: rate, ...(arm === 'adam-sage' && { sage: {} }) }, steps: 20, seed: 1 } }
}

const CELLS = [cell('adam', 1e-3), cell('adam-sage', 1e-3), cell('adam', 2e-3)]

function longerBy10(one: Cell): Cell {
  return { ...one, train: { ...one.train, steps: 30 } }
}

async function options(script: Script, folder: string, signal = new AbortController().signal): Promise<CellsOptions & { readonly out: string[]; readonly kept: string[] }> {
  const [out, kept]: [string[], string[]] = [[], []]
  const command = scriptedTask(script)
  const task = await command.prepare({}, () => undefined, signal)
  const terminal = createTerminal({ write: (text: string) => out.push(text) }, {})
  return { command, task, prepare: {}, inputsOf: async () => ({}), folder, weights: 'best', keeps: 'checkpoints', together: 2, threads: 1, machine: 'here', terminal, signal, onResult: async ({ name }) => void kept.push(name), out, kept }
}

test('runs are trained two at a time, measured and kept; what is kept is not run again', async (t) => {
  const folder = temporaryFolder(t)
  const script: Script = { started: [], disposed: 0 }
  const given = await options(script, folder)
  await runCells(CELLS, given)
  t.deepEqual(given.kept, CELLS.map(({ name }) => name))
  t.regex(given.out.join(''), /Runs 1 and 2 of 3\n[\s\S]*Run 3 of 3, about /)
  const results = await readResults(CELLS, given)
  t.like(results.get('adam-sage-lr-0.001-seed-1'), { validation: 20, steps: 20, bestStep: 10, machine: 'here: cpu, float32, 1 thread', metrics: { bleu: 22, loss: 1.5 } })
  t.is(await readFile(join(folder, 'adam-lr-0.001-seed-1', 'outputs.txt'), 'utf8'), 'Hello \u001b[31madam-lr-0.001-seed-1\n')
  const longer = CELLS.map(longerBy10)
  await t.throwsAsync(readResults(longer, given), { code: 'ERR_STATE', message: /is of train\.steps 20, asked for is 30/ })
  await t.throwsAsync(readResults(CELLS, { ...given, prepare: { source: 'other' } }), { code: 'ERR_STATE', message: /is of prepare\.source nothing, asked for is "other"/ })
  await writeFile(join(folder, CELLS[0]?.name ?? '', 'cell.json'), '{"schema":1')
  await t.throwsAsync(readResults(CELLS, given), { code: 'ERR_DATA', message: /cell\.json: is no result/ })
})

test('of a run that is done its results stay, or the weights that were measured too, or everything', async (t) => {
  for (const [keeps, left] of [['results', []], ['model', ['model']], ['checkpoints', ['checkpoints']]] as const) {
    const folder = temporaryFolder(t)
    const script: Script = { started: [], disposed: 0 }
    script.onStep = async (name, step) => {
      const saved = join(folder, name, 'checkpoints', 'step-00000010')
      if (step === 12) for (const part of ['model', 'optimizer']) await mkdir(join(saved, part), { recursive: true }) // oxlint-disable-line no-await-in-loop -- two folders
      if (step === 12) await writeFile(join(saved, 'model', 'config.json'), name)
    }
    const given = { ...(await options(script, folder)), keeps }
    await runCells(CELLS, given)
    const first = join(folder, CELLS[0]?.name ?? '')
    t.deepEqual((await readdir(first)).filter((name) => ['checkpoints', 'model'].includes(name)), [...left])
    if (keeps === 'model') t.is(await readFile(join(first, 'model', 'config.json'), 'utf8'), CELLS[0]?.name ?? '')
    t.is((await readResults(CELLS, given)).size, 3)
  }
})

test('what a killed removal left goes with the next command', async (t) => {
  const folder = temporaryFolder(t)
  const [saved, result] = [join(folder, 'checkpoints', 'step-00000010'), { steps: 20, bestStep: 10, seconds: 1, validation: 1, metrics: {}, signatures: {}, machine: 'here' }]
  await mkdir(join(saved, 'optimizer'), { recursive: true })
  await mkdir(join(folder, 'model'))
  await writeFile(join(folder, 'model', 'config.json'), 'moved before')
  await tidyCell(folder, result, 'model')
  t.deepEqual([await readFile(join(folder, 'model', 'config.json'), 'utf8'), existsSync(join(folder, 'checkpoints'))], ['moved before', false])
  await tidyCell(folder, result, 'model')
  await mkdir(join(saved, 'model'), { recursive: true })
  await writeFile(join(saved, 'model', 'config.json'), 'measured again')
  await tidyCell(folder, result, 'model')
  t.is(await readFile(join(folder, 'model', 'config.json'), 'utf8'), 'measured again')
  await mkdir(join(saved, 'model'), { recursive: true })
  await tidyCell(folder, { ...result, diverged: 'NaN' }, 'results')
  t.deepEqual(await readdir(folder), ['model'])
})

test('a run that diverges is a result, and the one beside it goes on', async (t) => {
  const folder = temporaryFolder(t)
  const script: Script = { started: [], disposed: 0 }
  script.onStep = async (name, step) => {
    if (step === 2) await writeFile(join(folder, name, 'events.jsonl'), '')
    if (name === 'adam-sage-lr-0.001-seed-1' && step === 12) throw new SagetrainError('ERR_NON_FINITE', 'loss: is NaN at step 12')
  }
  const given = await options(script, folder)
  await runCells(CELLS, given)
  const results = await readResults(CELLS, given)
  t.like(results.get('adam-sage-lr-0.001-seed-1'), { validation: null, metrics: {}, steps: 11, seconds: 1.1, diverged: 'adam-sage-lr-0.001-seed-1: loss: is NaN at step 12' })
  t.is(results.get('adam-lr-0.001-seed-1')?.metrics['bleu'], 20)
  const again = script.started.filter(({ name }) => name === 'adam-lr-0.001-seed-1')
  t.deepEqual(again.map(({ resume }) => resume), [false, true], 'it was stopped and goes on from its checkpoint')
  t.notRegex(given.out.join(''), /Run 2 of 3/, 'it goes on beside the next')
  const alone = { ...(await options(script, join(folder, 'alone'))), together: 1 }
  await runCells([CELLS[1], CELLS[0], CELLS[2]].flatMap((one) => one ?? []), alone)
  t.regex(alone.out.join(''), /Run 2 of 3\n[^]*Run 3 of 3, about 2\.0 s left/, 'what diverged early says nothing of the pace')
})

test('a run whose outputs turn out not to be finite is a result too, and those beside it are measured', async (t) => {
  for (const what of ['held-out', 'test'] as const) {
    const folder = temporaryFolder(t)
    const script: Script = { started: [], disposed: 0 }
    script.onMeasure = (name, part) => { if (name === 'adam-sage-lr-0.001-seed-1' && part === what) throw new SagetrainError('ERR_NON_FINITE', 'source 3: the outputs hold NaN') }
    const given = { ...(await options(script, folder)), predictTest: true, together: 3 }
    await runCells(CELLS, given) // oxlint-disable-line no-await-in-loop -- one folder after the other
    const results = await readResults(CELLS, given) // oxlint-disable-line no-await-in-loop -- as above
    t.like(results.get('adam-sage-lr-0.001-seed-1'), { validation: null, metrics: {}, steps: 20, diverged: 'adam-sage-lr-0.001-seed-1: source 3: the outputs hold NaN' }, what)
    t.deepEqual([...results.values()].map(({ metrics }) => metrics['bleu']), [20, undefined, 20])
    t.deepEqual(script.started.map(({ name }) => name), [...CELLS, ...CELLS.slice(2)].map(({ name }) => name), 'what has its result is not trained again')
    t.deepEqual(given.kept.toSorted(), CELLS.map(({ name }) => name).toSorted())
  }
  const broken: Script = { started: [], disposed: 0, onMeasure: () => { throw new SagetrainError('ERR_IO', 'disk full') } }
  await t.throwsAsync(options(broken, temporaryFolder(t)).then((given) => runCells(CELLS, given)), { code: 'ERR_IO', message: /^adam-lr-0\.001-seed-1: disk full/ })
})

test('a run that was trained in parts names what each ran on', async (t) => {
  const folder = temporaryFolder(t)
  const one = CELLS.slice(0, 1)
  const script: Script = { started: [], disposed: 0 }
  await runCells(one, { ...(await options(script, folder)), threads: 2 })
  t.is((await readResults(one, await options(script, folder))).get(one[0]?.name ?? '')?.machine, 'here: cpu, float32, 2 threads')
  const record = new ArmRecord()
  for (const threads of [2, 1, 2]) record.add({ type: 'start', parameters: 1, device: 'cpu', precision: 'float32', threads, seconds: 0 })
  t.deepEqual(record.setups, ['cpu, float32, 2 threads', 'cpu, float32, 1 thread'])
})

test('what is no divergence is thrown, and a stop leaves the runs to be gone on with', async (t) => {
  const folder = temporaryFolder(t)
  const failing: Script = { started: [], disposed: 0, onStep: () => { throw new SagetrainError('ERR_IO', 'disk full') } }
  await t.throwsAsync(options(failing, folder).then((given) => runCells(CELLS, given)), { code: 'ERR_IO', message: /^adam-lr-0\.001-seed-1: disk full/ })
  const controller = new AbortController()
  const stopping: Script = { started: [], disposed: 0, onStep: (_name, step) => { if (step === 5) controller.abort(new Error('enough')) } }
  await mkdir(folder, { recursive: true })
  const given = await options(stopping, folder, controller.signal)
  await t.throwsAsync(runCells(CELLS, given), { message: 'enough' })
  t.is((await readResults(CELLS, given)).size, 0)
  const longer = CELLS.map(longerBy10)
  await t.throwsAsync(runCells(longer, await options({ started: [], disposed: 0 }, folder)), { code: 'ERR_STATE', message: /train\.steps 20, asked for is 30/ }, 'an unfinished run goes on as what it was')
})
