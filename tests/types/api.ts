/** What the compiler must accept and must refuse; checked by tsc, never run. */
import { expectTypeOf } from 'expect-type'
import {
  adam,
  adamax,
  adamw,
  createOptimizer,
  Dataset,
  inverseSqrt,
  isSagetrainError,
  linear,
  sgd,
  Model,
  type SagetrainError,
  Session,
  Spiral,
  tasks,
  Translation,
  type AdamSpec,
  type AdamaxSpec,
  type AdamwSpec,
  type Batch,
  type Best,
  type BatchColumn,
  type Decay,
  type Loader,
  type LoaderState,
  type ModelSpec,
  type Optimizer,
  type OptimizerSpec,
  type Precision,
  type Run,
  type ReleasedSpec,
  type SagetrainErrorCode,
  type SgdSpec,
  type SensitivityReport,
  type StateTensor,
  type StepReport,
  type TaskName,
  type TrainEvent,
  type TranslationMetrics,
} from '#ts/index.js'

// Specifications.
expectTypeOf(adam({ lr: 1e-3, betas: [0.9, 0.98], sage: { beta0: 0.8 } })).toEqualTypeOf<AdamSpec>()
expectTypeOf<AdamSpec['type']>().toEqualTypeOf<'adam'>()
expectTypeOf<SgdSpec | AdamSpec | AdamwSpec | AdamaxSpec>().toEqualTypeOf<OptimizerSpec>()
expectTypeOf(adamw({ lr: 1 }).decay).toEqualTypeOf<Decay>()
expectTypeOf(adamax({ lr: 1, sage: { form: 'released' } })).toEqualTypeOf<ReleasedSpec<'adamax'>>()
expectTypeOf(sgd({ lr: 1, momentum: 0.9 })).toEqualTypeOf<SgdSpec>()
// @ts-expect-error -- the released form has a decay of its own
adamw({ lr: 1, decay: 'coupled', sage: { form: 'released' } })
// @ts-expect-error -- adam has no released form
adam({ lr: 1, sage: { form: 'released' } })
expectTypeOf(inverseSqrt({ warmupSteps: 1 })).toEqualTypeOf<{ readonly type: 'inverseSqrt'; readonly warmupSteps: number }>()
adam({ lr: 1, sage: { scope: 'encoder-linear' } })
adam({ lr: 1, sage: { scope: { include: ['*.weight'] } } })
adam({ lr: 1, sage: { scope: ({ name, shape }) => name.endsWith('weight') && shape.length === 2 } })
// @ts-expect-error -- lr is required
adam({})
// @ts-expect-error -- an unknown option
adam({ lr: 1, momentum: 0.9 })
// @ts-expect-error -- betas are two
adam({ lr: 1, betas: [0.9] })
// @ts-expect-error -- a scope that does not exist
adam({ lr: 1, sage: { scope: 'decoder' } })
// @ts-expect-error -- readonly
adamw({ lr: 1 }).lr = 2
// @ts-expect-error -- one of the two
linear({ warmupSteps: 1, warmupRatio: 0.1 })
// @ts-expect-error -- required
inverseSqrt({})

// The optimizer keeps the arrays' kind.
const single = createOptimizer(adam({ lr: 1 }), [{ name: 'w', shape: [1], data: new Float32Array(1) }])
expectTypeOf(single).toEqualTypeOf<Optimizer<Float32Array<ArrayBuffer>>>()
expectTypeOf(single.step([null]).gradientNorm).toEqualTypeOf<number | undefined>()
expectTypeOf(single.sensitivity()).toEqualTypeOf<SensitivityReport | undefined>()
expectTypeOf(single.state().tensors).toMatchTypeOf<Readonly<Record<string, { readonly shape: readonly number[] }>>>()
expectTypeOf(single.state().tensors['w/exp_avg']).toEqualTypeOf<StateTensor<Float32Array<ArrayBuffer>> | undefined>()
expectTypeOf(single.restore('state.safetensors').changes).toEqualTypeOf<readonly string[]>()
const half = createOptimizer(adam({ lr: 1, sage: {} }), [{ name: 'w', shape: [1], data: new Uint16Array(1), dtype: 'bfloat16' }], { rounding: 'stochastic', seed: 1 })
expectTypeOf(half.lossScale).toEqualTypeOf<number>()
// @ts-expect-error -- of another kind
half.step([new Float32Array(1)])
// @ts-expect-error -- no such rounding
createOptimizer(adam({ lr: 1 }), [], { rounding: 'up' })
// @ts-expect-error -- of another kind
single.step([new Float64Array(1)])
// @ts-expect-error -- no array of numbers
createOptimizer(adam({ lr: 1 }), [{ name: 'w', shape: [1], data: [1] }])

// One's own loop.
export async function ownLoop(): Promise<void> {
  const dataset = await Dataset.from([{ features: Float32Array.of(1), label: Int32Array.of(1) }])
  const loader = dataset.loader({ maxTokens: 4096, seed: 1 })
  expectTypeOf(loader).toEqualTypeOf<Loader>()
  expectTypeOf(loader).toMatchTypeOf<AsyncIterable<Batch>>()
  expectTypeOf(loader.state()).toEqualTypeOf<LoaderState>()
  const model = await Model.create({ type: 'mlp', inputs: 2, classes: 2 })
  expectTypeOf(model.spec).toEqualTypeOf<ModelSpec>()
  await Model.create({ preset: 'transformer-base', vocabularySize: 100 })
  await Model.create({ preset: 'transformer-iwslt', sourceVocabularySize: 8848, targetVocabularySize: 6632, embeddings: 'separate' })
  // @ts-expect-error -- no such sharing
  await Model.create({ preset: 'transformer-base', vocabularySize: 100, embeddings: 'tied' })
  // @ts-expect-error -- the vocabulary's size is required
  await Model.create({ preset: 'transformer-base' })
  // @ts-expect-error -- nothing says which model
  await Model.create({ vocabularySize: 100 })
  // @ts-expect-error -- samples hold typed arrays
  await Dataset.from([{ features: [1] }])
  await using session = await Session.create({ model, optimizer: adam({ lr: 1 }), precision: 'bfloat16' })
  // @ts-expect-error -- no such precision
  await Session.create({ model, optimizer: adam({ lr: 1 }), precision: 'float8' })
  expectTypeOf<Precision>().toEqualTypeOf<'float32' | 'bfloat16' | 'float16'>()
  for await (const batch of loader) {
    const report = await session.step(batch)
    expectTypeOf(report).toEqualTypeOf<StepReport>()
    const column = batch.read('label')
    expectTypeOf(column).toEqualTypeOf<BatchColumn>()
    if (column.type === 'ragged') expectTypeOf(column.values).toEqualTypeOf<Int32Array>()
    else expectTypeOf(column.width).toEqualTypeOf<number>()
  }
}

// A task: events are told apart by their type, metrics are the task's.
export async function task(): Promise<void> {
  const translation = await Translation.prepare({ source: 'train.de', target: 'train.en', vocabulary: { size: 10_000 } })
  const run = translation.train({
    model: { preset: 'transformer-base' },
    optimizer: adam({ lr: 1e-3, betas: [0.9, 0.98], sage: { beta0: 0.8 } }),
    schedule: inverseSqrt({ warmupSteps: 8000 }),
    batch: { maxTokens: 4096 },
    epochs: 60,
    signal: new AbortController().signal,
  })
  expectTypeOf(run).toEqualTypeOf<Run<TranslationMetrics>>()
  for await (const event of run) {
    expectTypeOf(event).toEqualTypeOf<TrainEvent<TranslationMetrics>>()
    if (event.type === 'evaluation') expectTypeOf(event.metrics.bleu).toEqualTypeOf<number>()
    if (event.type === 'step') expectTypeOf(event.gradientNorm).toEqualTypeOf<number | undefined>()
    if (event.type === 'end') expectTypeOf(event.reason).toEqualTypeOf<'finished' | 'earlyStopped' | 'aborted' | 'stopped'>()
    // @ts-expect-error -- not every event has metrics
    expectTypeOf(event.metrics)
  }
  const { best } = await run.done
  expectTypeOf(best).toEqualTypeOf<Best<TranslationMetrics> | null>()
  const spiral = await Spiral.prepare()
  const { best: accurate } = await spiral.train({ optimizer: adam({ lr: 1e-3 }), epochs: 1 }).done
  expectTypeOf(accurate?.metrics.accuracy).toEqualTypeOf<number | undefined>()
  // @ts-expect-error -- the spiral has no BLEU
  expectTypeOf(accurate?.metrics.bleu)
  // @ts-expect-error -- batches are required
  translation.train({ model: { preset: 'transformer-base' }, optimizer: adam({ lr: 1 }), epochs: 1 })
  // @ts-expect-error -- the vocabulary's size is the tokenizer's
  translation.train({ model: { vocabularySize: 3 }, optimizer: adam({ lr: 1 }), batch: { maxTokens: 1 }, epochs: 1 })
}

expectTypeOf<TaskName>().toEqualTypeOf<'translation' | 'classification' | 'spiral'>()
expectTypeOf(tasks.spiral.prepare).returns.resolves.toEqualTypeOf<Spiral>()

// Errors narrow by code.
export function errors(error: unknown): void {
  if (isSagetrainError(error)) expectTypeOf(error.code).toEqualTypeOf<SagetrainErrorCode>()
  if (isSagetrainError(error, 'ERR_SHAPE')) expectTypeOf(error).toEqualTypeOf<SagetrainError<'ERR_SHAPE'>>()
  // @ts-expect-error -- no such code
  isSagetrainError(error, 'ERR_SHAP')
}
