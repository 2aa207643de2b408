/**
 * Calls every public function and method with every class of bad value in every place, the other places good, and prints what came of it
 * as one line of JSON. Run in a process of its own: what must not happen is its death.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as sagetrain from '#ts/index.js'
import { lines } from '../task/corpus.js'
import { perceptron, pointSet, transformer } from '../samples.js'
import { badValues, Mine } from './bad-values.js'

interface Target {
  readonly name: string
  readonly call: (...args: never[]) => unknown
  readonly good: readonly unknown[]
}

/** What the calls came to. */
export interface BadCallsReport {
  readonly calls: number
  readonly targets: number
  /** Calls that gave a typed error, by code. */
  readonly refused: Readonly<Record<string, number>>
  /** Calls that gave another error. */
  readonly untyped: readonly string[]
  /** Functions of the addon itself, called without TypeScript's checks. */
  readonly native: { readonly calls: number; readonly oddities: readonly string[] }
}

const { adam, adamw, createOptimizer, Dataset, Model, Session, Spiral, Tokenizer, Translation, Translator } = sagetrain

async function targets(): Promise<Target[]> {
  const spec = adam({ lr: 1e-3 })
  const parameters = [{ name: 'w', shape: [3], data: new Float32Array(3) }]
  const optimizer = createOptimizer(spec, parameters)
  const dataset = await pointSet(8)
  const batch = dataset.batch([0, 1])
  const model = await perceptron()
  const session = await Session.create({ model: await perceptron(), optimizer: spec, threads: 1 })
  const spiral = await Spiral.prepare({ samples: 20, validSamples: 10 })
  const task = await Translation.prepare({ tsv: write('train.tsv'), vocabulary: { size: 300 }, output: '.' })
  const folder = join(process.cwd(), 'model')
  await (await transformer()).save(folder)
  return [
    target('adam', adam, [{ lr: 1 }]),
    target('adamw', adamw, [{ lr: 1 }]),
    target('sgd', sagetrain.sgd, [{ lr: 1 }]),
    target('adamax', sagetrain.adamax, [{ lr: 1 }]),
    target('constant', sagetrain.constant, [undefined]),
    target('linear', sagetrain.linear, [{ warmupSteps: 1 }]),
    target('inverseSqrt', sagetrain.inverseSqrt, [{ warmupSteps: 1 }]),
    target('cosine', sagetrain.cosine, [{ warmupSteps: 1 }]),
    target('polynomial', sagetrain.polynomial, [{ power: 1, warmupSteps: 1 }]),
    target('warmupLinear', sagetrain.warmupLinear, [{ warmupRatio: 0.1 }]),
    target('multiplierAt', sagetrain.multiplierAt, [sagetrain.inverseSqrt({ warmupSteps: 2 }), 1, 10]),
    target('createOptimizer', createOptimizer, [spec, parameters, {}]),
    target('Optimizer.step', optimizer.step.bind(optimizer), [[new Float32Array(3)], {}]),
    target('Optimizer.step, one gradient', (gradient: Float32Array<ArrayBuffer>) => optimizer.step([gradient]), [new Float32Array(3)]),
    target('createOptimizer, 16 bits', createOptimizer, [spec, [{ name: 'w', shape: [2], data: new Uint16Array(2), dtype: 'bfloat16' }], { rounding: 'kahan', lossScale: {} }]),
    target('Optimizer.load', optimizer.load.bind(optimizer), [optimizer.state()]),
    target('Optimizer.save', optimizer.save.bind(optimizer), ['state.safetensors']),
    target('Optimizer.restore', optimizer.restore.bind(optimizer), ['none', {}]),
    target('Optimizer.exportTorch', optimizer.exportTorch.bind(optimizer), ['torch.safetensors']),
    target('Optimizer.importTorch', optimizer.importTorch.bind(optimizer), ['none', { step: 1 }]),
    target('Dataset.open', Dataset.open, ['none']),
    target('Dataset.from', Dataset.from, [[{ a: new Int32Array(1) }]]),
    target('Dataset.from, one sample', (sample: sagetrain.Sample) => Dataset.from([sample]), [{ a: new Int32Array(1) }]),
    target('Dataset.from, one row', (row: Int32Array) => Dataset.from([{ a: row }]), [new Int32Array(1)]),
    target('Dataset.loader', dataset.loader.bind(dataset), [{ batchSize: 1 }]),
    target('Dataset.loader, state', (state: sagetrain.LoaderState) => dataset.loader({ batchSize: 1, state }), [{ epoch: 0, batch: 0 }]),
    target('Dataset.batch', dataset.batch.bind(dataset), [[0]]),
    target('Dataset.write', dataset.write.bind(dataset), ['file', null]),
    target('Loader.batches', (epoch: number) => dataset.loader({ batchSize: 1 }).batches(epoch), [0]),
    target('Batch.read', batch.read.bind(batch), ['label']),
    target('Model.create', Model.create, [{ type: 'mlp', inputs: 2, classes: 2 }, { seed: 1 }]),
    target('Model.load', Model.load, ['none']),
    target('Model.read', model.read.bind(model), ['output.bias']),
    target('Model.write', model.write.bind(model), ['output.bias', new Float32Array(2)]),
    target('Model.forward', model.forward.bind(model), [batch]),
    target('Model.evaluate', model.evaluate.bind(model), [dataset, { batchSize: 4 }]),
    target('Model.save', model.save.bind(model), ['saved']),
    target('Session.create', Session.create, [{ model, optimizer: undefined }]),
    target('Session.create, one option', (threads: number) => Session.create({ model, optimizer: undefined as never, threads }), [1]),
    target('Session.step', session.step.bind(session), [batch]),
    target('Session.evaluate', session.evaluate.bind(session), [dataset, { batchSize: 4 }]),
    target('Session.save', session.save.bind(session), ['checkpoints', { run: 1 }]),
    target('Session.load', session.load.bind(session), ['none']),
    target('Tokenizer.load', Tokenizer.load, ['none']),
    target('Tokenizer.encode', task.tokenizer.encode.bind(task.tokenizer), [['a']]),
    target('Tokenizer.decode', task.tokenizer.decode.bind(task.tokenizer), [[Int32Array.of(3)]]),
    target('bleu', sagetrain.bleu, [['a'], ['a']]),
    target('chrf', sagetrain.chrf, [['a'], ['a']]),
    target('ter', sagetrain.ter, [['a'], ['a']]),
    target('tokenizedBleu', sagetrain.tokenizedBleu, [['a'], ['a'], { maxOrder: 2 }]),
    target('sentenceScores', sagetrain.sentenceScores, ['chrf', ['a'], [['a'], ['b']]]),
    target('pairedRandomization', sagetrain.pairedRandomization, [['a'], ['a'], ['a'], { trials: 2 }]),
    target('pairedBootstrap', sagetrain.pairedBootstrap, [['a'], ['a'], ['a'], { resamples: 2 }]),
    target('latestCheckpoint', sagetrain.latestCheckpoint, ['none']),
    target('readCheckpoint', sagetrain.readCheckpoint, ['none']),
    target('retainCheckpoints', sagetrain.retainCheckpoints, ['none', []]),
    target('Spiral.prepare', Spiral.prepare, [{ samples: 4 }]),
    target('Spiral.train', (options: sagetrain.SpiralTrainOptions) => spiral.train(options), [{ optimizer: undefined, epochs: 1 }]),
    target('Spiral.evaluate', spiral.evaluate.bind(spiral), [model, 'valid']),
    target('Spiral.boundary', spiral.boundary.bind(spiral), [model, { resolution: 2 }]),
    target('Spiral.dataset', spiral.dataset.bind(spiral), ['train']),
    target('Translation.prepare', (options: sagetrain.PrepareOptions) => Translation.prepare(options), [{ tsv: 'none', output: '.' }]),
    target('Translation.train', (options: sagetrain.TranslationTrainOptions) => task.train(options), [{ optimizer: undefined }]),
    target('Translation.evaluate', task.evaluate.bind(task), [model, { part: 'valid' }]),
    target('Translation.dataset', task.dataset.bind(task), ['train']),
    target('Translator.load', Translator.load, [folder]),
    target('isSagetrainError', sagetrain.isSagetrainError, [new Error('x'), 'ERR_IO']),
  ]
}

/** Loosely typed on purpose: the values will be of any kind. */
function target(name: string, call: (...args: never[]) => unknown, good: readonly unknown[]): Target {
  return { name, call, good }
}

function write(name: string): string {
  const path = join(process.cwd(), name)
  createRequire(import.meta.url)('node:fs').writeFileSync(path, lines(60).join('\n'))
  return path
}

async function outcome(run: () => unknown): Promise<unknown> {
  try {
    const value = await run()
    if (value instanceof sagetrain.Session) await value[Symbol.asyncDispose]()
    return undefined
  } catch (error) {
    return error
  }
}

async function callPublic(): Promise<Omit<BadCallsReport, 'native'>> {
  const all = await targets()
  const refused: Record<string, number> = {}
  const untyped: string[] = []
  let calls = 0
  for (const { name, call, good } of all) {
    for (let place = 0; place < good.length; place++) {
      for (const [kind, value] of badValues()) {
        const error = await outcome(() => call(...(good.with(place, value) as never[])))
        calls += 1
        if (sagetrain.isSagetrainError(error, 'ERR_INTERNAL')) process.stderr.write(`${name}[${place}] ${kind}: ${error.message}\n`)
        if (sagetrain.isSagetrainError(error)) refused[error.code] = (refused[error.code] ?? 0) + 1
        else if (error !== undefined && !(error instanceof Mine)) untyped.push(`${name}[${place}] ${kind}: ${String(error)}`)
      }
    }
  }
  return { calls, targets: all.length, refused, untyped }
}

type Callable = (...args: unknown[]) => unknown

/** The addon without TypeScript in between: its own conversions must refuse, by an Error, what they cannot take. */
async function callNative(): Promise<BadCallsReport['native']> {
  const addon = createRequire(import.meta.url)('../../../bindings/binding.cjs') as Record<string, Callable & { prototype?: Record<string, Callable> }>
  const functions: [string, Callable][] = []
  for (const [name, value] of Object.entries(addon)) {
    if (name === 'stopEngines' || name === 'leaveProcess' || name === 'markWorker') continue // which end processes, as they should
    functions.push([name, value])
    for (const [key, method] of Object.entries(Object.getOwnPropertyDescriptors(value))) if (typeof method.value === 'function' && key !== 'prototype') functions.push([`${name}.${key}`, method.value as Callable])
    const prototype = Object.getOwnPropertyDescriptors(value.prototype ?? {})
    for (const [key, method] of Object.entries(prototype)) if (typeof method.value === 'function') functions.push([`${name}#${key}`, method.value as Callable])
  }
  const oddities: string[] = []
  let calls = 0
  for (const [name, run] of functions) {
    for (const [kind, value] of badValues()) {
      for (const count of [0, 1, 2, 6]) {
        const error = await outcome(() => run.apply(value, Array.from({ length: count }, () => value)))
        calls += 1
        if (error !== undefined && !(error instanceof Error)) oddities.push(`${name}(${kind} × ${count}): ${String(error)}`)
      }
    }
  }
  return { calls, oddities }
}

const folder = mkdtempSync(join(tmpdir(), 'sagetrain-bad-calls-'))
process.chdir(folder)
try {
  const report: BadCallsReport = { ...(await callPublic()), native: await callNative() }
  process.stdout.write(`${JSON.stringify(report)}\n`)
} finally {
  process.chdir('/')
  rmSync(folder, { recursive: true, force: true })
}
