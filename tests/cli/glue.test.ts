import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { glue } from '#ts/cli/glue.js'
import { runCommand } from '#ts/cli/run.js'
import type { ArmOptions, TaskCommand } from '#ts/cli/task-command.js'
import { SagetrainError } from '#ts/errors.js'
import { temporaryFolder } from '../temporary.js'
import { scriptedTask, type Script } from './scripted-task.js'

/** The task with a formula for a model: SAGE is 2 points ahead, and a seed is worth one. */
function scriptedClassification(script: Script): TaskCommand {
  const base = scriptedTask(script)
  return {
    ...base,
    name: 'classification',
    keys: { prepare: ['recipe', 'data', 'tokenizer'], train: ['model', 'optimizer', 'groups', 'schedule', 'batch', 'epochs', 'steps', 'maxGradientNorm', 'smoothness', 'threads', 'seed'] },
    check: () => undefined,
    headline: 'loss',
    prepare: async (options, say, signal) => {
      const task = await base.prepare({}, say, signal)
      if (options['recipe'] === 'qqp') throw new SagetrainError('ERR_DATA', 'QQP/train.tsv: is missing')
      return {
        ...task,
        train: async (arm) => {
          const training = await task.train(arm)
          return { ...training, measure: async (measuring) => ({ ...(await training.measure(measuring)), metrics: scores(arm) }) }
        },
      }
    },
  }
}

function scores({ train }: ArmOptions): Readonly<Record<string, number>> {
  const accuracy = (JSON.stringify(train).includes('"sage"') ? 0.72 : 0.7) + Number(train['seed']) / 100
  return { accuracy, accuracyMismatched: accuracy + 0.01, f1: accuracy, matthews: accuracy, pearson: accuracy, spearman: accuracy }
}

async function sagetrain(script: Script, ...args: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const [out, err]: [string[], string[]] = [[], []]
  const task = scriptedClassification(script)
  const code = await runCommand(['glue', ...args], { commands: [glue], tasks: new Map([[task.name, task]]), version: '1.2.3', stdout: { write: (text) => out.push(text) }, stderr: { write: (text) => err.push(text) }, environment: {}, versions: () => [] })
  return { code, out: out.join(''), err: err.join('') }
}

const newScript = (): Script => ({ started: [], disposed: 0 })

/** What was trained beside the few steps that the plan is estimated from. */
const trained = ({ started }: Script): Script['started'] => started.filter(({ name }) => name !== 'trial')

function asked(runs: string): readonly string[] {
  return ['--pretrained', '/models/bert', '--data', '/data/glue', '--tasks', 'mnli,rte', '--seeds', '2', '--runs', runs, '--steps', '10', '--threads', '2', '--json']
}

test('tasks, optimizers and seeds are trained run by run to a report beside the paper’s figures', async (t) => {
  const runs = temporaryFolder(t)
  const script = newScript()
  const { code, out, err } = await sagetrain(script, ...asked(runs))
  t.is(code, 0, err)
  t.regex(err, /Plan: GLUE, 2 tasks × 2 optimizers × 2 seeds: 8 runs; 0 are done/)
  t.regex(err, /RTE +Adamax lr 0\.0001, Adamax-SAGE lr 0\.0003; 10 steps or 6 epochs, whichever comes first, batch\(batchSize 16\)/)
  t.deepEqual(trained(script).map(({ name }) => name).slice(0, 3), ['adamax-lr-0.0001-seed-1', 'adamax-sage-lr-0.0003-beta0-0.65-seed-1', 'adamax-lr-0.0001-seed-2'])
  t.regex(err, /8 of 8 runs, about 0\.0 s left\n/)
  t.regex(err, /Avg +RTE Acc +MNLI m\/mm\n.*\nAdamax +71\.8 +71\.5 +71\.5\/72\.5\n/)
  t.regex(err, /Adamax-SAGE less Adamax: \+2\.00 on average over 2 seeds/)
  t.like(JSON.parse(out).results.averages[1].difference, { degrees: 1 })
  const folder = join(runs, 'glue-bert-base')
  for (const file of ['glue.html', 'glue.json', 'rte/adamax-lr-0.0001-seed-1/cell.json']) t.true(existsSync(join(folder, file)), file)
  const markdown = await readFile(join(folder, 'glue.md'), 'utf8')
  for (const part of ['| paper: Adamax-SAGE | 79.5 | 74.0 | 85.0/85.2 |', 'Changed on the command line: --steps 10 --threads 2.']) t.true(markdown.includes(part), part)
  t.is((await readFile(join(folder, 'glue.csv'), 'utf8')).split('\n').length, 1 + 4 + 8 + 1)
})

test('the same command goes on where it was stopped', async (t) => {
  const runs = temporaryFolder(t)
  const failing: Script = { ...newScript(), onStep: (name, step) => {
    if (name.endsWith('seed-2') && step === 5) throw new SagetrainError('ERR_IO', 'disk full')
  } }
  const failed = await sagetrain(failing, ...asked(runs))
  t.is(failed.code, 1)
  t.regex(failed.out, /disk full/)
  t.true(existsSync(join(runs, 'glue-bert-base/glue.md')), 'what is done is reported')

  const plan = await sagetrain(newScript(), ...asked(runs), '--plan')
  t.like(JSON.parse(plan.out), { runs: 8, done: 2 })
  t.regex(plan.err, /estimate +about \d/)
  const script = newScript()
  t.is((await sagetrain(script, ...asked(runs))).code, 0)
  t.is(trained(script).length, 6)
  const other = await sagetrain(newScript(), ...asked(runs), '--epochs', '3')
  t.regex(other.out, /train\.epochs 6, asked for is 3/)
})

test('what cannot be compared is refused before anything is made', async (t) => {
  const runs = temporaryFolder(t)
  const given = ['--pretrained', '/models/bert', '--data', '/data/glue', '--runs', join(runs, 'none'), '--json']
  const refusals: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [['rte'], /glue takes no words/],
    [['--tasks', 'wnli'], /--tasks wnli: there are rte, mrpc, cola, sst-2, sts-b, qnli, qqp, mnli/],
    [['--settings', 'bert-large'], /--settings bert-large: there are bert-base, roberta-large/],
    [['--settings', 'roberta-large', '--optimizers', 'adam'], /--optimizers adam: there are adamax, adamax-sage/],
    [['--smoothness', '--settings', 'roberta-large'], /--smoothness: the paper's Table 6 is of bert-base/],
    [['--smoothness', '--optimizers', 'adam-sage'], /--optimizers adam-sage: there are adamax, adamax-sage/],
    [['--smoothness.weight', '5'], /--smoothness\.weight changes the smoothness term, which is off; add --smoothness/],
    [['--recipe', 'sst-2'], /--recipe: is what an experiment is/],
    [['--optimizer.lr', '1'], /--optimizer\.lr: is what an experiment is, or what its runs/],
    [['--seeds', '0'], /--seeds 0/],
  ]
  for (const [args, message] of refusals) {
    const { code, out } = await sagetrain(newScript(), ...given, ...args)
    t.deepEqual([code, message.test(out)], [2, true], out)
  }
  t.regex((await sagetrain(newScript(), '--data', 'x', '--json')).out, /needs --pretrained FOLDER/)
  t.false(existsSync(join(runs, 'none')))
  const script = newScript()
  const missing = await sagetrain(script, ...given)
  t.deepEqual([missing.code, /QQP\/train\.tsv/.test(missing.out), trained(script).length], [1, true, 0], 'the last task’s data before the first’s training')
})

test('with the smoothness term it is Table 6, in a folder of its own, and flags change the term', async (t) => {
  const runs = temporaryFolder(t)
  const script = newScript()
  const { code, err } = await sagetrain(script, ...asked(runs), '--smoothness', '--smoothness.weight', '5')
  t.is(code, 0, err)
  t.regex(err, /Plan: GLUE with the smoothness term, 2 tasks/)
  t.deepEqual(trained(script).map(({ train }) => train['smoothness']), Array.from({ length: 8 }, () => ({ weight: 5 })))
  const markdown = await readFile(join(runs, 'glue-smart-base/glue.md'), 'utf8')
  for (const part of ['# GLUE, settings of SMART-base', '| paper: BERT-base, Adamax | 76.8 | 69.2 | 84.5/84.4 |', '--smoothness.weight 5']) t.true(markdown.includes(part), part)
})
