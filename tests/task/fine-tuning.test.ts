import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { adam, adamax, adamw, Dataset, linear, Model, Session, warmupLinear, type OptimizerSpec } from '#ts/index.js'

interface Task {
  readonly folder: string
  readonly kind: 'classification' | 'regression'
  readonly classes: number
  readonly head: Readonly<Record<string, readonly number[]>>
}

interface Batch {
  readonly tokens: readonly (readonly number[])[]
  readonly types: readonly (readonly number[])[]
  readonly words: readonly number[]
}

interface Arm {
  readonly task: string
  readonly optimizer: keyof typeof OPTIMIZERS
  readonly sage: boolean
  /** Of SAGE: the recipe of the paper's GLUE runs; otherwise the paper's form, of every parameter. */
  readonly form?: 'released'
  readonly losses: readonly number[]
  readonly norms: readonly number[]
  readonly final: Readonly<Record<string, readonly number[]>>
}

interface Golden {
  readonly options: {
    readonly steps: number
    readonly warmupSteps: number
    readonly stride: number
    readonly weightDecay: number
    readonly beta0: number
    readonly rates: Readonly<Record<keyof typeof OPTIMIZERS, number>>
    readonly released: { readonly eps: number; readonly warmupRatio: number; readonly betas: readonly [number, number] }
  }
  readonly tasks: Readonly<Record<string, Task>>
  readonly batches: readonly Batch[]
  readonly arms: readonly Arm[]
}

const OPTIMIZERS = { adam, adamax, adamw }
/** Written by fine_tuning.py beside it: transformers' models, torch's optimizers, clipping and schedule. */
const { options, tasks, batches, arms } = JSON.parse(readFileSync('tests/golden/fine_tuning.json', 'utf8')) as Golden

/** One of the golden batches, with the label or number that its first word stands for. */
async function dataset({ tokens, types, words }: Batch, { folder, kind, classes }: Task): Promise<Dataset> {
  const samples = words.map((word, row) => ({
    tokens: Int32Array.from(tokens[row] ?? []),
    ...(folder.startsWith('bert') && { types: Int32Array.from(types[row] ?? []) }),
    ...(kind === 'classification' ? { label: Int32Array.of(word % classes) } : { target: Float32Array.of((word - 11) / 4) }),
  }))
  return Dataset.from(samples)
}

/** The golden folder's encoder under the golden head. */
async function pretrained({ folder, kind, classes, head }: Task): Promise<{ model: Model; drawn: readonly string[] }> {
  const { model, new: drawn } = await Model.fineTune(join('crates/models/tests/golden', folder), {
    head: { kind, ...(kind === 'classification' && { classes }), dropout: 0, poolerDropout: 0 },
    dropout: 0,
    attentionDropout: 0,
  })
  for (const [name, values] of Object.entries(head)) await model.write(name, Float32Array.from(values))
  return { model, drawn }
}

function optimizer({ optimizer: name, sage, form }: Arm): OptimizerSpec {
  const { released: { eps, betas }, beta0, weightDecay } = options
  if (form === 'released' && name !== 'adam') return { adamax, adamw }[name]({ lr: options.rates[name], eps, betas, weightDecay, sage: { form, scope: 'encoder-linear', beta0 } })
  return OPTIMIZERS[name]({ lr: options.rates[name], weightDecay: options.weightDecay, ...(sage && { sage: { beta0: options.beta0 } }) })
}

/** How far losses and parameters may be from the golden ones, and norms in units of theirs. */
const TOLERANCE = 1e-4

function near(t: ExecutionContext, what: string, found: number | undefined, expected: number | undefined, unit = 1): void {
  const [is, should] = [found ?? Number.NaN, expected ?? Number.NaN]
  t.true(Math.abs(is - should) <= TOLERANCE * unit, `${what}: ${is}, golden ${should}`)
}

for (const arm of arms) {
  test(`${arm.task} by ${arm.optimizer}${arm.sage ? ' with SAGE' : ''}${arm.form === undefined ? '' : ' as released'} learns as transformers and torch.optim do`, async (t) => {
    const task = tasks[arm.task]
    if (task === undefined) return t.fail(`the golden file has no task ${arm.task}`)
    const { model: encoder, drawn } = await pretrained(task)
    using model = encoder
    t.deepEqual(drawn.toSorted(), Object.keys(task.head).toSorted())
    await using session = await Session.create({
      model,
      optimizer: optimizer(arm),
      schedule: arm.form === 'released' ? warmupLinear({ warmupRatio: options.released.warmupRatio }) : linear({ warmupSteps: options.warmupSteps }),
      totalSteps: options.steps,
      groups: [{ include: ['*.bias', '*LayerNorm.weight'], weightDecay: 0 }],
      maxGradientNorm: 1,
      precision: 'float32',
      threads: 1,
    })
    for (const [step, batch] of batches.entries()) {
      using data = await dataset(batch, task)
      using input = data.batch(batch.words.map((_, row) => row))
      const { loss, gradientNorm } = await session.step(input)
      near(t, `loss of step ${step + 1}`, loss, arm.losses[step])
      near(t, `norm of step ${step + 1}`, gradientNorm, arm.norms[step], arm.norms[step])
    }
    for (const [name, expected] of Object.entries(arm.final)) {
      // A key's bias adds the same to all scores of a query, which the softmax takes away: its gradient is rounding alone, and Adam scales that up.
      if (name.endsWith('key.bias')) continue
      const { data } = await model.read(name)
      for (const [index, value] of expected.entries()) near(t, `${name}[${index * options.stride}]`, data[index * options.stride], value)
    }
  })
}
